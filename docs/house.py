"""Draw how the folders of the package stand on each other: ``python docs/house.py``.

It reads the rule of imports where the tests have it, puts each folder above what it may import, and draws a line to
each folder that no other one leads to.
"""

from __future__ import annotations

import runpy
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PICTURE: Final = ROOT / "docs/images/house.svg"
WIDTH, HEIGHT, ACROSS, DOWN, EDGE = 104, 40, 24, 46, 16
SAYS: Final = {
    "wire": "the service's JSON",
    "media": "bytes, pixels",
    "values": "what comes back",
    "sources": "what goes in",
    "people": "who is who",
    "embedded": "offline engine",
    "clients": "who answers",
    "results": "tables, pictures",
    "flows": "decisions",
    "server": "local endpoint",
    "blocking": "threads",
    "aio": "asyncio",
    "live": "cameras",
    "ray": "clusters",
    "showing": "progress",
    "testing": "for your tests",
    "commands": "command line",
}


def rule() -> dict[str, set[str]]:
    """Return what each folder may import of the others."""
    tests = runpy.run_path(str(ROOT / "tests/project/test_layering.py"))
    everyone, may = tests["EVERYONE"], tests["MAY"]
    return {name: set(may[name]) - everyone for name in may if name not in everyone and not name.startswith("__")}


def floors(may: dict[str, set[str]]) -> list[list[str]]:
    """Return the folders from the ground up: each stands above all that it may import."""
    height: dict[str, int] = {}
    while len(height) < len(may):
        for name, below in may.items():
            if below <= height.keys():
                height[name] = 1 + max((height[one] for one in below), default=-1)
    return [[name for name in may if height[name] == floor] for floor in range(max(height.values()) + 1)]


def straight(may: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the imports that no other ones lead to."""
    return [
        (name, one) for name, below in may.items() for one in below if not any(one in may[other] for other in below)
    ]


def drawing() -> str:
    """Return the picture, which takes the colours of light and dark pages."""
    may = rule()
    rows = floors(may)
    widest = max(map(len, rows))
    width, height = widest * (WIDTH + ACROSS) - ACROSS + 2 * EDGE, len(rows) * (HEIGHT + DOWN) - DOWN + 2 * EDGE
    place = {}
    for floor, row in enumerate(rows):
        left = (width - len(row) * (WIDTH + ACROSS) + ACROSS) // 2
        for number, name in enumerate(row):
            place[name] = (left + number * (WIDTH + ACROSS), height - EDGE - HEIGHT - floor * (HEIGHT + DOWN))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>The folders of the package: each stands above what it imports</title>",
        "<style>line{stroke:#8a94a6}rect{fill:#eef2f9;stroke:#4a6fa5}",
        "text{font:600 13px sans-serif;fill:#1b2433;text-anchor:middle}.s{font:400 10.5px sans-serif}</style>",
        f'<rect width="{width}" height="{height}" style="fill:#fff;stroke:none"/>',
    ]
    for name, one in sorted(straight(may)):
        (x, y), (u, v) = place[name], place[one]
        parts.append(f'<line x1="{x + WIDTH // 2}" y1="{y + HEIGHT}" x2="{u + WIDTH // 2}" y2="{v}"/>')
    for name, (x, y) in sorted(place.items()):
        middle = x + WIDTH // 2
        parts.append(f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>')
        parts.append(f'<text x="{middle}" y="{y + 17}">{escape(name)}</text>')
        parts.append(f'<text class="s" x="{middle}" y="{y + 32}">{escape(SAYS.get(name, ""))}</text>')
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(drawing(), encoding="utf-8")
