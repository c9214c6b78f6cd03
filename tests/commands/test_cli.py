import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion.commands.cli import build_parser, main
from rekog_emotion.results.lossless import read_json_lines
from tests.http_standin import Answer, fault
from tests.outputs import full_disk

DATA = Path(__file__).parents[1] / "data"
ASTRONAUT, BIDEN = os.fspath(DATA / "astronaut.jpg"), os.fspath(DATA / "biden.jpg")
EMBEDDED = ("--client", "embedded")
HEAVY = {"PIL", "av", "boto3", "botocore", "numpy", "onnxruntime", "rich", "tenacity"}


@pytest.fixture
def blank(tmp_path):
    """Give the path of a picture without faces."""
    path = tmp_path / "blank.png"
    Image.new("RGB", (100, 90), "white").save(path)
    return os.fspath(path)


def command(*arguments, **options):
    """Run the command as a process of its own."""
    return subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "rekog_emotion", *arguments],
        check=False,
        capture_output=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
        **options,
    )


TABLE = """\
photo.jpg: 1 face, 512 x 512 pixels, engine: embedded
#  box (pixels)   emotion      gender        age    smile       also
{rule}1  182,58 87x120  HAPPY 97.1%  Female 98.1%  21-46  yes 100.0%  mouth open
"""


def test_terminal_gets_a_table(terminal, monkeypatch, tmp_path):
    """On a terminal each photo has a line, and a table of its faces."""
    (tmp_path / "photo.jpg").write_bytes(Path(ASTRONAUT).read_bytes())
    monkeypatch.chdir(tmp_path)

    code = main(["image", "photo.jpg", *EMBEDDED])

    assert (code, (captured := terminal.readouterr()).err) == (0, "")
    assert TABLE.format(rule="─" * 74 + "\n") == "".join(line.rstrip() + "\n" for line in captured.out.splitlines())


def test_table_needs_no_rich(terminal, monkeypatch, tmp_path):
    """Without the cli extra the same table is plain text."""
    (tmp_path / "photo.jpg").write_bytes(Path(ASTRONAUT).read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "rich", None)

    code = main(["image", "photo.jpg", *EMBEDDED])

    assert (0, TABLE.format(rule=""), "") == (code, *terminal.readouterr())


def test_no_faces_are_no_error(terminal, blank):
    """A picture without faces has its line and no table, and the exit code is 0."""
    code = main(["image", blank, *EMBEDDED])

    assert (0, f"{blank}: no faces, 100 x 90 pixels, engine: embedded\n", "") == (code, *terminal.readouterr())


def test_columns_of_what_was_not_asked_for_are_left_out(terminal, monkeypatch):
    """The table has columns for what there is."""
    monkeypatch.setitem(sys.modules, "rich", None)

    main(["image", ASTRONAUT, *EMBEDDED, "--attributes", "default,smile"])

    assert terminal.readouterr().out.splitlines()[1:] == ["#  box (pixels)   smile", "1  182,58 87x120  yes 100.0%"]


def test_photo_in_s3_has_a_box_in_ratios(terminal, monkeypatch, standin):
    """Where the size of the picture is not known, boxes are ratios."""
    monkeypatch.setitem(sys.modules, "rich", None)
    box = {"Width": 0.25, "Height": 0.5, "Left": -0.1, "Top": 0.125}
    details = [
        {"BoundingBox": box, "EyesOpen": {"Value": False, "Confidence": 80.0}, "Smile": {"Value": False}},
        {"BoundingBox": {"Width": 0.25}, "Gender": {"Value": "Male", "Confidence": 70.0}},
    ]
    standin.script("DetectFaces", Answer({"FaceDetails": details}))

    code = main(["image", "s3://bucket/photo.jpg"])

    expected = """\
s3://bucket/photo.jpg: 2 faces, engine: aws
#  box (ratio)           gender      smile  also
1  -0.10,0.12 0.25x0.50              no     eyes closed
2                        Male 70.0%
"""
    assert (0, expected, "") == (code, *terminal.readouterr())


