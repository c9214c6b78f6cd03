"""What notebooks show; attacks come in by file names and by words that the service might send."""

import base64
import io
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

import rekog_emotion as rekog
from rekog_emotion import (
    AgeRange,
    Attribute,
    BoundingBox,
    Emotion,
    Face,
    Gender,
    ImageAnalysis,
    TimedFace,
    VideoAnalysis,
    VideoMetadata,
)
from rekog_emotion.results.notebook import video_strip

PORTRAIT = Path(__file__).parents[1] / "data" / "astronaut.jpg"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CAUTION = "Emotions are how a face looks, not what a person feels."

# Each would set the title, were it to run.
ATTACKS = (
    "<script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    '"><svg onload="document.title=\'pwned\'">',
    "' onmouseover='document.title=1' x='",
    "</div></table></span><iframe srcdoc=\"<script>parent.document.title='pwned'</script>\">",
    "red;background:url(javascript:document.title='pwned')",
    "&lt;script&gt;&#60;b&#62;",
    "<!--",
)
TAGS = {"div", "b", "span", "table", "tr", "td", "th", "img"}
ATTRIBUTES = {"style", "title", "alt", "src", "width", "height"}


class Page(HTMLParser):
    """What a browser would make of a piece of HTML, as far as it matters here."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.open, self.text = set(), [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note a tag."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Check that what ends is what began last."""
        assert self.open.pop() == tag

    def handle_comment(self, data):
        """Note a comment, which we never write."""
        self.tags.add(f"<!--{data}")

    def handle_data(self, data):
        """Note a text."""
        self.text.append(data)


def attacked(attack):
    """Give values in which every text is the attack."""
    face = Face(
        emotions=(Emotion(type=attack, confidence=90.0), Emotion(type="SAD", confidence=1.0)),
        gender=Gender(value=attack, confidence=80.0),
    )
    clip = VideoAnalysis(faces=(TimedFace(timestamp_ms=0, face=face),), status=attack, source=attack, engine=attack)
    photo = ImageAnalysis(faces=(face,), source=attack, engine=attack)
    return face.emotions[0], face, photo, clip, VideoAnalysis(job_id=attack)


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_text(attack):
    """Markup in names and words comes out as the text that it is; nothing but our own tags is there."""
    for value in attacked(attack):
        page = Page(value._repr_html_())

        assert page.tags <= TAGS
        assert {name for name, _ in page.attributes} <= ATTRIBUTES
        assert attack[:20] in "".join(page.text)
        assert not any(attack in (content or "") for name, content in page.attributes if name != "title")
        assert page.open == []


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_attack_is_inert_in_a_browser(tmp_path):
    """A browser runs nothing of it: the title stays, and no element is there that we did not write."""
    body = "".join(value._repr_html_() for attack in ATTACKS for value in attacked(attack))
    probe = (
        "<script>window.onload=()=>setTimeout(()=>{const bad=[...document.querySelectorAll('body *')].filter(e=>"
        "!['DIV','B','SPAN','TABLE','TBODY','TR','TD','TH','SCRIPT'].includes(e.tagName)||"
        "[...e.attributes].some(a=>a.name.startsWith('on')));"
        "document.body.innerHTML='RESULT '+document.title+' '+bad.length},100)</script>"
    )
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><title>safe</title><body>{body}{probe}", encoding="utf-8")

    shown = browser(page, tmp_path)
    assert "RESULT safe 0" in shown

    # The probe itself can fail: the same attack without escaping is seen.
    page.write_text(
        f"<!doctype html><meta charset=utf-8><title>safe</title><body>{ATTACKS[1]}{probe}", encoding="utf-8"
    )
    assert "RESULT pwned 1" in browser(page, tmp_path)


