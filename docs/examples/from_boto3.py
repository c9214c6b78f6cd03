"""What a script with boto3 became."""

import sys
from typing import Literal

import rekog_emotion as rekog


def main(photo: str, video: str, where: str = "aws") -> None:
    """Say how the faces of a photo and of a video look."""
    client: Literal["aws", "embedded"] = "embedded" if where == "embedded" else "aws"
    for face in rekog.detect_image(photo, client=client).faces:
        if face.dominant_emotion and face.age_range:
            print(face.dominant_emotion.type, face.age_range.low, face.age_range.high)

    for timed in rekog.analyze_video(video, client=client).faces:
        if timed.face and timed.face.dominant_emotion:
            print(timed.timestamp_ms, timed.face.dominant_emotion.type)


if __name__ == "__main__":
    main(*sys.argv[1:])
