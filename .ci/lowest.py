"""Print the lowest versions that the project allows: ``lowest.py pyproject.toml NAME...``."""

import re
import sys
import tomllib
from pathlib import Path

path, *names = sys.argv[1:]
dependencies = tomllib.loads(Path(path).read_text())["project"]["dependencies"]
bounds = dict(re.fullmatch(r"([\w-]+)>=([\d.]+).*", dependency).groups() for dependency in dependencies)
for name in names:
    # 1.40 and 1.40.0 are the same version, but a missing part would match any.
    print(f"{name}=={'.'.join([*bounds[name].split('.'), '0', '0'][:3])}")
