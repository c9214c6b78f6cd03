"""One variant of one benchmark, alone in its process: ``python variants.py CASE VARIANT ROUNDS URL``; prints JSON."""

from __future__ import annotations

import gc
import importlib
import inspect
import io
import json
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

PORTRAIT = Path(__file__).parents[1] / "data" / "astronaut.jpg"
JOB = "0" * 64
HELD_PAGES = 25
BEFORE_SEND, BEFORE_PARSE = (f"before-{what}.rekognition.GetFaceDetection" for what in ("send", "parse"))
ATTRIBUTES = "BoundingBox AgeRange Smile Eyeglasses Sunglasses Gender Beard Mustache EyesOpen MouthOpen Pose Quality"
Page = Callable[[], Any]


def boto3_client(url: str) -> Any:
    """Return the plain client."""
    import boto3

    return boto3.client("rekognition", endpoint_url=url)


def ours(url: str, *, orjson: bool) -> Any:
    """Return our client, with the extra or as if it were not installed."""
    if not orjson:
        sys.modules["orjson"] = None
    from rekog_emotion import aws_client

    return aws_client(endpoint_url=url)


# --- pages: each variant gives a page with everything reachable, having looked at every emotion of every face ---


def dicts(client: Any) -> Page:
    """Give boto3's dicts."""

    def page() -> Any:
        answer = client.get_face_detection(JobId=JOB)
        for item in answer["Faces"]:
            for emotion in item["Face"]["Emotions"]:
                _ = emotion["Type"], emotion["Confidence"]
        return answer

    return page


def typed(client: Any, *, landmarks: bool = False) -> Page:
    """Give our values."""
    from rekog_emotion import VideoAnalysis

    def page() -> Any:
        analysis = VideoAnalysis.from_aws(client.get_face_detection(JobId=JOB))
        for item in analysis.faces:
            for emotion in item.face.emotions:
                _ = emotion.type, emotion.confidence
            if landmarks:
                list(item.face.landmarks)
        return analysis

    return page


def capo(url: str) -> Page:
    """Give capo-rekognition's typed dicts."""
    from capo_rekognition import RekognitionClient

    client = RekognitionClient(endpoint=url, region="eu-west-1")

    def page() -> Any:
        answer = client.get_face_detection(JOB)
        for item in answer["faces"]:
            for emotion in item["face"]["emotions"]:
                _ = emotion["type"], emotion["confidence"]
        return answer

    return page


def dataclass(url: str) -> Page:
    """Give boto3-dataclass-rekognition's values, which are made when they are touched."""
    from boto3_dataclass_rekognition.type_defs import GetFaceDetectionResponse

    client = boto3_client(url)

    def page() -> Any:
        answer = GetFaceDetectionResponse.make_one(client.get_face_detection(JobId=JOB))
        for item in answer.Faces:
            face = item.Face
            _ = [getattr(face, name) for name in ATTRIBUTES.split()], face.Landmarks
            for emotion in face.Emotions:
                _ = emotion.Type, emotion.Confidence
        return answer

    return page


def validator(url: str) -> Page:
    """Give aws-resource-validator's pydantic models of the faces: that of the answer refuses real ones."""
    module = importlib.import_module("aws_resource_validator.pydantic_models.rekognition.rekognition_classes")
    client = boto3_client(url)

    def page() -> Any:
        answer = client.get_face_detection(JobId=JOB)
        faces = [module.FaceDetectionTypeDef.model_validate(item) for item in answer["Faces"]]
        for item in faces:
            for emotion in item.Face.Emotions:
                _ = emotion.Type, emotion.Confidence
        return faces

    return page


PAGES: dict[str, Callable[[str], Page]] = {
    "raw": lambda url: dicts(boto3_client(url)),
    "slow road": lambda url: typed(boto3_client(url)),
    "fast road": lambda url: typed(ours(url, orjson=False)),
    "fast road, orjson": lambda url: typed(ours(url, orjson=True)),
    "fast road, orjson, landmarks": lambda url: typed(ours(url, orjson=True), landmarks=True),
    "capo": capo,
    "dataclass": dataclass,
    "validator": validator,
}


def pages(variant: str, rounds: int, url: str) -> dict[str, Any]:
    """Time one page after the other, each dropped before the next."""
    page = PAGES[variant](url)
    page()
    return {"ms": [_timed(page) for _ in range(rounds)]}


class Body(io.BytesIO):
    """The body of an answer, as botocore reads it from a connection."""

    def stream(self) -> Iterator[bytes]:
        """Give all of it."""
        yield self.getvalue()


def from_bytes(variant: str, rounds: int, url: str) -> dict[str, Any]:
    """Time what :func:`pages` times, without the connection: the body of the answer is in memory."""
    from botocore.awsrequest import AWSResponse

    client = boto3_client(url) if variant in {"raw", "slow road"} else ours(url, orjson="orjson" in variant)
    seen: list[dict[str, Any]] = []
    client.meta.events.register_first(BEFORE_PARSE, lambda response_dict, **_: seen.append({**response_dict}))
    client.get_face_detection(JobId=JOB)
    headers, body = seen[0]["headers"], seen[0]["body"]
    client.meta.events.register(BEFORE_SEND, lambda request, **_: AWSResponse(request.url, 200, headers, Body(body)))
    page = dicts(client) if variant == "raw" else typed(client)
    page()
    return {"ms": [_timed(page) for _ in range(rounds)]}


