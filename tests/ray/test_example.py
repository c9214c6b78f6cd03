import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ray.test_images import DATA, pictures

pytest.importorskip("ray")
pq = pytest.importorskip("pyarrow.parquet")

DOCS = Path(__file__).parents[2] / "docs"
PROGRAM = DOCS / "examples" / "archive.py"


def test_the_page_shows_the_program():
    """As it runs here."""
    assert f"```python\n{PROGRAM.read_text()}```" in (DOCS / "how-to" / "clusters.md").read_text()


def test_the_program_writes_parquet(local_ray, tmp_path):
    """On the Ray that is there, a row a photo; it says how many failed."""
    folder = pictures(tmp_path / "photos", 2)
    (folder / "torn.jpg").write_bytes((DATA / "obama.jpg").read_bytes()[:20_000])
    command = [sys.executable, str(PROGRAM), str(folder), str(tmp_path / "faces"), "--offline"]
    address = local_ray.get_runtime_context().gcs_address

    done = subprocess.run(  # noqa: S603 -- our own program
        command, capture_output=True, text=True, check=True, env={**os.environ, "RAY_ADDRESS": address}
    )

    assert done.stdout.splitlines()[0] == "3 rows, 1 photos failed"
    assert f"{folder / 'torn.jpg'}: InvalidInputError: {folder / 'torn.jpg'}: the JPEG is truncated" in done.stdout
    rows = pq.read_table(tmp_path / "faces").to_pylist()
    assert sorted((row["source"], row["dominant_emotion"]) for row in rows) == [
        (str(folder / "00000.jpg"), "HAPPY"),
        (str(folder / "00001.jpg"), "HAPPY"),
        (str(folder / "torn.jpg"), None),
    ]
