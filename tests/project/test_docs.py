import argparse
import re
import runpy
import tomllib
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt

import rekog_emotion as rekog
from rekog_emotion import errors
from rekog_emotion.clients.failures import ERRORS
from rekog_emotion.commands.cli import build_parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
# The reference is made by Sphinx; all else is read where the repository lies, too.
PLAIN = [path for path in PAGES if "reference" not in path.parts]
LINK = re.compile(r"\]\(([^)\s]+)\)")
# What MyST and reStructuredText have beyond Markdown: directives, roles, targets, definition lists.
DIRECTIVE = re.compile(r"^\s*(:::|\.\. \w+::)|^\([\w-]+\)=$|^: +\S", re.MULTILINE)
ROLE = re.compile(r"\{[\w:-]+\}`")
PIP = re.compile(r"pip install (?:-\w+ )*'(?:\.|rekog-emotion)\[([\w,]+)\]'")
each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def pieces(path):
    """Return a page's texts, the words after its fences, and the anchors of its headings, as GitHub renders it."""
    texts, fences, anchors = [], [], []
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "fence":
            fences.append(token.info)
        elif token.type == "inline":
            texts.append(token.content)
            if before.type == "heading_open":
                words = "".join(one.content for one in token.children)
                slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
                anchors.append(f"{slug}-{anchors.count(slug)}" if slug in anchors else slug)
    return texts, fences, anchors


def words(text):
    """Return a text without its line breaks, which depend on the width of the terminal."""
    return " ".join(text.split())


