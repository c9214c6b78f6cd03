"""Make the pictures of the gallery: ``python docs/gallery.py``."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

import rekog_emotion as rekog
from rekog_emotion.results.charts import emotion_chart
from rekog_emotion.results.crops import contact_sheet

ROOT = Path(__file__).parents[1]
DARK = (15, 15, 18)
DATA, IMAGES = ROOT / "tests/data", ROOT / "docs/images"
MOMENTS = (760, 3300, 5700)


def beside(pictures: list[Image.Image], height: int) -> Image.Image:
    """Put pictures beside each other."""
    scaled = [picture.resize((round(picture.width * height / picture.height), height)) for picture in pictures]
    row = Image.new("RGB", (sum(picture.width for picture in scaled) + 6 * (len(scaled) - 1), height), "white")
    left = 0
    for picture in scaled:
        row.paste(picture, (left, 0))
        left += picture.width + 6
    return row


def above(pictures: list[Image.Image]) -> Image.Image:
    """Put rows of one width above each other."""
    column = Image.new(
        "RGB", (pictures[0].width, sum(one.height for one in pictures) + 6 * (len(pictures) - 1)), "white"
    )
    top = 0
    for picture in pictures:
        column.paste(picture, (0, top))
        top += picture.height + 6
    return column


def group() -> Image.Image:
    """Make a dark wall of twelve portraits."""
    portraits = [Image.open(DATA / f"{name}.jpg").convert("RGB") for name in ("astronaut", "obama", "biden")]
    wall = Image.new("RGB", (880, 660), DARK)
    for i in range(12):
        turned = portraits[i % 3].rotate(7 * (i % 5 - 2), Image.Resampling.BICUBIC, fillcolor=DARK)
        wall.paste(turned.resize((220, 220), Image.Resampling.LANCZOS), (220 * (i % 4), 220 * (i // 4)))
    return wall


def page(report: Path, picture: Path) -> None:
    """Take a picture of the top of a page, where there is a Chromium to take it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print(f"{picture.name} stays as it is: there is no Chromium here")
        return
    options = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--window-size=900,880"]
    subprocess.run([browser, *options, f"--screenshot={picture}", report.as_uri()], check=True, capture_output=True)  # noqa: S603 -- the browser of this machine


def main() -> None:
    """Write all pictures."""
    photo = rekog.detect_image(DATA / "astronaut.jpg", client="embedded")
    photo.draw().save(IMAGES / "gallery-draw.jpg", quality=85)
    methods = ("blur", "pixelate", "fill")
    hidden = [photo.blur(method=method) for method in methods]
    beside(hidden, 260).save(IMAGES / "gallery-blur.jpg", quality=85)
    charts = [emotion_chart(photo.faces[0], theme=theme) for theme in ("light", "dark")]
    beside(charts, charts[0].height).save(IMAGES / "gallery-chart.png", optimize=True)
    wall = group()
    people = rekog.detect_image(wall, client="embedded")
    people.draw(wall).save(IMAGES / "gallery-group.jpg", quality=80)
    contact_sheet((people, wall), columns=6, side=120, theme="dark").save(IMAGES / "gallery-sheet.jpg", quality=85)
    clip = rekog.analyze_video(DATA / "people.mp4", client="embedded")
    clip.plot(kind="stacked", video=DATA / "people.mp4").savefig(IMAGES / "gallery-timeline.png", dpi=80)
    with tempfile.TemporaryDirectory() as folder:
        clip.report(Path(folder, "report.html"))
        page(Path(folder, "report.html"), IMAGES / "gallery-report.png")
        rows = []
        for write in (clip.annotate, clip.blur):
            copy = Path(folder, f"{write.__name__}.mp4")
            write(copy)
            rows.append(beside([frame for _, frame in clip.frames_at(MOMENTS, video=copy)], 240))
        above(rows).save(IMAGES / "gallery-video.jpg", quality=80)


if __name__ == "__main__":
    main()
