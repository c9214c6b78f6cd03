import html.parser
import json
import re
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion.commands.cli import main
from rekog_emotion.results.report import report, strip
from rekog_emotion.values.palette import color_of, words
from tests.results.people import at, face, looks, video

PEOPLE = Path(__file__).parents[1] / "data" / "people.mp4"
HAPPY, SAD = {"HAPPY": 90.0}, {"SAD": 90.0}
EVIL = '"><script>alert(1)</script>&'


class Page(html.parser.HTMLParser):
    """What a page has: elements, ids, links, text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.ids, self.links, self.loaded, self.texts = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            elif name == "href":
                self.links.append(value)
            elif name in {"src", "action", "data"}:
                self.loaded.append(value)
            assert not name.startswith("on")

    def handle_data(self, data):
        """Note a text."""
        self.texts.append(data)


@pytest.fixture(scope="module")
def clip():
    """Give the analysis of a clip with three people."""
    return rekog.analyze_video(PEOPLE, client="embedded")


def test_page_stands_alone(clip):
    """There is no script, no address, nothing to load but the faces in it; the policy forbids all else."""
    text = report(clip, title="people.mp4", video=PEOPLE)
    page = Page(text)

    assert "script" not in page.elements
    assert "link" not in page.elements
    assert "http" not in text.replace("http-equiv", "")
    assert "default-src 'none'" in text
    assert len(page.loaded) == 3
    assert all(one.startswith("data:image/jpeg;base64,") for one in page.loaded)


def test_each_segment_leads_to_its_line(clip):
    """Links lead to ids of the page, each of which is there once."""
    page = Page(report(clip, title="people.mp4"))

    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert sum(one.startswith("s") for one in page.ids) == len(clip.timeline().segments()) == 3
    assert page.loaded == []


def test_page_says_what_it_is_not(clip):
    """The caution is on the page, and in the strip for notebooks; both say what their greys are."""
    page = report(clip, title="x")
    assert "How faces look, not what people feel." in page
    assert "How faces look, not what people feel." in strip(clip.timeline())
    assert "&#9632;</span> on screen, none leads" in strip(clip.timeline())
    assert {"on screen, none leads", "no emotion, or nobody on screen"} <= set(re.findall(r"</span>([^<]+)</li>", page))


def test_whatever_comes_from_outside_is_escaped():
    """Titles, engines and words of emotions are text."""
    analysis = rekog.VideoAnalysis(faces=tuple(looks({EVIL: 90.0}, {EVIL: 90.0}, {EVIL: 90.0})), engine=EVIL)

    for text in (report(analysis, title=EVIL), strip(analysis.timeline())):
        assert "script" not in Page(text).elements
        assert any(EVIL in one for one in Page(text).texts)


def test_a_name_that_is_no_text_is_written():
    """A file name of other bytes than UTF-8 has escapes on the page."""
    page = report(video(seconds=3), title="caf\udce9.mp4")

    assert r"caf\udce9.mp4" in page.encode().decode()


@pytest.mark.parametrize(
    ("analysis", "said"),
    [
        (video(seconds=3), "Nobody is seen."),
        (video(at(0, face()), at(0.5, face())), "not asked for"),
        (video(at(0, face(emotions=HAPPY))), "No emotion leads for long enough."),
        (video(*[at(0, face(0.02 * k, emotions=HAPPY)) for k in range(40)]), "Of 40 people the 30 longest on screen"),
        (video(*looks({"HAPPY": 99.0, "FEAR": 5.9}, {"HAPPY": 99.0, "FEAR": 5.9})), "FEAR 5.9: that floor"),
    ],
)
def test_odd_videos(analysis, said):
    """Nobody, no emotions, a single face, very many people and floors have a page that says so."""
    assert said in report(analysis, title="odd")


def test_long_videos_have_small_pages():
    """Forty minutes of somebody whose looks change all the time fit on a page."""
    analysis = video(*looks(*[HAPPY, HAPPY, HAPPY, SAD, SAD, SAD] * 800))

    assert len(report(analysis, title="long")) < 400_000


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0:00"),
        (4.5, "0:04.5"),
        (59.94, "0:59.9"),
        (59.97, "1:00"),
        (61.5, "1:02"),
        (3600, "1:00:00"),
        (21599.6, "6:00:00"),
    ],
)
def test_times_read_well(seconds, expected):
    """Tenths below a minute, hours where there are any."""
    assert words(seconds) == expected


def test_every_emotion_has_a_colour_of_its_own():
    """Known emotions differ, a word that is not known has a colour, too."""
    known = [color_of(kind) for kind in rekog.EmotionType if kind != "UNKNOWN"]

    assert len(set(known)) == len(known) == 8
    assert re.fullmatch("#[0-9a-f]{6}", color_of(EVIL))


def test_command_writes_a_page(tmp_path, capsys):
    """The command analyses a clip and writes the page with its faces."""
    out = tmp_path / "report.html"

    code = main(["report", str(PEOPLE), "-o", str(out), "--client", "embedded"])

    assert (code, *capsys.readouterr()) == (0, f"report: {out}\n", "")
    assert out.read_text().count("data:image/jpeg") == 3


@pytest.mark.parametrize("pages", [1, 2])
def test_command_reads_a_kept_answer(tmp_path, clip, pages):
    """An answer as the service gave it, or a list of its pages, needs neither a call nor the clip."""
    kept, out = tmp_path / "answer.json", tmp_path / "report.html"
    answer = clip.to_aws()
    kept.write_text(json.dumps(answer if pages == 1 else [answer | {"Faces": answer["Faces"][k::2]} for k in (0, 1)]))

    assert main(["report", str(kept), "-o", str(out)]) == 0
    assert "3 people, 9 faces" in out.read_text()
    assert "data:image" not in out.read_text()


@pytest.mark.parametrize(("options", "pictures"), [([], 3), (["--no-faces"], 0)])
def test_command_reads_what_video_printed(tmp_path, clip, options, pictures):
    """With the clip and what `video` printed of it, and of others, the page is made without a call."""
    kept, out = tmp_path / "clips.jsonl", tmp_path / "report.html"
    lines = [{"source": str(PEOPLE), "engine": "embedded", **face.to_aws()} for face in clip.faces]
    kept.write_text("\n".join(json.dumps(line) for line in [*lines, {**lines[0], "source": "other.mp4"}]))

    assert main(["report", str(PEOPLE), "-o", str(out), "--results", str(kept), *options]) == 0
    assert "3 people, 9 faces" in out.read_text()
    assert out.read_text().count("data:image/jpeg") == pictures


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip.mp4", "-o", "no/r.html"], "no/r.html: there is no directory no; make it first"),
        (["a.json", "-o", "r.html"], "a.json cannot be read: No such file or directory"),
        (
            ["bad.json", "-o", "r.html"],
            "bad.json: no analysis: this is no JSON (Expecting value: line 1 column 1 (char 0))",
        ),
        (["bad.json", "-o", "bad.json"], "bad.json would write over bad.json; name another place"),
        (["a.mp4", "-o", "b.jsonl", "--results", "b.jsonl"], "b.jsonl would write over b.jsonl; name another place"),
        (
            ["a.json", "-o", "r.html", "--results", "b.jsonl"],
            "a.json and --results b.jsonl are results both; name the video, or one of them alone",
        ),
        (["bad.json", "-o", "."], ". is a directory; name a file in it"),
        (
            ["failed.json", "-o", "r.html"],
            (
                "failed.json: this answer is of a job that is FAILED, which is not 'no faces'; keep one that has "
                "SUCCEEDED"
            ),
        ),
        (["two.jsonl", "-o", "r.html"], "two.jsonl has 2 analyses that may be meant, and one is needed"),
    ],
)
def test_command_says_what_cannot_be_used(arguments, message, tmp_path, monkeypatch, capsys):
    """Bad arguments are one line on standard error, before anything is analysed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text("nothing")
    (tmp_path / "failed.json").write_text('{"JobStatus": "FAILED", "StatusMessage": "Unsupported codec/format."}')
    (tmp_path / "two.jsonl").write_text('{"JobStatus": "SUCCEEDED", "Faces": []}\n' * 2)

    code = main(["report", *arguments])

    assert (code, *capsys.readouterr()) == (2, "", f"rekog-emotion: {message}\n")
