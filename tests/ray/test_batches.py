import inspect
import sys
from functools import partial

import pytest

import rekog_emotion as rekog
from rekog_emotion.clients import names
from rekog_emotion.errors import ConfigurationError, InvalidInputError, MissingExtraError
from rekog_emotion.results.tables import COLUMNS
from tests.conftest import configure_aws
from tests.ray.test_images import DATA, HEAD, pictures
from tests.ray.workers import Counting, face

pytest.importorskip("ray")
np = pytest.importorskip("numpy")
pa = pytest.importorskip("pyarrow")
pd = pytest.importorskip("pandas")
NAMES = [*(column.name for column in COLUMNS), "error"]


@pytest.fixture
def detect(tmp_path):
    """Give what makes the class with a client that counts."""
    return partial(rekog.ray.DetectImages, client=partial(Counting, str(tmp_path)))


def picture(number):
    """Return a picture of a number."""
    return HEAD + b"%08d" % number


def table(**columns):
    """Return columns as Ray gives them to a class that wants tables."""
    return pa.table(columns)


def arrays(**columns):
    """Return columns as Ray gives them by default."""
    return {name: np.array(cells, dtype=object) for name, cells in columns.items()}


def frame(**columns):
    """Return columns as Ray gives them to a class that wants frames."""
    return pd.DataFrame(columns)


@pytest.mark.parametrize("kind", [table, arrays, frame])
def test_bytes_with_their_paths(detect, kind):
    """A row a face, in the order of the photos, named by the column of paths; without faces there is none."""
    rows = detect()(kind(bytes=[picture(2), picture(10), picture(1)], path=["a", "b", "c"])).to_pylist()

    assert [(row["source"], row["face"], row["bounding_box_left"], row["error"]) for row in rows] == [
        ("a", 0, 0.002, None),
        ("a", 1, 0.002, None),
        ("c", 0, 0.001, None),
    ]


@pytest.mark.parametrize("kind", [table, arrays, frame])
def test_paths(detect, tmp_path, kind):
    """A path that leads nowhere is a row with its error, as is what is no photo; a folder is not gone through."""
    folder = pictures(tmp_path / "photos", 2, bad=[0])
    paths = [str(folder / "00000.jpg"), str(folder / "00001.jpg"), str(folder / "none.jpg"), str(folder)]

    folder_given = "this is a directory; pass the path of a file in it, or all of it to detect_images()"
    missing = "there is no such file; check the path, which starts at the current directory"

    rows = detect()(kind(path=paths)).to_pylist()

    assert [(row["source"], row["error"]) for row in rows] == [
        (
            paths[0],
            f"InvalidInputError: {paths[0]}: the content is text, not an image; check what was read or downloaded",
        ),
        (paths[1], None),
        (paths[2], f"InvalidInputError: {paths[2]}: {missing}"),
        (
            paths[3],
            f"InvalidInputError: {paths[3]}: {folder_given}",
        ),
    ]


@pytest.mark.parametrize("same", [True, False])
def test_arrays_as_ray_reads_them(ray, same):
    """Of one size or of several, whether they come as a table or as arrays."""
    from PIL import Image

    portrait = Image.open(DATA / "astronaut.jpg")
    images = [np.asarray(portrait), np.asarray(portrait if same else portrait.resize((300, 300)))]
    photos = ray.data.block.BlockAccessor.batch_to_arrow_block({"image": images if not same else np.stack(images)})
    detect = rekog.ray.DetectImages(client="embedded", columns=["source", "picture_width", "dominant_emotion"])

    expected = [
        {"source": "<array>", "picture_width": width, "dominant_emotion": "HAPPY"}
        for width in (512, 512 if same else 300)
    ]
    assert detect(photos).to_pylist() == expected
    assert detect({"image": np.array([*images, None], dtype=object)[:-1]}).to_pylist() == expected


def test_a_row_for_photos_without_faces(detect):
    """If asked."""
    rows = detect(faceless=True)(table(bytes=[picture(10)])).to_pylist()

    known = {"source": "<bytes>", "engine": "Counting", "picture_width": 512, "picture_height": 512}
    assert rows == [{**dict.fromkeys(NAMES), **known}]


def test_nested_rows(detect):
    """One a photo, with all that its faces have."""
    rows = detect(nested=True)(table(bytes=[picture(2), b"no", picture(20)])).to_pylist()

    assert [(row["source"], row["picture_width"], row["error"]) for row in rows] == [
        ("<bytes>", 512, None),
        (
            "<bytes>",
            None,
            (
                "InvalidInputError: the file given as 2 bytes: the content is text, not an image; check what was "
                "read or downloaded"
            ),
        ),
        ("<bytes>", 512, None),
    ]
    box = {name.lower(): share for name, share in face(2)["BoundingBox"].items()}
    assert [one["bounding_box"] for one in rows[0]["faces"]] == [box, box]
    assert [row["faces"] for row in rows[1:]] == [None, []]


