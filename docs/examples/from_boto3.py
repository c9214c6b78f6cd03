"""What a script with boto3 became."""

import sys

import rekog_emotion as rekog


def main(photo: str, video: str, client: str | None = None) -> None:
    """Say how the faces of a photo and of a video look."""
    for face in rekog.detect_image(photo, client=client).faces:
        print(face.dominant_emotion.type, face.age_range.low, face.age_range.high)

    for timed in rekog.analyze_video(video, client=client).faces:
        print(timed.timestamp_ms, timed.face.dominant_emotion.type)


if __name__ == "__main__":
    main(*sys.argv[1:])
