"""Look at photos, show nobody's face, keep numbers instead of people, and forget what is old."""

import json
import time
from collections import Counter
from pathlib import Path

import rekog_emotion as rekog

DAYS = 30


def publish(photo: rekog.ImageAnalysis, folder: Path) -> None:
    """Write a copy of a photo without the faces that were found; nothing of the file's metadata is in it."""
    folder.mkdir(exist_ok=True)
    photo.blur(method="pixelate").save(folder / f"{Path(photo.source or 'photo').stem}.png")


def count(photos: list[rekog.ImageAnalysis]) -> dict[str, int]:
    """Return how many faces look like what: no box, no source, nobody's age or gender."""
    looks = Counter(
        str(face.dominant_emotion.type) for photo in photos for face in photo.faces if face.dominant_emotion
    )
    return {look: number for look, number in looks.items() if number > 1}  # one alone could be known again


def forget(folder: Path, *, now: float) -> list[str]:
    """Delete what is older than was said to the people."""
    old = [path for path in folder.iterdir() if now - path.stat().st_mtime > DAYS * 24 * 60 * 60]
    for path in old:
        path.unlink()
    return sorted(path.name for path in old)


def main() -> None:
    """Go through a folder of photos whose people have agreed."""
    agreed = {"astronaut.jpg", "obama.jpg"}
    paths = [path for path in sorted(Path("photos").iterdir()) if path.name in agreed]
    photos = [rekog.detect_image(path, client="embedded") for path in paths]  # nothing leaves the machine
    for photo in photos:
        publish(photo, Path("published"))
    Path("counts.json").write_text(json.dumps(count(photos)), encoding="utf-8")
    print(Path("counts.json").read_text(encoding="utf-8"))
    print(forget(Path("published"), now=time.time()))
    print(forget(Path("published"), now=time.time() + (DAYS + 1) * 24 * 60 * 60))


if __name__ == "__main__":
    main()
