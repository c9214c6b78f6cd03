import io
import json
from pathlib import Path

import pytest
from attrs import evolve

import rekog_emotion as rekog
from rekog_emotion import Emotion, Face, ImageAnalysis, TimedFace, VideoAnalysis
from rekog_emotion.results.lossless import from_json, read_json_lines, to_json, write_json_lines

PORTRAIT = Path(__file__).parents[1] / "data" / "astronaut.jpg"
PHOTO = ImageAnalysis(faces=(Face(confidence=99.0),), size=(640, 480), engine="aws", source="me.jpg")
CLIP = VideoAnalysis(
    faces=(TimedFace(timestamp_ms=0, face=Face()), TimedFace(timestamp_ms=500, face=Face(confidence=1.0))),
    status="SUCCEEDED",
    engine="embedded",
    source="clip.mp4",
)


def known(analysis):
    """Return an analysis with what takes no part in equality."""
    return analysis, analysis.engine, analysis.source, analysis.response_metadata


@pytest.mark.parametrize("analysis", [PHOTO, CLIP, ImageAnalysis(), VideoAnalysis(status="IN_PROGRESS")])
@pytest.mark.parametrize("indent", [None, 2])
def test_there_and_back(analysis, indent):
    """Engine, source and size come back as well."""
    assert known(type(analysis).from_json(analysis.to_json(indent=indent))) == known(analysis)


def test_document_says_what_it_is():
    """The form is versioned, and has the service's own answer."""
    assert json.loads(to_json(PHOTO)) == {
        "format": "rekog-emotion",
        "version": 1,
        "kind": "image",
        "source": "me.jpg",
        "engine": "aws",
        "size": [640, 480],
        "answer": {"FaceDetails": [{"Confidence": 99.0}]},
    }


def test_answers_of_the_service_are_read():
    """An answer that was saved as the service words it needs no wrapping, and the pages of one no merging."""
    answer = CLIP.to_aws()
    pages = [{**answer, "Faces": [face]} for face in answer["Faces"]]

    assert from_json('{"FaceDetails": [{"Confidence": 99.0}]}').faces == PHOTO.faces
    assert from_json(json.dumps(answer)) == from_json(json.dumps(pages)) == CLIP


def test_lines_there_and_back():
    """JSON Lines hold analyses of both kinds, one a line; empty lines are passed over."""
    file = io.StringIO()

    assert write_json_lines(file, [PHOTO, CLIP, PHOTO]) == 3

    text = file.getvalue()
    assert text.count("\n") == 3
    assert [known(one) for one in read_json_lines(text.replace("\n", "\n\n").splitlines())] == [
        known(one) for one in (PHOTO, CLIP, PHOTO)
    ]


def test_lines_are_read_one_by_one():
    """A reader gets an analysis as soon as its line is there."""
    lines = iter([to_json(PHOTO), to_json(PHOTO), "broken"])
    read = read_json_lines(lines)

    assert (next(read), next(read)) == (PHOTO, PHOTO)
    with pytest.raises(rekog.InvalidInputError, match=r"^line 3 is no JSON: "):
        next(read)


def test_lines_of_the_commands_are_read():
    """What `image` and `video` print is read; the faces of one video are one analysis."""
    lines = [
        json.dumps({"source": "me.jpg", "size": [640, 480], "engine": "aws", "FaceDetails": [{"Confidence": 99.0}]}),
        *(json.dumps({"source": "clip.mp4", "engine": "embedded", **face.to_aws()}) for face in CLIP.faces),
        json.dumps({"source": "other.mp4", "engine": "embedded", **CLIP.faces[0].to_aws()}),
    ]

    photo, clip, other = read_json_lines(lines)

    assert known(photo) == known(PHOTO)
    assert known(clip) == known(CLIP)
    assert (other.source, other.faces) == ("other.mp4", CLIP.faces[:1])


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a.jpg", "a.jpg"),
        (Path("b.jpg"), "b.jpg"),
        (rekog.S3Object(bucket="bucket", name="c.jpg"), "s3://bucket/c.jpg"),
        (None, "<NoneType>"),
    ],
)
def test_outcomes_are_lines(source, name):
    """Those that are errors, too: what failed is not lost, and readers pass it over."""
    failed = rekog.VideoOutcome(source=source, error=rekog.InvalidInputError("no photo"))
    file, told = io.StringIO(), []

    assert write_json_lines(file, (one for one in (rekog.VideoOutcome(source="b", analysis=CLIP), failed, PHOTO))) == 3
    assert write_json_lines(io.StringIO(), PHOTO) == 1

    lines = file.getvalue().splitlines()
    assert [*read_json_lines(lines, on_error=told.append)] == [CLIP, PHOTO]
    assert [one.beside for one in told] == [{"source": name, "error": "InvalidInputError: no photo"}]


