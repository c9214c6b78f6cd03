"""What a script with DeepFace became."""

import rekog_emotion as rekog


def main() -> None:
    """Say how the faces of a photo look, as DeepFace's dictionaries have it."""
    photo = rekog.detect_image("photo.jpg", client="embedded")
    for face in photo.faces:
        look, age, gender, box = face.dominant_emotion, face.age_range, face.gender, face.bounding_box
        if not (look and age and gender and box):  # by default all are asked for
            continue
        left, top, right, bottom = box.to_pixels(photo.size)
        result = {
            "dominant_emotion": str(look.type).lower(),
            "emotion": {str(look.type).lower(): round(look.confidence or 0)},
            "age": ((age.low or 0) + (age.high or 0)) // 2,
            "dominant_gender": {"Female": "Woman", "Male": "Man"}[str(gender.value)],
            "region": {"x": left, "y": top, "w": right - left, "h": bottom - top},
        }
        print(result)


if __name__ == "__main__":
    main()
