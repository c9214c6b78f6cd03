"""Many photos in several processes: each has a client of its own, and errors come back whole."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import rekog_emotion as rekog
from rekog_emotion.embedded import EmbeddedClient


@cache
def client() -> EmbeddedClient:
    """Make the client of this process, once, with one thread: there is a process a core."""
    return EmbeddedClient(threads=1)


def look(path: Path) -> rekog.ImageAnalysis:
    """Find the faces of a photo; its analysis, or its error, is pickled on the way back."""
    return rekog.detect_image(path, client=client())


def main() -> None:
    """Go through a folder."""
    paths = sorted(Path("photos").iterdir())
    spawn = multiprocessing.get_context("spawn")  # on every system; forked children are fine, too
    with ProcessPoolExecutor(max_workers=2, mp_context=spawn) as pool:
        waiting = {path: pool.submit(look, path) for path in paths}
        for path, future in waiting.items():
            try:
                looks = [face.dominant_emotion.type for face in future.result().faces if face.dominant_emotion]
                print(path.name, *looks)
            except rekog.InvalidInputError as error:
                print(path.name, "skipped:", str(error).partition(": ")[2])


if __name__ == "__main__":
    main()
