"""How Sphinx builds the documentation.

It needs no network: what Python's own documentation has is looked up in a list of the names that these pages use.
"""

import re
from importlib import metadata
from pathlib import Path
from typing import no_type_check

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

project = "rekog-emotion"
author = "The rekog-emotion authors"
copyright = f"{author}; Apache-2.0"  # noqa: A001 -- Sphinx's name for it
release = metadata.version("rekog-emotion")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"rekog-emotion {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# The notebook is shown as it lies there; a test runs it.
nb_execution_mode = "off"

# Neither prompts nor what comes out is copied; what a program prints has no button.
copybutton_exclude = ".linenos, .gp, .go"
copybutton_selector = "div:not(.highlight-text) > div.highlight pre"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
maximum_signature_line_length = 88
autosummary_generate = False
# Attributes are described in the docstring of their class.
napoleon_use_ivar = True
napoleon_attr_annotations = False  # signatures have the types, by their short names

intersphinx_mapping = {"python": ("https://docs.python.org/3", "python.inv")}

nitpick_ignore_regex = [
    # Others' types, of whose documentation there is no list here.
    (r"py:.*", r"(PIL|Image|numpy|np|pandas|pd|pyarrow|pa|matplotlib|sv|starlette|botocore|boto3|aiobotocore)\..*"),
    (r"py:class", r"AioSession|Config|Dataset|Figure|Session|AbstractAsyncContextManager"),
    (r"py:class", r"concurrent\.futures\._base\.Future"),
    (r"py:exc", r"CancelledError"),  # asyncio's
    # Types whose text was taken apart at a comma within their brackets.
    (r"py:class", r"collections\.abc\.\w+\[.*"),
    # Variables of types, which say that two places have the same one.
    (r"py:class", r"(rekog_emotion\.results\.(outcomes|reliable)\.)?[AST]"),
]

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_MADE = {"Acceleration", "VideoJob"}
_TYPES = (Path(__file__).parent / "reference" / "types.md").read_text(encoding="utf-8")
_SHORT = {*re.findall(r"py:type:: (\w+)", _TYPES), "AioSession", "Figure", "Session", "Timeline", "Track"}
_PAGE = re.compile(r"\]\(([\w/-]+)\.(?:md|ipynb)\)")


def add_navigation(_app: Sphinx, name: str, source: list[str]) -> None:
    """Make the navigation of the links on the start page, which stays plain Markdown for readers elsewhere."""
    if name != "index":
        return
    _, *sections = _HEADING.split(source[0])
    for caption, text in zip(sections[::2], sections[1::2], strict=True):
        pages = dict.fromkeys(_PAGE.findall(text))
        if pages:
            source[0] += "\n".join(["\n```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```\n"])


def find_short(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.Element
) -> nodes.Element | None:
    """Find what a docstring or a signature calls by its short name, or by the room in which it lives."""
    target = node.get("reftarget", "")
    domain = env.domains["py"]
    for full in (f"rekog_emotion.{target}", f"rekog_emotion.results.timeline.{target}", target.rpartition(".")[2]):
        found = domain.resolve_xref(env, node["refdoc"], app.builder, "obj", full, node, content)
        if node.get("refdomain") == "py" and found is not None:
            return found
    return None


def hide_construction(
    _app: Sphinx, what: str, _name: str, thing: object, _options: object, _signature: str, _returns: str
) -> tuple[str, str] | None:
    """Leave out how a thing is made that the library alone makes: jobs, errors, and what is a protocol."""
    made_here = what == "exception" or getattr(thing, "_is_protocol", False) or getattr(thing, "__name__", "") in _MADE
    return ("", "") if what in {"class", "exception"} and made_here else None


def keep_as_written(_app: Sphinx, thing: object, _bound: object) -> None:
    """Let a signature call by name what has a place among the types of arguments, or is ``Any`` at run time."""
    function = getattr(thing, "__func__", thing)
    written = " ".join(map(str, getattr(function, "__annotations__", {}).values()))
    if _SHORT.intersection(re.findall(r"\w+", written)):
        no_type_check(function)  # or Sphinx would resolve the names, and show what they stand for


def setup(app: Sphinx) -> None:
    """Add what is our own."""
    app.connect("autodoc-before-process-signature", keep_as_written)
    app.connect("source-read", add_navigation)
    app.connect("missing-reference", find_short)
    app.connect("autodoc-process-signature", hide_construction)


# Ray is large, and an extra that the other ones do not bring.
autodoc_mock_imports = ["ray"]