def parsers():
    """Give the parser of the command and those of its subcommands."""
    whole = build_parser()
    (commands,) = (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    return [whole, *commands.choices.values()]


@pytest.mark.parametrize("parser", parsers(), ids=lambda parser: parser.prog)
def test_help_is_in_the_reference(parser):
    """The page on the command line has every help text as it is printed."""
    page = words((ROOT / "docs/reference/cli.md").read_text())

    for part in (parser.description, parser.epilog, *(action.help or "" for action in parser._actions)):
        assert words(part) in page
    for action in parser._actions:
        for option in action.option_strings:
            assert option in page


def test_every_public_name_is_in_the_reference():
    """The reference describes all of ``__all__``, each name once."""
    pages = "\n".join(path.read_text() for path in ROOT.glob("docs/reference/*.md"))
    described = re.findall(r"^\.\. auto\w+:: rekog_emotion\.(\w+)$", pages, re.MULTILINE)

    assert sorted(rekog.__all__) == sorted(described)


def test_the_reference_describes_nothing_private():
    """A class that nobody is given by its name has no page."""
    pages = "\n".join(path.read_text() for path in ROOT.glob("docs/reference/*.md"))

    assert re.findall(r"^\.\. \w+:: rekog_emotion\S*\._\S*$", pages, re.MULTILINE) == []


def test_tree_of_errors_is_that_of_the_module():
    """The reference draws the same tree as the docstring."""
    tree = re.search(r"^    RekogEmotionError$.*?\n\n", errors.__doc__, re.MULTILINE | re.DOTALL).group()

    assert words(tree) in words((ROOT / "docs/reference/errors.md").read_text())


def test_the_list_of_names_is_whole():
    """The page of every public name lists each once, and each public name of a public module has a description."""
    listed = re.findall(r"^   (\w+)$", (ROOT / "docs/reference/index.md").read_text(), re.MULTILINE)
    pages = "\n".join(path.read_text() for path in ROOT.glob("docs/reference/*.md"))
    inner = {
        f"rekog_emotion.{module}.{name}"
        for module in ("aio", "embedded", "server", "testing")
        for name in import_module(f"rekog_emotion.{module}").__all__
    }

    assert sorted(listed) == sorted(rekog.__all__)
    assert sorted(inner - set(re.findall(r"^\.\. auto\w+:: (\S+)$", pages, re.MULTILINE))) == []


def test_the_table_of_members_is_that_of_the_code():
    """The page on the wire is what its script writes."""
    script = runpy.run_path(str(ROOT / "docs/wire.py"))

    assert script["page"]() == script["PAGE"].read_text(encoding="utf-8"), "run python docs/wire.py"


def test_the_drawing_of_the_folders_is_that_of_the_rule():
    """The picture of the design is what its script draws."""
    script = runpy.run_path(str(ROOT / "docs/house.py"))

    assert script["drawing"]() == script["PICTURE"].read_text(encoding="utf-8"), "run python docs/house.py"


def test_every_error_has_an_entry():
    """The page on errors has each class with cause and cure, and each code of the service under its class."""
    page = (ROOT / "docs/how-to/errors.md").read_text(encoding="utf-8")
    entries = dict(re.findall(r"^### (\w+)$\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL))

    assert sorted(entries) == sorted(set(errors.__all__) - {"RekogEmotionError"})
    assert [name for name, text in entries.items() if "- **Cause**: " not in text or "- **Cure**: " not in text] == []
    assert {
        code: name for name, text in entries.items() for code in re.findall(r"`(\w+)`", text.partition("- **")[0])
    } == {code: kind.__name__ for code, kind in ERRORS.items()}


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: str(path.relative_to(ROOT)))
def test_pages_are_plain_markdown(path):
    """Rendered as GitHub does, a page shows nothing that only Sphinx knows."""
    texts, fences, _ = pieces(path)

    assert [one for one in fences if one.startswith(("{", "eval"))] == []
    assert [one for one in texts if DIRECTIVE.search(one) or ROLE.search(one)] == []


@pytest.mark.parametrize(
    "text", ["```{note}\nx\n```", ":::{tip}\nx\n:::", "see {py:class}`x`", "word\n: meaning", "(here)=\n# x"]
)
def test_sees_what_is_not_plain(text, tmp_path):
    """A directive, a role, a definition and a target are found."""
    (tmp_path / "page.md").write_text(text)
    texts, fences, _ = pieces(tmp_path / "page.md")

    assert fences == ["{note}"] or any(DIRECTIVE.search(one) or ROLE.search(one) for one in texts)


@each_page
def test_links_lead_somewhere(path):
    """Relative links of a page lead to files that are there, those into the package to what is installed."""
    bases = [path.parent, Path(rekog.__file__).parents[1]]
    targets = [link.partition("#")[0] for link in LINK.findall(path.read_text()) if "://" not in link]

    assert [target for target in targets if not any((base / target).exists() for base in bases)] == []


@each_page
def test_anchors_are_there(path):
    """A link to a part of a page leads to one of its headings."""
    links = [link.partition("#") for link in LINK.findall(path.read_text()) if "://" not in link and "#" in link]

    assert [
        f"{page}#{anchor}" for page, _, anchor in links if anchor not in pieces(path.parent / page if page else path)[2]
    ] == []


@each_page
def test_links_to_others_are_well_formed(path):
    """They are of https, have a host with a dot and no space; whether they are there takes the internet to tell."""
    links = [urlsplit(link) for link in LINK.findall(path.read_text()) if "://" in link]

    assert [link.geturl() for link in links if link.scheme != "https" or "." not in (link.hostname or "")] == []


@each_page
def test_extras_that_pages_install_are_there(path):
    """Whatever a page tells to install with pip is an extra of the project."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]

    assert {name for one in PIP.findall(path.read_text()) for name in one.split(",")} - set(extras) == set()


def test_every_extra_is_described():
    """The page on installing has a row for each extra of users."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/install.md").read_text(), re.MULTILINE)

    assert sorted(rows) == sorted(set(extras) - {"dev", "docs", "test"})


def test_every_page_is_on_the_start_page():
    """Whatever there is can be reached from there, which the navigation is made of."""
    start = (ROOT / "docs/index.md").read_text()
    pages = {str(path.relative_to(ROOT / "docs")) for path in PAGES if "docs" in path.relative_to(ROOT).parts}

    assert sorted(pages - {"index.md"} - set(LINK.findall(start))) == []