def test_clean_networks_tell_less(capsys):
    """What they leave out is not in the lines, nor a column of the table."""
    code = main(["image", ASTRONAUT, *EMBEDDED, "--weights", "clean"])

    (read,) = read_json_lines(capsys.readouterr().out.splitlines())
    (face,) = read.faces
    assert (code, face.smile.value, face.gender.value, face.emotions, face.age_range) == (0, True, "Female", None, None)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_programs_get_json_lines(options, capsys, monkeypatch, blank):
    """One line a photo with its whole analysis, when asked for and when the output is no terminal."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: bool(options))

    code = main(["image", ASTRONAUT, blank, *EMBEDDED, *options])

    expected = [rekog.detect_image(one, client="embedded") for one in (ASTRONAUT, blank)]
    out, err = capsys.readouterr()
    read = [*read_json_lines(out.splitlines())]
    assert (0, expected, "") == (code, read, err)
    assert [(one.source, one.size, one.engine) for one in read] == [
        (ASTRONAUT, (512, 512), "embedded"),
        (blank, (100, 90), "embedded"),
    ]


def test_standard_input_is_a_photo(capsys, monkeypatch):
    """A dash stands for the bytes of standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(ASTRONAUT).read_bytes())))

    code = main(["image", "-", *EMBEDDED])

    analysis = rekog.ImageAnalysis.from_json(capsys.readouterr().out)
    assert (code, analysis.source, analysis.size, len(analysis.faces)) == (0, "-", (512, 512), 1)


def test_one_bad_photo_does_not_stop_the_others(capsys, tmp_path):
    """Bad photos have a line each on standard error, good ones their result; the exit code is 2."""
    text = tmp_path / "notes.txt"
    text.write_text("no photo")

    code = main(["image", "nowhere.jpg", ASTRONAUT, os.fspath(text), BIDEN, *EMBEDDED])

    out, err = capsys.readouterr()
    assert (code, [json.loads(line)["source"] for line in out.splitlines()]) == (2, [ASTRONAUT, BIDEN])
    expected = (
        "rekog-emotion: nowhere.jpg: there is no such file; check the path, which starts at the current directory\n"
        f"rekog-emotion: {text}: the content is text, not an image; check what was read or downloaded\n"
    )
    assert expected == err


def test_failed_call_is_another_exit_code(capsys, standin):
    """What the service refuses is 1, and the line names photo, operation, code and cause."""
    standin.script("DetectFaces", fault("AccessDeniedException", "User may not"))

    code = main(["image", ASTRONAUT])

    expected = (
        f"rekog-emotion: {ASTRONAUT}: DetectFaces failed with AccessDeniedException: User may not (check the "
        "credentials, the clock and that the identity may call rekognition:DetectFaces)\n"
    )
    assert (1, "", expected) == (code, *capsys.readouterr())


@pytest.mark.parametrize(("photos", "expected"), [([ASTRONAUT, "nowhere.jpg"], 2), (["nowhere.jpg", ASTRONAUT], 2)])
def test_highest_exit_code_counts(photos, expected, standin):
    """Of several photos the highest code is that of the command."""
    standin.script("DetectFaces", fault("AccessDeniedException"))

    assert expected == main(["image", *photos])


def test_wrong_configuration_is_said_once(capsys):
    """What is wrong for all photos is said before the first, in the words of the command line."""
    code = main(["image", ASTRONAUT, BIDEN])

    expected = (
        "rekog-emotion: no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile "
        "in AWS_PROFILE or run 'aws configure', or stay offline with --client embedded\n"
    )
    assert (2, "", expected) == (code, *capsys.readouterr())


@pytest.mark.parametrize("command", ["image", "export"])
def test_a_missing_file_is_named_before_missing_credentials(command, capsys):
    """Who names a wrong path gets to know it, and of the credentials only where they would be needed."""
    gone = "there is no such file; check the path, which starts at the current directory"

    assert main([command, "gone.jpg"]) == 2
    alone = capsys.readouterr()
    assert main([command, ASTRONAUT, "gone.jpg", "gone.png"]) == 2
    beside = capsys.readouterr().err.splitlines()

    if command == "image":
        assert alone.out == ""
    assert alone.err == f"rekog-emotion: gone.jpg: {gone}\n"
    assert beside[:2] == [f"rekog-emotion: {name}: {gone}" for name in ("gone.jpg", "gone.png")]
    assert [line[:43] for line in beside[2:]] == ["rekog-emotion: no AWS credentials were foun"]