@pytest.mark.parametrize("kind", [table, arrays, frame])
def test_columns_of_the_dataset_come_along(detect, kind):
    """Those that are named, once for each face of a photo, in the order that is asked for."""
    batch = kind(bytes=[picture(2), picture(10), picture(1)], label=["x", "y", "z"], id=[7, 8, 9])

    found = detect(columns=["id", "face", "label"])(batch)

    assert found.to_pylist() == [
        {"id": 7, "face": 0, "label": "x"},
        {"id": 7, "face": 1, "label": "x"},
        {"id": 9, "face": 0, "label": "z"},
    ]


@pytest.mark.parametrize("options", [{}, {"nested": True}, {"landmarks": True}, {"columns": ["face", "error"]}])
def test_the_schema_does_not_depend_on_what_is_found(detect, options):
    """Faces, none, errors alone: the columns and their types are the same."""
    asked = detect(**options)

    [schema] = {asked(table(bytes=[data])).schema for data in (picture(1), picture(10), b"no picture")}

    assert schema.names[-1] == "error"


def test_a_number_that_fits_no_column_is_an_error_of_its_photo(tmp_path, monkeypatch):
    """The others of the batch are as they are."""
    huge = {"AgeRange": {"Low": 2**70, "High": 2**70}}
    monkeypatch.setattr("tests.ray.workers.face", lambda number: huge if number == 1 else face(2))
    asked = rekog.ray.DetectImages(client=Counting(tmp_path), columns=["face", "error"])

    rows = asked(table(bytes=[picture(1), picture(11)])).to_pylist()

    assert rows[1] == {"face": 0, "error": None}
    assert rows[0]["error"].startswith("InvalidInputError: a number does not fit into its column of 64 bits: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0}, "rate=0 is no rate: pass calls a second, your quota for instance, or leave it out"),
        (
            {"columns": "face"},
            "columns='face' is no list of names: pass for instance ['source', 'dominant_emotion', 'error']",
        ),
        ({"workers": 0}, "workers=0 is no number of workers: pass 1 or more, or leave it out"),
        ({"client": "moon"}, "client='moon' names no client: use 'aws', 'embedded' or an object with boto3's methods"),
    ],
)
def test_what_cannot_be_used_is_told(detect, options, message):
    """Before anything is done."""
    with pytest.raises(InvalidInputError) as caught:
        detect(**options)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no column of the dataset is known to have photos (it has 'photo', 'n'): name it by source_column="),
        ({"source_column": "x"}, "source_column='x': the dataset has no such column; it has 'photo', 'n'"),
    ],
)
def test_a_column_that_is_not_there(detect, options, message):
    """Which one has the photos is not guessed."""
    with pytest.raises(InvalidInputError) as caught:
        detect(**options)(table(photo=[picture(1)], n=[1]))

    assert str(caught.value) == message
    assert len(detect(source_column="photo")(table(photo=[picture(1)], n=[1]))) == 1


def test_a_carried_column_that_is_not_there(detect):
    """Neither ours nor the dataset's."""
    with pytest.raises(InvalidInputError) as caught:
        detect(columns=["face", "lable"])(table(bytes=[picture(1)], label=["x"]))

    assert str(caught.value) == (
        "columns= has 'lable', which is neither a column of faces nor of the dataset, which has 'bytes', 'label'"
    )


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (
            [7],
            {},
            (
                "source= got int: pass a path, a glob, s3://bucket/prefix/, a list of such, or a dataset of Ray, for "
                "instance ray.data.read_images(...)"
            ),
        ),
        (["none/*.jpg"], {}, "none/*.jpg: no file matches; check the pattern, which starts at the current directory"),
        (
            [str(DATA)],
            {"client": object()},
            (
                "client= got object, which has no detect_faces(): pass "
                'boto3.client("rekognition"), aws_client(), "aws" or "embedded"'
            ),
        ),
        (
            ["no-such-folder"],
            {},
            ("no-such-folder: there is no such file or folder; check the path, which starts at the current directory"),
        ),
        (
            [str(DATA)],
            {"attributes": "HAIR"},
            (
                "attributes= has 'HAIR', which the service does not know; it knows ALL, DEFAULT, AGE_RANGE, BEARD, "
                "EMOTIONS, EYEGLASSES, EYES_OPEN, EYE_DIRECTION, FACE_OCCLUDED, GENDER, MOUTH_OPEN, MUSTACHE, SMILE, "
                "SUNGLASSES"
            ),
        ),
        (
            [str(DATA)],
            {"timeout": -1},
            "timeout=-1 is no duration: pass 0 or more seconds, a timedelta, or None to wait for ever",
        ),
        (
            [str(DATA)],
            {"rate": "fast"},
            "rate='fast' is no rate: pass calls a second, your quota for instance, or leave it out",
        ),
        (
            [str(DATA)],
            {"columns": ["face", "label"]},
            "columns= has 'label', which is no column of faces; others come from a dataset that is the source=",
        ),
        (
            [str(DATA)],
            {"nested": True, "columns": ["smile"]},
            "columns= has 'smile', which is no column of faces; others come from a dataset that is the source=",
        ),
        (
            [str(DATA)],
            {"concurrency": 0},
            "concurrency=0 is no number of actors: pass 1 or more, or a pair such as (2, 16)",
        ),
        (
            [str(DATA)],
            {"num_cpus": -1},
            "num_cpus=-1 is no part of a CPU: pass for instance 0.5, or leave it out",
        ),
    ],
)
def test_the_verb_tells_before_ray_is_there(arguments, options, message, ray):
    """No process is started for what cannot be done."""
    with pytest.raises(InvalidInputError) as caught:
        rekog.ray.detect_images(*arguments, **options)

    assert str(caught.value) == message
    assert not ray.is_initialized()


