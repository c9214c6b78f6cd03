"""Check what is in the distributions, and what is not: ``check_dist.py WHEEL SDIST``."""

import sys
import tarfile
import zipfile
from pathlib import PurePosixPath

wheel, sdist = sys.argv[1:]
in_wheel = {PurePosixPath(name) for name in zipfile.ZipFile(wheel).namelist()}
with tarfile.open(sdist) as archive:
    # Without the folder that holds everything.
    in_sdist = {PurePosixPath(*PurePosixPath(name).parts[1:]) for name in archive.getnames()}

PACKAGE = PurePosixPath("rekog_emotion")
WEIGHTS = PACKAGE / "embedded" / "weights"
needed = {PACKAGE / "__init__.py", PACKAGE / "py.typed", WEIGHTS / "NOTICE", WEIGHTS / "manifest.json"}
information = next(name.parent for name in in_wheel if name.name == "METADATA")
networks = {name for name in in_sdist if name.suffix in {".onnx", ".npz"}}

problems = [f"the wheel lacks {name}" for name in needed | networks if name not in in_wheel]
problems += [f"the sdist lacks {name}" for name in needed if name not in in_sdist]
top_level = {name.parts[0] for name in in_sdist if name.parts}
problems += [f"the sdist lacks {name}" for name in ("README.md", "tests", "docs") if name not in top_level]
problems += [] if networks else ["there are no networks"]
for licence in ("LICENSE", "rekog_emotion/embedded/weights/NOTICE"):
    if information / "licenses" / licence not in in_wheel:
        problems.append(f"the wheel's information lacks {licence}")
problems += [f"the wheel has {name}" for name in in_wheel if name.parts[0] not in {"rekog_emotion", information.name}]
problems += [f"there is {name}" for name in in_wheel | in_sdist if name.suffix == ".pyc"]
for problem in sorted(problems):
    print(problem, file=sys.stderr)
print(f"{len(in_wheel)} files in the wheel, {len(networks)} of them networks; {len(in_sdist)} in the sdist")
sys.exit(bool(problems))