def test_client_may_come_from_the_environment(capsys, monkeypatch):
    """Where --client is left out, the environment variable says who analyses."""
    monkeypatch.setenv("REKOG_EMOTION_CLIENT", "embedded")

    assert (main(["image", ASTRONAUT]), json.loads(capsys.readouterr().out)["engine"]) == (0, "embedded")


@pytest.fixture
def defect(monkeypatch):
    """Let every analysis fail as no analysis should."""

    def detect_image(*_, **__):
        message = "on two\nlines"
        raise RuntimeError(message)

    monkeypatch.setattr("rekog_emotion.blocking.image.detect_image", detect_image)


@pytest.mark.usefixtures("defect")
def test_unexpected_error_takes_one_line(capsys):
    """Even a defect of this library is no traceback, but a line that says how to see more."""
    code = main(["image", ASTRONAUT, *EMBEDDED])

    expected = f"rekog-emotion: {ASTRONAUT}: unexpected RuntimeError: on two lines (--debug shows where)\n"
    assert (1, "", expected) == (code, *capsys.readouterr())


@pytest.mark.usefixtures("defect")
@pytest.mark.parametrize(("options", "variable"), [(["--debug"], ""), ([], "1")])
def test_debugging_shows_the_traceback(options, variable, capsys, monkeypatch):
    """The option and the environment variable put the traceback before the line."""
    monkeypatch.setenv("REKOG_EMOTION_DEBUG", variable)

    main(["image", ASTRONAUT, *EMBEDDED, *options])

    first, *_, last = capsys.readouterr().err.splitlines()
    assert first == "Traceback (most recent call last):"
    assert f"rekog-emotion: {ASTRONAUT}: unexpected RuntimeError: on two lines" == last


def test_error_outside_any_photo_takes_one_line(capsys, monkeypatch):
    """A defect before the first photo is reported in the same way."""

    def resolve_client(_):
        raise ZeroDivisionError

    monkeypatch.setattr("rekog_emotion.clients.names.resolve_client", resolve_client)

    code = main(["image", ASTRONAUT])

    assert (
        code,
        *capsys.readouterr(),
    ) == (1, "", "rekog-emotion: unexpected ZeroDivisionError (--debug shows where)\n")


