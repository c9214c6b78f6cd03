"""Put the programs of docs/examples into the pages that link them: ``python docs/programs.py``.

A link to a program at the end of a paragraph is followed by the program itself, so that a page can be read where
nothing but Markdown is known. A test holds both the same.
"""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parent
SHOWN = re.compile(r"(\]\((?:\.\./)?examples/(\w+\.py)\)[^\n]*\n\n```python\n).*?^(```)$", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Write the pages anew."""
    for page in sorted(DOCS.glob("**/*.md")):
        before = page.read_text(encoding="utf-8")
        after = SHOWN.sub(
            lambda found: found[1] + (DOCS / "examples" / found[2]).read_text(encoding="utf-8") + found[3], before
        )
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(page.relative_to(DOCS))


if __name__ == "__main__":
    main()
