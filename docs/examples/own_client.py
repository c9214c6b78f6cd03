"""Two clients of one's own: one that keeps every answer of another, and one around a model of one's own."""

import hashlib
import json
from pathlib import Path

import rekog_emotion as rekog
from rekog_emotion.embedded import EmbeddedClient

NO_VIDEO = "this model takes photos only"
HALF = 50


class KeepingClient:
    """Asks another client once a picture, and answers the same picture from a folder after that."""

    def __init__(self, inner, folder: str) -> None:
        self.inner, self.folder, self.asked = inner, Path(folder), 0
        self.folder.mkdir(exist_ok=True)

    def detect_faces(self, *, Image, Attributes=("DEFAULT",)):
        """Answer DetectFaces, in boto3's form."""
        said = Image.get("Bytes") or json.dumps(Image, sort_keys=True).encode()
        kept = self.folder / f"{hashlib.sha256(said + repr(sorted(Attributes)).encode()).hexdigest()}.json"
        if not kept.exists():
            self.asked += 1
            answer = self.inner.detect_faces(Image=Image, Attributes=Attributes)
            kept.write_text(json.dumps({"FaceDetails": answer["FaceDetails"]}), encoding="utf-8")
        return json.loads(kept.read_text(encoding="utf-8"))

    def start_face_detection(self, **asked):
        """Pass it on: jobs are kept by the service."""
        return self.inner.start_face_detection(**asked)

    def get_face_detection(self, **asked):
        """Pass it on."""
        return self.inner.get_face_detection(**asked)


class ModelClient:
    """Answers by a function that takes a picture's bytes and gives boxes with the confidence that they smile."""

    def __init__(self, model) -> None:
        self.model = model

    def detect_faces(self, *, Image, Attributes=("DEFAULT",)):
        """Answer DetectFaces: what a model does not know is left out, and is None in the result."""
        return {
            "FaceDetails": [
                {
                    "BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height},
                    "Smile": {"Value": smile >= HALF, "Confidence": max(smile, 100 - smile)},
                }
                for left, top, width, height, smile in self.model(Image["Bytes"])
            ]
        }

    def start_face_detection(self, **asked):
        """Refuse videos."""
        raise rekog.InvalidInputError(NO_VIDEO)

    def get_face_detection(self, **asked):
        """Refuse videos."""
        raise rekog.InvalidInputError(NO_VIDEO)


def main() -> None:
    """Use both."""
    keeping = KeepingClient(EmbeddedClient(), "answers")
    first, second = (rekog.detect_image("photo.jpg", client=keeping) for _ in range(2))
    print(keeping.asked, first == second)

    modelled = ModelClient(lambda _content: [(0.25, 0.25, 0.5, 0.5, 80.0)])
    photo = rekog.detect_image("photo.jpg", client=modelled)
    print(photo.faces[0].smile, photo.faces[0].dominant_emotion)


if __name__ == "__main__":
    main()
