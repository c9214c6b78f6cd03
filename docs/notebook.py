"""Make the pages of the tutorial one notebook, and run it: ``python docs/notebook.py`` (extra ``test``).

``--check`` runs it, too, and fails where a cell fails, or the notebook that lies there has other cells or other kinds
of outputs. Numbers may differ between machines, and are not compared.
"""

from __future__ import annotations

import argparse
import doctest
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode, v4

DOCS: Final = Path(__file__).parent
NOTEBOOK: Final = DOCS / "tutorial.ipynb"
PAGES: Final = ("photo", "many", "video")
CODE: Final = re.compile(r"^```python\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\]\((?:\.\./)?([^)\s:]+)\)")
BEGINNING: Final = """# The tutorial as a notebook

Three pages in one: [a photo](tutorial/photo.md), [a group and a folder](tutorial/many.md),
[a video](tutorial/video.md). Emotions are how a face looks, not what a person feels. It lies in `docs/`, and works in
the folder of the checkout:"""


def cells() -> Iterator[NotebookNode]:
    """Yield the cells that the pages give, without what came out; each title but their common one is one deeper."""
    yield v4.new_markdown_cell(BEGINNING)
    yield v4.new_code_cell("%cd -q ..")
    for name in PAGES:
        title, *parts = re.split(r"\n## ", (DOCS / f"tutorial/{name}.md").read_text(encoding="utf-8"))
        text = "\n### ".join([f"#{title.splitlines()[0]}\n", *parts])
        for number, piece in enumerate(CODE.split(text)):
            if number % 2:
                yield from programs(piece)
            elif piece.strip():
                yield v4.new_markdown_cell(LINK.sub(placed, piece.strip()))


def placed(link: re.Match[str]) -> str:
    """Return a link as it leads from the notebook, one folder above the pages."""
    inner = (DOCS / "tutorial" / link[1].partition("#")[0]).exists() and not link[0].startswith("](../")
    return f"](tutorial/{link[1]})" if inner else f"]({link[1]})"


def programs(block: str) -> Iterator[NotebookNode]:
    """Yield the cells of a block: one ends where something comes out."""
    lines: list[str] = []
    for example in doctest.DocTestParser().get_examples(block):
        lines.append(example.source.rstrip("\n"))
        if example.want:
            yield v4.new_code_cell("\n".join(lines))
            lines = []
    if lines:
        yield v4.new_code_cell("\n".join(lines))


def whole() -> NotebookNode:
    """Return the notebook, not yet run."""
    made = list(cells())
    for number, cell in enumerate(made):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=made, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def run(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run a notebook beside a copy of the pictures; it leaves its files there."""
    shutil.copytree(DOCS.parent / "tests/data", folder / "tests/data")
    (folder / "docs").mkdir()
    os.environ["IPYTHONDIR"] = str(folder / "ipython")
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder / "docs")}})
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
    return notebook


def kinds(notebook: NotebookNode) -> list[tuple[str, list[list[str]]]]:
    """Return what a notebook holds without its numbers: the sources, and of what kinds their outputs are."""
    return [
        (cell.source, [sorted(output.get("data", [output.get("name", "")])) for output in cell.get("outputs", ())])
        for cell in notebook.cells
    ]


def main() -> None:
    """Write the notebook, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = run(whole(), Path(folder))
    if asked.check:
        kept = nbformat.read(NOTEBOOK, as_version=4)
        for ours, theirs in zip(kinds(made), kinds(kept), strict=True):
            assert ours == theirs, f"run python docs/notebook.py: {ours} is not {theirs}"
    else:
        nbformat.write(made, NOTEBOOK)


if __name__ == "__main__":
    main()