def test_interrupt_is_quiet(capsys, monkeypatch):
    """Ctrl-C ends the command at once, with the exit code that shells give it."""

    def detect_image(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("rekog_emotion.blocking.image.detect_image", detect_image)

    monkeypatch.setattr("rekog_emotion.flows.images.prepare_image", detect_image)

    assert (main(["image", ASTRONAUT, *EMBEDDED]), *capsys.readouterr()) == (130, "", "")
    assert (main(["image", ASTRONAUT, BIDEN, *EMBEDDED]), *capsys.readouterr()) == (130, "", "")


@pytest.mark.parametrize("arguments", [["image", "{0}", "{0}", *EMBEDDED], ["--print-completion", "bash"]])
def test_reader_may_go_away(arguments, blank):
    """Whoever reads the output may stop, as head does, and nobody complains; before a command has begun, too."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(  # noqa: S603 -- our own command
            [sys.executable, "-m", "rekog_emotion", *(one.format(blank) for one in arguments)],
            check=False,
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=600,
        )
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.parametrize(("closed", "heard"), [(">&-", ("", "rekog-emotion: gone.jpg")), ("2>&-", ('{"format"', ""))])
def test_output_may_be_closed(closed, heard, blank):
    """What is said has no reader then: it is no failure, and it does not go elsewhere."""
    script = f'"$0" -m rekog_emotion image "$1" gone.jpg --client embedded {closed}'
    ended = subprocess.run(  # noqa: S603 -- our own command
        ["/bin/sh", "-c", script, sys.executable, blank], check=False, capture_output=True, text=True, timeout=600
    )

    assert ended.returncode == 2
    assert (ended.stdout[:9], ended.stderr[:23]) == heard
    assert ended.stdout.count("\n") + ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("photo", "shown"), [("./gone.jpg", "gone.jpg"), ("two\nlines.jpg", r"two\nlines.jpg"), ("a//b.jpg", "a/b.jpg")]
)
def test_an_error_names_its_photo_once(photo, shown, capsys):
    """However it was named."""
    main(["image", photo, *EMBEDDED])

    assert capsys.readouterr().err.startswith(f"rekog-emotion: {shown}: there is no such file; ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "rekog-emotion: the following arguments are required: COMMAND; see rekog-emotion --help\n"),
        (
            ["image"],
            "rekog-emotion image: the following arguments are required: PHOTO; see rekog-emotion image --help\n",
        ),
        (
            ["image", ASTRONAUT, "--attributes", "EMOTIONS,NOSE"],
            (
                "rekog-emotion image: argument --attributes: 'NOSE' is none of ALL, DEFAULT, AGE_RANGE, BEARD, "
                "EMOTIONS, EYEGLASSES, EYES_OPEN, EYE_DIRECTION, FACE_OCCLUDED, GENDER, MOUTH_OPEN, MUSTACHE, SMILE, "
                "SUNGLASSES; see rekog-emotion image --help\n"
            ),
        ),
        *(
            (
                ["video", "clip.mp4", "--timeout", wrong],
                (
                    f"rekog-emotion video: argument --timeout: {wrong!r} is no time: name seconds from 0 on, or inf to "
                    "wait for ever; see rekog-emotion video --help\n"
                ),
            )
            for wrong in ("soon", "-1", "nan")
        ),
    ],
)
def test_wrong_arguments_take_one_line(arguments, expected, capsys):
    """A usage error says what is wrong and where the help is."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert (2, "", expected) == (ended.value.code, *capsys.readouterr())


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(option, capsys):
    """The version is that of the package."""
    with pytest.raises(SystemExit) as ended:
        main([option])

    assert (0, f"rekog-emotion {rekog.__version__}\n") == (ended.value.code, capsys.readouterr().out)


def test_help_loads_nothing_heavy():
    """The help is there at once: no library is loaded for it that the analysis needs."""
    script = (
        "import sys; from rekog_emotion.commands.cli import main\n"
        "try: main(['image', '--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run(  # noqa: S603 -- our own script
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=600
    )

    assert set() == HEAVY & set(ended.stderr.split())


@pytest.mark.parametrize("name", ["사진 é.jpg", "[bold]a.jpg", "two\nlines\x1b[31m.jpg", "-leading.jpg"])
def test_odd_file_names(name, terminal, monkeypatch, tmp_path):
    """Names are shown on one line and obeyed by no terminal; programs get them as they are."""
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(Path(ASTRONAUT).read_bytes())

    shown = main(["image", *EMBEDDED, "--", name]), terminal.readouterr().out.splitlines()[0]
    main(["image", *EMBEDDED, "--json", "--", name])

    one_line = name.replace("\n", " ").replace("\x1b", "\\x1b")
    assert (0, f"{one_line}: 1 face, 512 x 512 pixels, engine: embedded") == shown
    assert name == json.loads(terminal.readouterr().out)["source"]


def test_terminal_without_unicode(tmp_path):
    """A sign that the encoding of the output lacks is an escape, and no error."""
    path = tmp_path / "사진.jpg"
    path.write_bytes(b"no photo")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}

    ended = command("image", os.fspath(path), *EMBEDDED, env=environment)

    assert (ended.returncode, ended.stdout) == (2, b"")
    assert rb"\uc0ac\uc9c4.jpg: the content is text, not an image" in ended.stderr


def test_overlay_is_the_drawing(terminal, tmp_path):
    """The overlay is what the analysis draws, and the terminal says where it is."""
    path = tmp_path / "overlay.png"

    code = main(["image", ASTRONAUT, *EMBEDDED, "--draw", os.fspath(path)])

    expected = rekog.detect_image(ASTRONAUT, client="embedded").draw(ASTRONAUT)
    with Image.open(path) as drawn:
        assert (0, expected.tobytes()) == (code, drawn.tobytes())
    assert f"overlay: {path}" == terminal.readouterr().out.splitlines()[-1]


def test_a_program_is_told_beside_the_answers(capsys, tmp_path):
    """Where a program reads the answers, the place of the overlay goes to standard error."""
    path = tmp_path / "overlay.png"

    main(["image", ASTRONAUT, *EMBEDDED, "--draw", os.fspath(path)])

    out, err = capsys.readouterr()
    assert (len(out.splitlines()), err) == (1, f"overlay: {path}\n")


