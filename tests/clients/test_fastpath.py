import copy
import json
import os
import sys
from pathlib import Path

import boto3
import pytest
from botocore.parsers import create_parser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekog_emotion import ImageAnalysis, RekogEmotionError, VideoAnalysis, accelerate, aws_client
from rekog_emotion.blocking.job import VideoJob
from rekog_emotion.clients import fastpath
from rekog_emotion.errors import InvalidInputError, ResponseError
from tests.amounts import amount
from tests.http_standin import Answer, HttpStandin, fault
from tests.property.strategies import JSON, SERVICE, images
from tests.property.strategies import videos as any_videos

# Time says something of the machine, not of the code: answers are large, and machines that run tests are busy.
patiently = settings(
    deadline=None,
    max_examples=amount(50, whole=200),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
FACE = {"Confidence": 99.5, "Emotions": [{"Type": "CALM", "Confidence": 90.25}]}
OPERATIONS = {"DetectFaces": ("FaceDetails", ImageAnalysis), "GetFaceDetection": ("Faces", VideoAnalysis)}
ANSWERS = {
    "DetectFaces": {"FaceDetails": [FACE]},
    "GetFaceDetection": {"JobStatus": "SUCCEEDED", "Faces": [{"Timestamp": 0, "Face": FACE}], "NextToken": "t"},
}
NAMED = os.environ.get("REKOG_EMOTION_RECORDINGS")
RECORDINGS = sorted(Path(NAMED).glob("*.json")) if NAMED else []
each_operation = pytest.mark.parametrize("operation", OPERATIONS)


def handler_of(*, orjson):
    """Return the handler, with orjson or as if it were not installed."""
    with pytest.MonkeyPatch.context() as patch:
        if not orjson:
            patch.setitem(sys.modules, "orjson", None)
        acceleration = object.__new__(fastpath.Acceleration)
        acceleration._loads = fastpath._loads()
    return acceleration._take_faces


HANDLERS = {"slow": None, "json": handler_of(orjson=False), "orjson": handler_of(orjson=True)}
each_decoder = pytest.mark.parametrize("decoder", ["json", "orjson"])


def parsed(body, operation, decoder, status=200):
    """Return what botocore makes of a body after our handler, as its endpoint does it; an error by its class."""
    model, customized = SERVICE.operation_model(operation), {}
    response = {"body": body, "status_code": status, "headers": {}}
    if HANDLERS[decoder]:
        HANDLERS[decoder](operation_model=model, response_dict=response, customized_response_dict=customized)
    try:
        answer = create_parser("json").parse(response, model.output_shape)
        answer.update(customized)
    except Exception as error:  # noqa: BLE001 -- whatever botocore raises
        return type(error)
    return answer


def known(shape, answer):
    """Return what botocore keeps of an answer: the members that it knows and that are not null."""
    if shape.type_name == "structure" and isinstance(answer, dict):
        members = shape.members.items()
        return {name: known(inner, answer[name]) for name, inner in members if answer.get(name) is not None}
    if shape.type_name == "list" and isinstance(answer, list):
        return [known(shape.member, item) for item in answer]
    return answer


def of_64_bits(answer):
    """Return an answer with whole numbers that fit into 64 bits, as those of the service do."""
    if isinstance(answer, dict):
        return {name: of_64_bits(member) for name, member in answer.items()}
    if isinstance(answer, list):
        return [of_64_bits(item) for item in answer]
    return answer % 2**63 if isinstance(answer, int) and abs(answer) >= 2**63 else answer


videos = any_videos.map(of_64_bits)


def as_text(answer):
    """Return JSON that tells 1 from 1.0 and NaN from nothing, which Python's equality does not."""
    return answer if isinstance(answer, type) else json.dumps(answer, sort_keys=True)


def same(body, operation, decoder, status=200):
    """Tell whether both roads lead to the same, but for unknown and null members of faces."""
    slow, fast = (parsed(body, operation, name, status) for name in ("slow", decoder))
    if isinstance(fast, dict) and "Error" not in fast:
        metadata = fast.pop("ResponseMetadata")
        fast = known(SERVICE.operation_model(operation).output_shape, fast) | {"ResponseMetadata": metadata}
    assert as_text(fast) == as_text(slow)
    return slow


# --- the same answers ---


@each_decoder
@given(answer=videos, ascii_only=st.booleans())
@patiently
def test_pages_are_the_same(decoder, answer, ascii_only):
    """Pages of a video are what botocore makes of them."""
    text = json.dumps(answer, ensure_ascii=ascii_only)

    same(text.encode(errors="surrogatepass"), "GetFaceDetection", decoder)


@each_decoder
@given(answer=images.map(of_64_bits))
@patiently
def test_images_are_the_same(decoder, answer):
    """Faces of an image are what botocore makes of them."""
    same(json.dumps(answer).encode(), "DetectFaces", decoder)


@each_decoder
@given(body=JSON.map(json.dumps).map(str.encode) | st.binary(max_size=30), status=st.sampled_from([200, 400, 500]))
@patiently
def test_foreign_bodies_are_the_same(decoder, body, status):
    """What is no answer at all is botocore's matter."""
    same(body, "GetFaceDetection", decoder, status)


@each_decoder
@given(answer=videos, cut=st.integers(0, 400))
@patiently
def test_cut_bodies_are_the_same(decoder, answer, cut):
    """A body that ends too early is botocore's matter."""
    body = json.dumps(answer).encode()

    same(body[: max(len(body) - cut, 0)], "GetFaceDetection", decoder)


@pytest.mark.skipif(not NAMED, reason="REKOG_EMOTION_RECORDINGS names no folder")
@each_decoder
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_recordings_are_the_same(decoder, path):
    """Recorded answers are what botocore makes of them."""
    for operation in OPERATIONS:
        same(path.read_bytes(), operation, decoder)


def page(face):
    """Return the body of a page with one face, given as JSON."""
    return b'{"JobStatus":"SUCCEEDED","Faces":[{"Timestamp":0,"Face":%s}]}' % face


ODD = {
    "unknown members": page(b'{"New":{"A":[1]},"Confidence":1.5}'),
    "null members": page(b'{"Smile":null,"Emotions":null,"Confidence":1.5}'),
    "a null face": b'{"JobStatus":"SUCCEEDED","Faces":[{"Timestamp":0,"Face":null}]}',
    "no faces": b'{"JobStatus":"SUCCEEDED","Faces":[]}',
    "faces are null": b'{"JobStatus":"SUCCEEDED","Faces":null}',
    "faces are an object": b'{"JobStatus":"SUCCEEDED","Faces":{}}',
    "without faces": b'{"JobStatus":"IN_PROGRESS"}',
    "whole numbers": page(b'{"Confidence":100}'),
    "64 bits": page(b'{"Confidence":18446744073709551615}'),
    "minus zero": page(b'{"Confidence":-0.0,"Pose":{"Roll":-0}}'),
    "NaN": page(b'{"Confidence":NaN}'),
    "Infinity": page(b'{"Confidence":-Infinity}'),
    "1e400": page(b'{"Confidence":1e400}'),
    "1e-400": page(b'{"Confidence":1e-400}'),
    "many digits": page(b'{"Confidence":0.12345678901234567890123456789}'),
    "too many digits": page(b'{"Confidence":%s}' % (b"1" * 5000)),
    "a number with a leading zero": page(b'{"Confidence":01}'),
    "non-ASCII": page('{"Gender":{"Value":"Wéiblich 🙂","Confidence":1.5}}'.encode()),
    "a lone surrogate": page(b'{"Gender":{"Value":"\\ud83d","Confidence":1.5}}'),
    "an encoded surrogate": page(b'{"Gender":{"Value":"\xed\xa0\xbd","Confidence":1.5}}'),
    "invalid UTF-8": page(b'{"Gender":{"Value":"\xff","Confidence":1.5}}'),
    "a control character": page(b'{"Gender":{"Value":"a\nb","Confidence":1.5}}'),
    "UTF-16": page(b"{}").decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + page(b"{}"),
    "duplicate keys": b'{"Faces":[{"Timestamp":1}],"JobStatus":"A","Faces":[{"Timestamp":2,"Timestamp":3}]}',
    "white space": b" \n" + page(b'{ "Confidence" :\t1.5 }') + b"\r\n",
    "empty": b"",
    "truncated": page(b"{}")[:-2],
    "more than one answer": page(b"{}") * 2,
    "HTML": b"<html><body>Bad gateway</body></html>",
    "null": b"null",
    "a list": b"[]",
    "a number": b"7",
    "deep": page(b'{"New":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
}


@each_decoder
@pytest.mark.parametrize("body", ODD.values(), ids=ODD.keys())
def test_odd_bodies_are_the_same(decoder, body):
    """Whatever comes with status 200 is what botocore makes of it, its errors included."""
    same(body, "GetFaceDetection", decoder)


@each_decoder
@pytest.mark.parametrize("status", [201, 301, 400, 403, 500, 503])
@pytest.mark.parametrize(
    "body",
    [b'{"__type":"ThrottlingException","message":"Slow down"}', b"", b"<html></html>", page(b'{"Confidence":1}')],
)
def test_other_states_are_botocore_s(decoder, status, body):
    """Only a body of status 200 is read, though others may have faces, too."""
    same(body, "GetFaceDetection", decoder, status)


@pytest.mark.parametrize(("decoder", "value"), [("json", 2**64 + 1), ("orjson", float(2**64))])
def test_whole_numbers_beyond_64_bits(decoder, value):
    """Numbers that no member can have are exact, or floats with orjson, which the documentation says."""
    answer = parsed(page(b'{"Confidence":18446744073709551617}'), "GetFaceDetection", decoder)

    assert as_text(value) == as_text(answer["Faces"][0]["Face"]["Confidence"])


@each_decoder
@given(answer=videos)
@patiently
def test_values_are_the_same(decoder, answer):
    """Our values are equal on both roads, once unknown and null members are left out."""
    body = json.dumps(known(SERVICE.operation_model("GetFaceDetection").output_shape, answer)).encode()

    slow, fast = (VideoAnalysis.from_aws(parsed(body, "GetFaceDetection", name)) for name in ("slow", decoder))

    assert fast == slow
    assert as_text(fast.to_aws()) == as_text(slow.to_aws())


@each_decoder
def test_unknown_and_null_members_are_kept(decoder):
    """What botocore drops comes through."""
    face = {"New": {"A": [1]}, "Smile": None, "Confidence": 1.5}

    answer = parsed(page(json.dumps(face).encode()), "GetFaceDetection", decoder)

    assert answer["Faces"][0]["Face"] == face


# --- another botocore ---

EVENT = {
    "operation_model": SERVICE.operation_model("GetFaceDetection"),
    "response_dict": {"body": page(b"{}"), "status_code": 200, "headers": {}},
    "customized_response_dict": {},
}


@pytest.mark.parametrize(
    "change",
    [
        *({name: missing} for name in EVENT for missing in (None, ..., 7)),
        {"response_dict": {"status_code": 200}},
        {"response_dict": {"body": page(b"{}")}},
        {"response_dict": {"body": None, "status_code": 200}},
        {"response_dict": {"body": 7, "status_code": 200}},
        {"operation_model": SERVICE.operation_model("DetectLabels")},
    ],
    ids=str,
)
@each_decoder
def test_other_arguments_are_let_be(decoder, change):
    """A handler that is called with anything else changes nothing and raises nothing."""
    event = {name: value for name, value in {**copy.deepcopy(EVENT), **change}.items() if value is not ...}
    before = copy.deepcopy({name: event.get(name) for name in ("response_dict", "customized_response_dict")})

    HANDLERS[decoder](**event)

    assert before == {name: event.get(name) for name in before}


@each_decoder
def test_more_arguments_do_not_matter(decoder):
    """An argument more is no reason to go slowly."""
    event = copy.deepcopy(EVENT)

    HANDLERS[decoder](**event, context={})

    assert event["customized_response_dict"] == {"Faces": [{"Timestamp": 0, "Face": {}}]}
    assert json.loads(event["response_dict"]["body"]) == {"JobStatus": "SUCCEEDED"}


@each_operation
def test_without_the_event_botocore_answers(standin, monkeypatch, operation):
    """Where botocore calls no such event, answers are the same."""
    monkeypatch.setattr(fastpath, "_EVENTS", ("before-nothing.rekognition.GetFaceDetection",))
    standin.script(operation, Answer(ANSWERS[operation]))

    answer = ask(aws_client(), operation)

    assert answer == ANSWERS[operation]


# --- on clients ---


def ask(client, operation):
    """Return the answer without its metadata."""
    if operation == "DetectFaces":
        answer = client.detect_faces(Image={"Bytes": b"x"})
    else:
        answer = client.get_face_detection(JobId="j")
    return {name: member for name, member in answer.items() if name != "ResponseMetadata"}


def noisy(operation):
    """Return an answer with an unknown member in its face, which shows which road was taken."""
    answer = copy.deepcopy(ANSWERS[operation])
    answer[OPERATIONS[operation][0]][0]["New"] = 1
    return answer


def is_fast(client, standin):
    """Tell whether the client takes the shortcut, for all operations."""
    fast = set()
    for operation in OPERATIONS:
        standin.script(operation, Answer(noisy(operation)))
        answer = ask(client, operation)
        assert answer in (noisy(operation), ANSWERS[operation])
        fast.add(answer == noisy(operation))
    (one,) = fast
    return one


def test_our_clients_are_fast(standin):
    """A client of aws_client() has the shortcut."""
    assert is_fast(aws_client(), standin)


def test_a_caller_s_client_stays_as_it_is(standin):
    """A client that the caller made reads as ever, also after it was used by us."""
    client = boto3.client("rekognition")
    standin.script("GetFaceDetection", Answer(ANSWERS["GetFaceDetection"] | {"NextToken": None}))

    VideoJob.resume("j", client=client).result()

    assert not is_fast(client, standin)


def test_a_caller_can_ask_for_it_and_take_it_back(standin):
    """A closed acceleration leaves no trace; to close it twice is fine."""
    client = boto3.client("rekognition")

    acceleration = accelerate(client)
    assert is_fast(client, standin)
    acceleration.close()
    acceleration.close()

    assert not is_fast(client, standin)


def test_an_acceleration_ends_with_its_block(standin):
    """It is a context manager."""
    client = boto3.client("rekognition")

    with accelerate(client):
        assert is_fast(client, standin)

    assert not is_fast(client, standin)


def test_two_accelerations_last_until_both_are_closed(standin):
    """The second does nothing more, and closing one does not take the other away."""
    client = boto3.client("rekognition")
    first, second = accelerate(client), accelerate(client)

    assert is_fast(client, standin)
    first.close()
    assert is_fast(client, standin)
    second.close()
    assert not is_fast(client, standin)


def test_one_client_s_acceleration_is_not_another_s(standin):
    """Clients of one session are apart."""
    session = boto3.session.Session()
    client, other = session.client("rekognition"), session.client("rekognition")

    with accelerate(client):
        assert not is_fast(other, standin)


@pytest.mark.parametrize("thing", [None, {}, object(), "aws"])
def test_what_is_no_client_is_refused(thing):
    """Only a boto3 client has events."""
    with pytest.raises(InvalidInputError) as caught:
        accelerate(thing)

    assert str(caught.value) == (
        f'accelerate() got {type(thing).__name__}, which is no Rekognition client: pass boto3.client("rekognition")'
    )


@pytest.mark.usefixtures("credentials")
def test_a_client_of_another_service_is_refused():
    """It would do nothing there."""
    with pytest.raises(InvalidInputError) as caught:
        accelerate(boto3.client("s3"))

    assert str(caught.value) == (
        'accelerate() got a client of s3, which is no Rekognition client: pass boto3.client("rekognition")'
    )


@each_operation
@pytest.mark.parametrize(
    "reply",
    [
        fault("ThrottlingException", "Slow down"),
        fault("InternalServerError", status=500),
        Answer(b"<html></html>", status=503),
        Answer(b"", status=403),
        Answer(b'{"Faces": [', status=200),
        Answer(b"null"),
        Answer(b""),
    ],
    ids=str,
)
def test_errors_are_the_same(standin, operation, reply):
    """A client with the shortcut answers and raises as one without."""
    standin.script(operation, reply)
    outcomes = []
    for client in (aws_client(), boto3.client("rekognition", config=_one_attempt())):
        try:
            outcomes.append(ask(client, operation))
        except Exception as error:  # noqa: BLE001 -- whatever botocore raises
            outcomes.append((type(error).__name__, str(error)))

    assert outcomes[0] == outcomes[1]


def _one_attempt():
    from botocore.config import Config

    return Config(retries={"total_max_attempts": 1, "mode": "standard"})


# --- reading frees what was read ---


def test_an_answer_that_is_kept_is_left_alone():
    """Reading empties no list of the caller's."""
    answer = copy.deepcopy(ANSWERS["GetFaceDetection"])

    analysis = VideoAnalysis.from_aws(answer)

    assert answer == ANSWERS["GetFaceDetection"]
    assert analysis == VideoAnalysis.from_aws(answer)
    with pytest.raises(RekogEmotionError):
        VideoAnalysis.from_aws({**answer, "Faces": [*answer["Faces"], 7]})


def test_faces_are_freed_as_they_are_read():
    """An answer that nobody keeps shrinks while its values are made."""
    left, seen = set(), []

    class Detection(dict):
        """A face that knows how many are left when it is read."""

        def __init__(self, **members):
            super().__init__(members)
            left.add(members["Timestamp"])

        def __del__(self):
            left.discard(self["Timestamp"])

        def items(self):
            seen.append(sorted(left))
            return super().items()

    analysis = VideoAnalysis.from_aws({"JobStatus": "SUCCEEDED", "Faces": [Detection(Timestamp=i) for i in range(3)]})

    assert [face.timestamp_ms for face in analysis.faces] == [0, 1, 2]
    assert seen == [[0, 1, 2], [1, 2], [2]]


def test_an_image_on_aws_imports_no_more_than_boto3_needs(tmp_path):
    """A cold ``rekog-emotion image`` on AWS loads what boto3 loads, and attrs, tenacity and orjson."""
    photo = Path(__file__).parents[1] / "data" / "astronaut.jpg"
    program = (
        "import sys, rekog_emotion.commands.cli as cli\n"
        f"code = cli.main(['image', {str(photo)!r}, '--client', 'aws', '--json'])\n"
        "ours = sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))\n"
        "print(code, *ours, file=sys.stderr)\n"
    )
    baseline = (
        "import sys, boto3\n"
        "client = boto3.client('rekognition')\n"
        "client.detect_faces(Image={'Bytes': b'x'})\n"
        "theirs = sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))\n"
        "print(*theirs, file=sys.stderr)\n"
    )
    with HttpStandin() as standin:
        standin.script("DetectFaces", Answer(ANSWERS["DetectFaces"]))
        ours, theirs = (_modules(code, standin.url, tmp_path) for code in (program, baseline))

    assert ours[0] == "0"
    tenacity = {"tornado"}  # which it loads where it is installed
    assert sorted(set(ours[1:]) - set(theirs) - tenacity) == ["attr", "attrs", "orjson", "rekog_emotion", "tenacity"]


def _modules(program, url, home):
    import subprocess

    environment = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_REKOGNITION": url,
        "HOME": str(home),
        "PATH": os.environ["PATH"],
    }
    command = [sys.executable, "-I", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)  # noqa: S603 -- our own
    return done.stderr.split()


@pytest.mark.parametrize("fast", [True, False], ids=["orjson", "plain"])
def test_only_faces_of_the_page_become_values(standin, monkeypatch, fast):
    """What looks like a face of a video elsewhere in an answer stays the dict that it is."""
    if not fast:
        monkeypatch.setitem(sys.modules, "orjson", None)
    face = {"Timestamp": 500, "Face": {"Confidence": 99.5}}
    odd = {"Timestamp": 500, "Face": {"Confidence": 99.5, "New": face}}
    page = {"JobStatus": "SUCCEEDED", "Faces": [face, {**face, "New": 1}, odd]}
    standin.script("GetFaceDetection", Answer(json.dumps(page).encode()))

    whole = VideoJob.resume("job-1", client=aws_client()).result()

    assert [one.seconds for one in whole.faces] == [0.5] * 3
    assert whole.faces[1].extra == {"New": 1}
    assert whole.faces[2].face.extra == {"New": face}
    assert type(whole.faces[2].face.extra["New"]) is dict
    assert whole.to_aws()["Faces"] == page["Faces"]


@pytest.mark.parametrize("fast", [True, False], ids=["orjson", "plain"])
@pytest.mark.parametrize("faces", [False, 0, 7, "", "faces", {}, {"Timestamp": 0, "Face": {}}], ids=repr)
def test_what_is_no_list_is_never_no_faces(standin, monkeypatch, faces, fast):
    """Whatever decodes the page, it is left for the reader to refuse."""
    if not fast:
        monkeypatch.setitem(sys.modules, "orjson", None)
    standin.script("GetFaceDetection", Answer(json.dumps({"JobStatus": "SUCCEEDED", "Faces": faces}).encode()))

    with pytest.raises(ResponseError) as caught:
        VideoJob.resume("job-1", client=aws_client()).status()

    assert str(caught.value) == f"Faces: expected a list, got {type(faces).__name__}"