def memory(variant: str, _rounds: int, url: str) -> dict[str, Any]:
    """Hold many pages."""
    page = PAGES[variant](url)
    held = [page() for _ in range(HELD_PAGES)]
    return {"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "held": len(held)}


def kept(variant: str, _rounds: int, url: str) -> dict[str, Any]:
    """Read a job of many pages as users do, look at every emotion of every face, and keep all; the time of a page."""
    client = boto3_client(url) if variant == "raw" else ours(url, orjson="orjson" in variant)
    client.get_face_detection  # noqa: B018 -- botocore makes its methods when they are first touched
    start = process_time()
    if variant == "raw":
        held, token = [], {}
        while True:
            answer = client.get_face_detection(JobId=JOB, MaxResults=1000, **token)
            held += answer["Faces"]
            for item in answer["Faces"]:
                for emotion in item["Face"]["Emotions"]:
                    _ = emotion["Type"], emotion["Confidence"]
            if "NextToken" not in answer:
                break
            token = {"NextToken": answer["NextToken"]}
    else:
        from rekog_emotion import VideoJob

        held = []
        for item in VideoJob.resume(JOB, client=client).faces():
            held.append(item)
            for emotion in item.face.emotions:
                _ = emotion.type, emotion.confidence
    spent = (process_time() - start) * 1000 / HELD_PAGES
    assert len(held) == HELD_PAGES * 1000
    return {"ms": [spent], "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _timed(work: Callable[[], Any]) -> float:
    gc.collect()
    start = process_time()
    result = work()
    spent = process_time() - start
    del result
    return spent * 1000


# --- the other cases ---


def images(_variant: str, rounds: int, url: str) -> dict[str, Any]:
    """Time calls for an image with one face; all variants in turns, call by call, as they differ by so little."""
    from rekog_emotion import detect_image

    data = PORTRAIT.read_bytes()
    plain, fast = boto3_client(url), ours(url, orjson=False)
    del sys.modules["orjson"]
    fastest = ours(url, orjson=True)
    # A version that knows no time-out of a photo waits without one.
    waits: dict[str, Any] = {"timeout": None} if "timeout" in inspect.signature(detect_image).parameters else {}
    calls = (
        lambda: plain.detect_faces(Image={"Bytes": data}, Attributes=["ALL"]),
        lambda: detect_image(data, client=fast, **waits),
        lambda: detect_image(data, client=fastest, **waits),
        lambda: detect_image(data, client=fast),
        lambda: detect_image(data, client=fastest),
    )
    spent: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, times in zip(calls, spent, strict=True):
            start = process_time()
            call()
            times.append((process_time() - start) * 1000)
    return {"ms": spent}


def imports(variant: str, _rounds: int, _url: str) -> dict[str, Any]:
    """Time the first import of some modules."""
    names = variant.split(", ")

    def load() -> None:
        for name in names:
            importlib.import_module(name)

    return {"ms": [_timed(load)]}


def fitting(variant: str, rounds: int, _url: str) -> dict[str, Any]:
    """Time the fitting of a photo of 24 megapixels under 5 MiB, or the least that Pillow could do for it."""
    from PIL import Image

    from rekog_emotion.sources.images import prepare_image

    photo = large_photo()
    fitted = Image.open(io.BytesIO(prepare_image(photo).wire["Bytes"]))
    quality = next(q for q in range(1, 101) if _tables(q) == fitted.quantization)

    def fit() -> Any:
        return prepare_image(photo)

    def bare() -> Any:
        image = Image.open(io.BytesIO(photo))
        image.load()
        if image.size != fitted.size:
            image = image.resize(fitted.size)
        image.save(io.BytesIO(), "JPEG", quality=quality)

    work = bare if variant == "bare" else fit
    return {"ms": [_timed(work) for _ in range(rounds)], "size": fitted.size, "quality": quality, "in": len(photo)}


def _tables(quality: int) -> dict[int, list[int]]:
    from PIL import Image

    output = io.BytesIO()
    Image.new("RGB", (8, 8)).save(output, "JPEG", quality=quality)
    return Image.open(output).quantization


def large_photo() -> bytes:
    """Return a JPEG of 6000 x 4000 pixels that is a little over 10 MB, as cameras write them."""
    from PIL import Image, ImageChops

    image = Image.open(PORTRAIT).convert("RGB").resize((6000, 4000))
    # Grain, without which an enlarged picture would compress far better than a photo does.
    grain = Image.merge("RGB", [Image.effect_noise((6000, 4000), 14)] * 3)
    image = ImageChops.add(image, grain, offset=-128)
    output = io.BytesIO()
    image.save(output, "JPEG", quality=93)
    return output.getvalue()


CASES = {
    "pages": pages,
    "bytes": from_bytes,
    "kept": kept,
    "memory": memory,
    "images": images,
    "imports": imports,
    "fitting": fitting,
}

if __name__ == "__main__":
    case, variant, rounds, url = sys.argv[1:]
    print(json.dumps(CASES[case](variant, int(rounds), url)))  # noqa: T201 -- scripts print