def test_overlays_go_into_a_directory(capsys, monkeypatch, tmp_path, blank):
    """A directory is made, and photos of one name do not overwrite each other."""
    (tmp_path / "sub").mkdir()
    other = tmp_path / "sub" / "Blank.png"
    other.write_bytes(Path(blank).read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(blank).read_bytes())))

    code = main(["image", blank, os.fspath(other), "-", *EMBEDDED, "--draw", os.fspath(tmp_path / "new" / "overlays")])

    assert (code, len(capsys.readouterr().out.splitlines())) == (0, 3)
    assert sorted(path.name for path in (tmp_path / "new" / "overlays").iterdir()) == [
        "Blank-2.png",
        "blank.png",
        "stdin.png",
    ]


@pytest.mark.parametrize(
    ("out", "made"), [("out", "out/blank.png"), ("a/b/", "a/b/blank.png"), ("a/b/c.png", "a/b/c.png")]
)
def test_the_folder_of_an_overlay_is_made(out, made, capsys, monkeypatch, tmp_path, blank):
    """Of one photo, too; a name without a suffix is one of a folder."""
    monkeypatch.chdir(tmp_path)

    code = main(["image", blank, *EMBEDDED, "--draw", out])

    assert (code, capsys.readouterr().err, Path(made).is_file()) == (0, f"overlay: {made}\n", True)


@pytest.mark.parametrize(
    ("photos", "out", "expected"),
    [
        (["a.png"], "out.txt", "--draw out.txt: Pillow writes no picture of this suffix; name it out.png"),
        (
            ["a.png", "b.png"],
            "out.png",
            "--draw out.png is one file, and there are 2 photos; name a directory: --draw out/",
        ),
        (["a.png"], "a.png", "--draw a.png would write over the photo a.png; name another place"),
        (["b.png", "a.png"], ".", "--draw . would write over the photo b.png; name another place"),
        (["a.png"], "b.png/", "--draw b.png/: the directory b.png cannot be made: File exists"),
        (["a.png"], "b.png/c.png", "--draw b.png/c.png: the directory b.png cannot be made: File exists"),
        (
            ["a.png", "faces.jsonl"],
            "out",
            "--draw out: faces.jsonl has results; rekog-emotion annotate PHOTO OUT --results faces.jsonl draws them",
        ),
    ],
)
def test_useless_overlay_is_refused_before_any_call(photos, out, expected, capsys, monkeypatch, tmp_path, standin):
    """Where the overlay cannot go is known before the photo is paid for."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        Image.new("RGB", (100, 90), "white").save(name)

    code = main(["image", *photos, "--draw", out])

    assert (2, "", f"rekog-emotion: {expected}\n") == (code, *capsys.readouterr())
    assert standin.operations() == []


def test_overlay_needs_pillow(capsys, monkeypatch):
    """Without Pillow the command says what to install."""
    for name in ("rekog_emotion.results.drawing", "rekog_emotion.media.images"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "PIL", None)

    code = main(["image", ASTRONAUT, "--draw", "out.png"])

    expected = "rekog-emotion: Drawing needs the 'image' extra: pip install 'rekog-emotion[image]'\n"
    assert (2, "", expected) == (code, *capsys.readouterr())


def test_photo_in_s3_cannot_be_drawn_on(capsys, tmp_path, standin):
    """The result is printed, and the line on standard error says how to get an overlay."""
    standin.script("DetectFaces", Answer({"FaceDetails": []}))

    code = main(["image", "s3://bucket/photo.jpg", "--draw", os.fspath(tmp_path / "out.png")])

    out, err = capsys.readouterr()
    assert (code, json.loads(out)["answer"]["FaceDetails"]) == (2, [])
    reason = "cannot be drawn on, as it is in S3; download it and analyse the file"
    assert err == f"rekog-emotion: s3://bucket/photo.jpg: {reason}\n"


def test_overlay_that_cannot_be_written(capsys, tmp_path, blank):
    """The result is printed, the line on standard error says why there is no overlay, and the old one is whole."""
    overlay = tmp_path / "overlay.bmp"
    overlay.write_text("old")

    with full_disk(1000):
        code = main(["image", blank, *EMBEDDED, "--draw", os.fspath(overlay)])

    out, err = capsys.readouterr()
    expected = f"rekog-emotion: {blank}: the overlay {overlay} cannot be written: File too large\n"
    assert (2, blank, expected) == (code, json.loads(out)["source"], err)
    assert (overlay.read_text(), sorted(path.name for path in tmp_path.iterdir())) == (
        "old",
        ["blank.png", "overlay.bmp"],
    )


def test_overlay_at_a_directory(capsys, tmp_path, blank):
    """A place that is none is refused before any photo is analysed."""
    (tmp_path / "out" / "blank.png").mkdir(parents=True)

    code = main(["image", blank, *EMBEDDED, "--draw", os.fspath(tmp_path / "out")])

    expected = f"rekog-emotion: --draw {tmp_path / 'out' / 'blank.png'} is a directory; name a file in it\n"
    assert (code, *capsys.readouterr()) == (2, "", expected)


def test_module_is_the_command():
    """``python -m rekog_emotion`` is the same command, and its exit code that of the process."""
    done = command("image", "nowhere.jpg", *EMBEDDED)

    expected = (
        "rekog-emotion: nowhere.jpg: there is no such file; check the path, which starts at the current directory\n"
    )
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", expected)


def test_output_may_be_any_stream(blank):
    """Standard output may be replaced by a stream that is no file, as notebooks do."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = main(["image", blank, *EMBEDDED])

    assert (code, json.loads(out.getvalue())["source"]) == (0, blank)


