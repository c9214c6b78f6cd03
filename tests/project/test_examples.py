"""The programs of the documentation run where nothing is configured, and the pages show them as they are."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion.testing import FakeClient, LocalEndpoint

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples"
ELSEWHERE = {EXAMPLES / "archive.py"}  # runs in the environment of Ray: tests/ray/test_example.py
PROGRAMS = sorted(set(EXAMPLES.glob("*.py")) - set(EXAMPLES.glob("test_*.py")) - ELSEWHERE)
PAGES = sorted(ROOT.glob("docs/**/*.md"))
SHOWN = re.compile(r"\]\((?:\.\./)?examples/(\w+\.py)\)[^\n]*\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANSWER = {"FaceDetails": [{"Emotions": [{"Type": "CALM", "Confidence": 90.0}]}]}

# What is done with a program that defines something to be called.
LAMBDA = """
import runpy, sys
class Context:
    def get_remaining_time_in_millis(self):
        return 30_000
handler = runpy.run_path(sys.argv[1])["handler"]
"""
CALLS = {
    "flask_service.py": """
import runpy, sys
client = runpy.run_path(sys.argv[1])["app"].test_client()
with open("photo.jpg", "rb") as file:
    print(client.post("/faces", data=file.read()).json)
print(client.post("/faces", data=b"no photo").status_code, client.post("/faces", data=bytes(6_000_000)).status_code)
""",
    "lambda_function.py": f"""{LAMBDA}
place = {{"bucket": {{"name": "my-photos"}}, "object": {{"key": "a+photo.jpg"}}}}
assert handler({{"Records": [{{"s3": place}}]}}, Context()) == {{"a photo.jpg": ["CALM"]}}
""",
    "lambda_offline.py": f"""{LAMBDA}
import base64
with open("photo.jpg", "rb") as file:
    body = base64.b64encode(file.read()).decode()
print(handler({{"isBase64Encoded": True, "body": body}}, Context())["body"])
print(handler({{"body": "no photo"}}, Context())["statusCode"])
""",
}
PRINTED = {
    "flask_service.py": "{'emotions': ['HAPPY']}\n400 413\n",
    "from_boto3.py": "HAPPY 21 46\n"
    + "".join(
        f"{time} {look}\n"
        for time, look in [
            (0, "HAPPY"),
            (500, "HAPPY"),
            (1000, "HAPPY"),
            (3000, "HAPPY"),
            (3500, "HAPPY"),
            (4000, "HAPPY"),
            (4500, "CALM"),
            (5000, "CALM"),
            (5500, "CALM"),
        ]
    ),
    "from_deepface.py": (
        "{'dominant_emotion': 'happy', 'emotion': {'happy': 97}, 'age': 33, "
        "'dominant_gender': 'Woman', 'region': {'x': 182, 'y': 58, 'w': 87, 'h': 120}}\n"
    ),
    "from_pyfeat.py": "1 emotion_happy\n2 emotion_happy\n3 emotion_calm\n",
    "lambda_function.py": '{"a photo.jpg": ["CALM"]}\n',
    "lambda_offline.py": '{"emotions": ["HAPPY"]}\n400\n',
    "long_video.py": "started\n9 faces\n",
    "own_client.py": "1 True\nAttribute(value=True, confidence=80.0) None\n",
    "privacy.py": "{\"HAPPY\": 2}\n[]\n['astronaut.png', 'obama.png']\n",
    "process_pool.py": (
        "astronaut.jpg HAPPY\nbiden.jpg CALM\n"
        "notes.txt skipped: the content is text, not an image; check what was read or downloaded\nobama.jpg HAPPY\n"
    ),
    "progress_and_logs.py": "5 events\n",
    "service.py": "",
}
# On standard error, of others nothing; a slow machine needs more than ten seconds, or a second a photo.
TOLD = {"progress_and_logs.py": r"(photos: \d.*\n)*photos: 3 of 3, 1 left out(, [\d.]+/(s|min))?\n"}
NEEDED = {"service.py": ("fastapi",), "flask_service.py": ("flask",)}


@pytest.fixture
def workplace(tmp_path):
    """Make a folder with the pictures that the programs speak of, and nothing else."""
    (tmp_path / "photos").mkdir()
    for name in ("astronaut", "obama", "biden"):
        shutil.copy(ROOT / f"tests/data/{name}.jpg", tmp_path / "photos")
    (tmp_path / "photos/notes.txt").write_text("no photo")
    shutil.copy(ROOT / "tests/data/astronaut.jpg", tmp_path / "photo.jpg")
    shutil.copy(ROOT / "tests/data/people.mp4", tmp_path / "clip.mp4")
    return tmp_path


def run(*arguments, folder, **variables):
    """Run Python in a folder and an environment of no more than what it takes to find Python and the package."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), **variables}
    if "SYSTEMROOT" in os.environ:  # Windows starts no process without
        environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    return subprocess.run(  # noqa: S603 -- our own programs
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_runs_in_an_empty_environment(program, workplace):
    """Each prints what it should, with no variable of AWS, in another folder, and says nothing else."""
    if missing := [name for name in NEEDED.get(program.name, ()) if find_spec(name) is None]:
        pytest.skip(f"{program.name} needs {', '.join(missing)}")
    call = [program] if program.name not in CALLS else ["-c", CALLS[program.name], program]
    if program.name == "from_boto3.py":
        call += ["photo.jpg", "clip.mp4", "embedded"]
    if program.name == "lambda_function.py":
        with LocalEndpoint(FakeClient(images=ANSWER)) as endpoint:
            leading = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
            done = run(*call, folder=workplace, **leading)
            assert endpoint.count("DetectFaces") == 1
    else:
        done = run(*call, folder=workplace)

    assert (done.stdout, done.returncode) == (PRINTED[program.name], 0), done.stderr
    assert re.fullmatch(TOLD.get(program.name, ""), done.stderr)


def test_a_long_video_goes_on(workplace):
    """A run without time enough says so; the next one takes the same job up."""
    program = EXAMPLES / "long_video.py"

    first = run(program, "0", folder=workplace)
    second = run(program, folder=workplace)

    assert (first.stdout, first.returncode) == ("started\nnot ready: run it again\n", 75)
    assert (second.stdout, second.returncode) == ("goes on\n9 faces\n", 0)
    assert len(rekog.VideoAnalysis.from_json((workplace / "result.json").read_text()).faces) == 9
    assert not (workplace / "job.json").exists()


@pytest.mark.skipif(not find_spec("flask"), reason="the service needs flask")
def test_tests_of_a_service_pass(workplace):
    """Beside the service, by pytest alone, with the fixtures that come with the package."""
    for name in ("flask_service.py", "test_flask_service.py"):
        shutil.copy(EXAMPLES / name, workplace)

    done = run("-m", "pytest", "-q", folder=workplace)

    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


@pytest.mark.parametrize("program", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_a_page_shows_it(program):
    """At least one page links it, with the whole of it below the link."""
    shown = [
        text for page in PAGES for name, text in SHOWN.findall(page.read_text(encoding="utf-8")) if name == program.name
    ]

    assert shown
    assert set(shown) == {program.read_text(encoding="utf-8")}


def test_every_program_says_what_it_prints():
    """No program is without its expectation, and none is expected that is not there."""
    assert sorted(PRINTED) == [program.name for program in PROGRAMS]
    assert [program.name for program in PROGRAMS if ast.get_docstring(ast.parse(program.read_text())) is None] == []
