import argparse
import re
from pathlib import Path

import pytest

import rekog_emotion as rekog
from rekog_emotion import errors
from rekog_emotion.commands.cli import build_parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


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


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    """Relative links of a page lead to files that are there, those into the package to what is installed."""
    bases = [path.parent, Path(rekog.__file__).parents[1]]
    targets = [link.partition("#")[0] for link in LINK.findall(path.read_text()) if "://" not in link]

    assert [target for target in targets if not any((base / target).exists() for base in bases)] == []