def test_a_name_that_is_a_credential_too(monkeypatch, capsys):
    """What was given is shown as it was given, whatever an emulator takes for keys."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")

    assert main(["image", "test.jpg", *EMBEDDED]) == 2

    assert capsys.readouterr().err.startswith("rekog-emotion: test.jpg: there is no such file; ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("image a.jpg --client embedded b.jpg", {"photos": ["a.jpg", "b.jpg"], "client": "embedded"}),
        ("image a.jpg --json b.jpg --workers 2 -", {"photos": ["a.jpg", "b.jpg", "-"], "workers": 2, "json": True}),
        ("image -- -a.jpg --json", {"photos": ["-a.jpg", "--json"], "json": False}),
        ("image a.jpg --json -- -b.jpg", {"photos": ["a.jpg", "-b.jpg"], "json": True}),
        ("video a.mp4 --client embedded b.mp4", {"clips": ["a.mp4", "b.mp4"], "client": "embedded"}),
        ("video --resume job", {"clips": [], "resume": "job"}),
        ("annotate a.jpg --no-pose b.png", {"media": "a.jpg", "out": "b.png", "no_pose": True}),
        ("blur a.jpg --method fill b.png", {"media": "a.jpg", "out": "b.png", "method": "fill"}),
        ("export a.jpg --format csv b.jpg --people c.jpg", {"sources": ["a.jpg", "b.jpg", "c.jpg"], "people": True}),
        ("report a.mp4 -o out.html", {"out": "out.html"}),
    ],
)
def test_options_stand_anywhere(arguments, expected):
    """Before, behind and between what they are about; what follows -- is none."""
    args, left = build_parser().parse_known_args(arguments.split())

    assert ({name: getattr(args, name) for name in expected}, left) == (expected, [])
    assert args.run.__module__ == f"rekog_emotion.commands.{arguments.split()[0]}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("image", "rekog-emotion image: the following arguments are required: PHOTO"),
        ("image a.jpg --odd b.jpg", "rekog-emotion image: unrecognized arguments: --odd b.jpg"),
        ("annotate a.jpg --no-pose b.png c.png", "rekog-emotion annotate: unrecognized arguments: c.png"),
        ("serve --port 1 8000", "rekog-emotion serve: unrecognized arguments: 8000"),
    ],
)
def test_too_few_or_too_many(capsys, arguments, message):
    """One line says which, and of which command the help is."""
    with pytest.raises(SystemExit) as caught:
        main(arguments.split())

    help_of = message.partition(":")[0]
    assert (caught.value.code, capsys.readouterr().err) == (2, f"{message}; see {help_of} --help\n")
