"""What a script with DeepFace became."""

import rekog_emotion as rekog


def main() -> None:
    """Say how the faces of a photo look, as DeepFace's dictionaries have it."""
    photo = rekog.detect_image("photo.jpg", client="embedded")
    for face in photo.faces:
        left, top, right, bottom = face.bounding_box.to_pixels(photo.size)
        result = {
            "dominant_emotion": face.dominant_emotion.type.lower(),
            "emotion": {emotion.type.lower(): round(emotion.confidence) for emotion in face.emotions[:1]},
            "age": (face.age_range.low + face.age_range.high) // 2,
            "dominant_gender": {"Female": "Woman", "Male": "Man"}[face.gender.value],
            "region": {"x": left, "y": top, "w": right - left, "h": bottom - top},
        }
        print(result)


if __name__ == "__main__":
    main()