def test_a_single_face_is_read():
    """One face of a video, as a file of one line has it, is a video of one face."""
    face = CLIP.faces[0]

    read = from_json(json.dumps({"source": "clip.mp4", "engine": "embedded", **face.to_aws()}))

    assert (read.source, read.engine, read.status, read.faces) == ("clip.mp4", "embedded", "SUCCEEDED", (face,))


def test_errors_are_passed_over():
    """A line that says why there is no analysis is none, and whoever wants to know is told."""
    failed = {"format": "rekog-emotion", "version": 1, "kind": "error", "source": "a\x1b.jpg", "error": "no photo"}
    lines = [to_json(PHOTO), json.dumps(failed), to_json(CLIP)]
    told = []

    assert [*read_json_lines(lines)] == [*read_json_lines(lines, on_error=told.append)] == [PHOTO, CLIP]
    assert [one.beside for one in told] == [{"source": "a\x1b.jpg", "error": "no photo"}]
    for read in (from_json, ImageAnalysis.from_json):
        with pytest.raises(rekog.InvalidInputError) as caught:
            read(lines[1])
        message = r"no analysis: the document says why there is none of a\x1b.jpg: no photo"
        assert str(caught.value) == message


def failed(source, error):
    """Return the line of something that has no analysis."""
    return json.dumps({"format": "rekog-emotion", "version": 1, "kind": "error", "source": source, "error": error})


def test_the_newest_line_counts():
    """Of what failed and was done again nothing is told, however the path is written; what has no name stays apart."""
    photo = evolve(PHOTO, source="./a.jpg")
    lines = [
        failed("a.jpg", "1"),
        failed("b.jpg", "2"),
        failed("<bytes>", "3"),
        failed("<bytes>", "4"),
        to_json(photo),
        failed("./b.jpg", "5"),
        to_json(evolve(PHOTO, source="<bytes>")),
    ]
    told = []

    assert [*read_json_lines(lines, on_error=told.append)] == [PHOTO] * 2
    assert [one.beside["error"] for one in told] == ["5", "3", "4"]


def test_a_line_that_is_cut_off(caplog):
    """A run that was killed leaves a part of its last line, and a power cut zeros: what is whole is read."""
    whole, last = to_json(PHOTO) + "\n", to_json(CLIP)
    reason = "line 2 is cut off, as what wrote it did not end well: what it was about is not read"

    for cut in (last[:5], last[:-1], last[:40] + "\0" * 100):
        caplog.clear()
        told = []
        assert [*read_json_lines([whole, cut], on_error=told.append)] == [*read_json_lines([whole, cut])] == [PHOTO]
        assert [one.beside for one in told] == [{"source": None, "error": reason}]
        assert caplog.messages == [reason]
    assert [*read_json_lines([whole, "\0" * 100])] == [*read_json_lines([whole, whole + "\r\n", "\r\n"])][:1]
    with pytest.raises(rekog.InvalidInputError, match=r"^line 1 is no JSON: "):
        list(read_json_lines([last[:-1], whole]))


