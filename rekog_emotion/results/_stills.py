"""Tell still pictures from those of several frames or pages, of which only the first is analysed."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Final

from PIL import Image

from rekog_emotion.errors import InvalidInputError
from rekog_emotion.text import given_as, shown

__all__ = ["check_still"]

# Of other formats further pictures are no more of the same: layers, or what a phone keeps beside a photo (MPO).
_FRAMES: Final = ("GIF", "PNG", "WEBP", "AVIF", "HEIF")
_PAGES: Final = "TIFF"
_SUBFILE_TYPE: Final = 254  # of TIFF
_REDUCED: Final = 1  # a smaller version of another page


def check_still(picture: str | os.PathLike[str] | bytes | Image.Image) -> None:
    """Refuse a file of which a copy would have the first frame or page alone; a PIL image is one picture.

    Raises:
        InvalidInputError: It has several.
    """
    if isinstance(picture, Image.Image):
        return
    if isinstance(picture, (str, os.PathLike)):
        try:
            name, data = shown(os.fsdecode(picture)), Path(picture).read_bytes()
        except OSError:  # a folder, for instance: whoever decodes it says so
            return
    else:
        name, data = given_as(picture), bytes(picture)
    Image.init()
    for kind in filter(Image.OPEN.__contains__, (*_FRAMES, _PAGES)):
        plugin, accepts = Image.OPEN[kind]
        if accepts is None or accepts(data[:16]) is not True:
            continue
        try:
            image: Any = plugin(io.BytesIO(data), "")  # not by `Image.open`, which has a limit of pixels of its own
            count = _pages(image) if kind == _PAGES else getattr(image, "n_frames", 1)
        except Exception:  # noqa: BLE001 -- Pillow raises whatever it stumbles over; whoever decodes it says so
            return
        if count > 1 and kind == _PAGES:
            msg = f"{name} has {count} pages, and a copy would have the first alone; save each as a file of its own"
            raise InvalidInputError(msg)
        if count > 1:
            msg = (
                f"{name} is animated, and a copy would have the first of its {count} frames alone; convert it to an "
                "MP4 video, or save the frame that you want as a PNG"
            )
            raise InvalidInputError(msg)
        return


def _pages(image: Any) -> int:  # noqa: ANN401 -- a TIFF of Pillow, whose type has no pages
    """Count the pages of a TIFF that are no thumbnails."""
    count = 0
    for number in range(image.n_frames):
        image.seek(number)
        count += not int(image.tag_v2.get(_SUBFILE_TYPE, 0)) & _REDUCED
    return count