@pytest.mark.parametrize("verb", ["detect_images", "analyze_videos"])
@pytest.mark.parametrize("missing", ["region", "credentials"])
def test_aws_that_is_not_configured(ray, monkeypatch, missing, verb):
    """It is told where the dataset is made, in the words of one process, and not in the traceback of an actor."""
    configure_aws(monkeypatch)
    monkeypatch.delenv({"region": "AWS_DEFAULT_REGION", "credentials": "AWS_ACCESS_KEY_ID"}[missing])
    if missing == "credentials":
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(ConfigurationError) as expected:
        rekog.detect_image(DATA / "astronaut.jpg", client="aws")
    with pytest.raises(ConfigurationError) as caught:
        getattr(rekog.ray, verb)([str(DATA)], client="aws")

    assert str(caught.value) == str(expected.value)
    assert missing in str(caught.value)
    assert not ray.is_initialized()


@pytest.mark.parametrize("verb", ["detect_images", "analyze_videos"])
def test_the_extra_of_a_client_is_missing(ray, monkeypatch, verb):
    """Likewise."""
    for name in [one for one in sys.modules if one.startswith("rekog_emotion.embedded")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    names._CACHE.clear()

    with pytest.raises(MissingExtraError) as caught:
        getattr(rekog.ray, verb)([str(DATA)], client="embedded")

    assert str(caught.value) == (
        "The embedded engine needs the 'embedded' extra: pip install 'rekog-emotion[embedded]'"
    )
    assert not ray.is_initialized()


def test_has_the_options_of_the_class():
    """The same names, defaults and types, but for what is of a source or of actors."""
    ours, theirs = (
        dict(inspect.signature(one).parameters) for one in (rekog.ray.detect_images, rekog.ray.DetectImages)
    )
    del ours["source"], ours["concurrency"], ours["num_cpus"], theirs["workers"]

    assert [*ours.values()] == [*theirs.values()]


def test_has_the_options_of_the_verb_of_one_process():
    """Those that it shares have the same defaults and types, but that a client is made in each process."""
    ours, theirs = (inspect.signature(world.detect_images).parameters for world in (rekog.ray, rekog))
    shared = [name for name in ours if name in theirs]

    assert shared == ["client", "attributes", "rate", "timeout"]
    assert [ours[name] for name in shared[1:]] == [theirs[name] for name in shared[1:]]


@pytest.mark.parametrize(
    ("things", "actors", "sizes"),
    [
        (0, 2, []),
        (1, 2, [1]),
        (7, 2, [4, 3]),
        (32, 16, [4] * 8),
        (100, 2, [25, 18, 14, 10, 8, 6, 4, 4, 4, 4, 3]),
        (200, 2, [32, 32, 32, 26, 19, 14, 11, 8, 6, 5, 4, 4, 4, 3]),
    ],
)
def test_parts_get_smaller_towards_the_end(things, actors, sizes):
    """So that no actor does the last of them while the others have nothing to do."""
    from rekog_emotion.ray.places import parts

    found = parts(range(things), actors, 4, 32)

    assert [len(part) for part in found] == sizes
    assert [thing for part in found for thing in part] == [*range(things)]


def test_a_client_that_cannot_be_sent(ray):
    """The message says what to pass instead."""
    import boto3

    client = boto3.client("rekognition", region_name="eu-west-1", aws_access_key_id="A", aws_secret_access_key="B")  # noqa: S106

    with pytest.raises(InvalidInputError) as caught:
        rekog.ray.detect_images(str(DATA), client=client)

    assert str(caught.value).startswith("client= got Rekognition, which cannot be sent to other processes (")
    assert str(caught.value).endswith(
        "): pass a name, or a function that makes one in each of them, client=lambda: aws_client(...)"
    )
    assert not ray.is_initialized()


def test_a_name_of_the_environment_that_names_no_client(monkeypatch):
    """It is read where the dataset is made, not where it is worked on."""
    monkeypatch.setenv("REKOG_EMOTION_CLIENT", "moon")

    with pytest.raises(ConfigurationError, match="REKOG_EMOTION_CLIENT='moon' names no client"):
        rekog.ray.detect_images(str(DATA))