def test_the_mark_of_an_encoding():
    """Windows programs begin a text with it, as text or bytes."""
    text = "\ufeff" + to_json(PHOTO)

    assert from_json(text) == from_json(text.encode()) == PHOTO
    assert [*read_json_lines([text + "\r\n", to_json(CLIP) + "\r\n"])] == [PHOTO, CLIP]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            json.dumps(next(PHOTO.to_records())),
            "no analysis: this is a row of a table of faces, which holds a part of one; pass what the table is of",
        ),
        (
            '{"format": "rekog-emotion", "version": 2, "kind": "error"}',
            "the document is of version 2, and this library reads up to 1: update it",
        ),
        ("[]", "no analysis: a JSON object is needed, and this is list"),
        ("[{}]", "no analysis: a JSON object is needed, and this is list"),
        ("{}", "no analysis: pass what to_json() wrote, or an answer of DetectFaces or GetFaceDetection"),
        (
            '{"format": "rekog-emotion", "version": 2}',
            "the document is of version 2, and this library reads up to 1: update it",
        ),
        (
            '{"format": "rekog-emotion", "version": 1, "kind": "image"}',
            "no analysis: pass what to_json() wrote, or an answer of DetectFaces or GetFaceDetection",
        ),
        *(
            (
                f'{{"FaceDetails": [], "size": {size}}}',
                f"no analysis: size is {json.loads(size)!r}, and should be width and height in pixels",
            )
            for size in ("[1]", "[0, 0]", "[5, 0]", "[-1, -1]", "[true, 5]", "[0.5, 0.5]", "{}")
        ),
    ],
)
def test_no_analysis(text, message):
    """What is none is refused with what it is, and with its line where there are lines."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        from_json(text)
    assert str(caught.value) == message

    with pytest.raises(rekog.InvalidInputError) as caught:
        list(read_json_lines([text]))
    assert str(caught.value) == f"line 1: {message}"


def test_no_json():
    """Text that is no JSON is told so."""
    for text in ("faces", b"\xff", "[" * 100_000):
        with pytest.raises(rekog.InvalidInputError, match=r"^no analysis: this is no JSON \("):
            from_json(text)
    with pytest.raises(rekog.InvalidInputError, match=r"^line 2 is no JSON: "):
        list(read_json_lines(["", "[" * 100_000]))
    with pytest.raises(rekog.InvalidInputError) as caught:
        from_json(None)
    assert str(caught.value) == "no analysis: pass JSON as text or bytes, and this is NoneType"


def test_wrong_member_in_a_line():
    """A broken answer is told with its line and its path."""
    with pytest.raises(rekog.ResponseError) as caught:
        list(read_json_lines(['{"FaceDetails": [{"Confidence": "high"}]}']))
    assert caught.value.path == "FaceDetails[0].Confidence"
    assert str(caught.value) == "line 1: FaceDetails[0].Confidence: expected a number, got str"


def test_other_kind():
    """Each class reads its own kind."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        VideoAnalysis.from_json(to_json(PHOTO))
    assert str(caught.value) == "the JSON holds ImageAnalysis, not VideoAnalysis: read it with that class"


def test_not_finite():
    """A number that JSON cannot hold is refused, not written as something that others cannot read."""
    broken = ImageAnalysis(faces=(Face(emotions=(Emotion(type="SAD", confidence=float("nan")),)),), source="me.jpg")

    with pytest.raises(rekog.InvalidInputError) as caught:
        broken.to_json()
    assert str(caught.value) == "me.jpg cannot be written as JSON: it has a number that is not finite"


def test_too_long():
    """Python writes integers of 4300 digits at most, and would raise an error of its own."""
    broken = VideoAnalysis(faces=(TimedFace(timestamp_ms=10**4300),))

    with pytest.raises(rekog.InvalidInputError) as caught:
        broken.to_json()
    assert str(caught.value) == "the analysis cannot be written as JSON: it has a number that is too long"


@pytest.mark.parametrize("lines", ["done.jsonl", Path("done.jsonl"), b"{}"])
def test_a_path_is_no_lines(lines):
    """At the call: its letters would be read as lines."""
    with pytest.raises(rekog.InvalidInputError) as caught:
        read_json_lines(lines)

    assert str(caught.value) == (
        f"lines= got {type(lines).__name__}: pass the open file, as of open(path, encoding='utf-8'), or the lines of a "
        "text"
    )