def browser(page, folder):
    """Return what a page is after its scripts ran."""
    done = subprocess.run(  # noqa: S603 -- a browser of this machine
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--virtual-time-budget=2000",
            f"--user-data-dir={folder / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_photo_is_shown_with_its_faces():
    """The picture is part of the page, small, with the overlay; the table says the same."""
    html = rekog.detect_image(PORTRAIT, client="embedded")._repr_html_()

    page = Page(html)
    source = dict(page.attributes)["src"]
    with Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/jpeg;base64,")))) as picture:
        assert picture.size == (512, 512)
        assert any(r > 200 and 150 < g < 230 and b < 60 for _, (r, g, b) in picture.getcolors(1 << 20))
    text = " ".join(page.text)
    assert {"HAPPY", "Female", "smile", "512 x 512 pixels", CAUTION} <= {
        word for word in ("HAPPY", "Female", "smile", "512 x 512 pixels", CAUTION) if word in text
    }
    assert len(html) < 200_000


@pytest.mark.parametrize("source", [None, "<bytes>", "s3://bucket/photo.jpg", "no-such-photo.jpg"])
def test_without_the_picture_there_is_the_table(source):
    """Where the picture is not at hand, the faces are a table alone, and nothing fails."""
    page = Page(ImageAnalysis(faces=(Face(age_range=AgeRange(low=20, high=30)),), source=source)._repr_html_())

    assert "img" not in page.tags
    assert "20-30" in page.text


def test_without_pillow_there_is_the_table(monkeypatch):
    """Notebooks without the image extra show the table."""
    photo = rekog.detect_image(PORTRAIT, client="embedded")
    assert "img" in Page(photo._repr_html_()).tags
    for name in [name for name in sys.modules if name.startswith("rekog_emotion.results.")]:
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr(name, raising=False)  # or what is imported anew would stay there
    monkeypatch.setitem(sys.modules, "PIL", None)

    assert "img" not in Page(photo._repr_html_()).tags


def test_long_tables_are_cut():
    """A group of a hundred has twelve rows and the number of the others."""
    page = Page(ImageAnalysis(faces=(Face(),) * 100)._repr_html_())

    assert "and 88 more" in page.text


def test_face_has_bars():
    """A face shows its emotions as bars, the surest first, and its features."""
    emotions = (Emotion(type="SAD", confidence=10.0), Emotion(type="CALM", confidence=300.0), Emotion(type="FEAR"))
    page = Page(Face(emotions=emotions, eyes_open=Attribute(value=False), beard=Attribute(value=True))._repr_html_())

    text = " ".join(page.text)
    assert text.index("CALM") < text.index("SAD") < text.index("FEAR")
    assert "beard, eyes closed" in text
    widths = [
        content.split("width:")[1].split("%")[0] for name, content in page.attributes if "display:block" in content
    ]
    assert widths == ["100.0", "10.0", "0.0"]
    assert "no emotions" in Page(Face()._repr_html_()).text


def test_people_of_a_video():
    """Where faces have places, each person has a strip."""
    faces = [
        TimedFace(
            timestamp_ms=at,
            face=Face(
                bounding_box=BoundingBox(left=left, top=0.3, width=0.2, height=0.3),
                emotions=(Emotion(type=kind, confidence=90.0),),
            ),
        )
        for at in range(0, 4000, 500)
        for left, kind in ((0.1, "HAPPY"), (0.7, "<b>SAD"))
    ]

    text = " ".join(Page(VideoAnalysis(faces=tuple(faces))._repr_html_()).text)

    assert "person 1" in text
    assert "person 2" in text
    assert "<b>SAD" in text  # as text


def test_video():
    """A video shows what is known of it, a strip over time, and its first faces."""
    faces = [
        TimedFace(timestamp_ms=at, face=Face(emotions=(Emotion(type=kind, confidence=90.0),)))
        for at, kind in ((0, "HAPPY"), (1500, "SAD"))
    ]
    metadata = VideoMetadata(duration_millis=2000, frame_width=640, frame_height=480)
    clip = VideoAnalysis(faces=(*faces, TimedFace(timestamp_ms=10)), metadata=metadata, job_id="job", engine="aws")
    page = Page(clip._repr_html_())

    text = " ".join(page.text)
    assert "3 faces, 2.0 s, 640 x 480 pixels, engine aws" in text
    assert "and 1 more" in text
    assert [content for name, content in page.attributes if name == "title"] == [
        "0.0 s HAPPY",
        "0.5 s ",
        "1.0 s ",
        "1.5 s SAD",
    ]
    assert video_strip(VideoAnalysis()) == ""
    assert "status FAILED" in " ".join(Page(VideoAnalysis(status="FAILED")._repr_html_()).text)


def test_what_is_not_known_has_no_column():
    """Where emotions alone were asked for, a table of faces says nothing of gender and age."""
    looks = Face(emotions=(Emotion(type="SAD", confidence=90.0),))
    photo = ImageAnalysis(faces=(looks, Face(confidence=9.0)))

    assert heads(photo) == heads(photo.faces) == ["#", "emotion"]
    assert heads(ImageAnalysis(faces=(looks, Face(beard=Attribute(value=True))))) == ["#", "emotion", "also"]


def heads(value):
    """Return the headings of what is shown of a value."""
    return re.findall(r"<th[^>]*>([^<]*)</th>", value._repr_html_())
