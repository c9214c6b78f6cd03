"""What Cosmic Ray's operators leave out: membership, augmented assignments, conditions of elif and comprehensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import parso
from cosmic_ray.operators.operator import Operator
from parso.python.tree import IfStmt
from parso.tree import NodeOrLeaf

__all__ = ["OWN"]

Span = tuple[tuple[int, int], tuple[int, int]]


class _Replacing(Operator):
    """Replaces parts of a node by others."""

    def parts(self, node: NodeOrLeaf) -> Iterator[tuple[int, str]]:
        """Yield the place of a part among the children of a node, and what it becomes."""
        raise NotImplementedError

    def mutation_positions(self, node: NodeOrLeaf) -> Iterator[Span]:
        """Yield where each part begins and ends."""
        for place, _ in self.parts(node):
            yield node.children[place].start_pos, node.children[place].end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Replace one part."""
        place, becomes = list(self.parts(node))[index]
        node.children[place] = parso.parse(f" {becomes}")
        return node

    @classmethod
    def examples(cls) -> tuple[()]:
        """Cosmic Ray's documentation shows these, and ours are not in it."""
        return ()


class Membership(_Replacing):
    """``in`` becomes ``not in``, and the other way round."""

    def parts(self, node: NodeOrLeaf) -> Iterator[tuple[int, str]]:
        """Yield the words between what is compared."""
        if node.type == "comparison":
            for place in range(1, len(node.children), 2):
                word = " ".join(node.children[place].get_code().split())
                if word in {"in", "not in"}:
                    yield place, "not in" if word == "in" else "in"


class Augmented(_Replacing):
    """``+=`` becomes ``-=``, and so on."""

    BECOME: Final[Mapping[str, str]] = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|="}

    def parts(self, node: NodeOrLeaf) -> Iterator[tuple[int, str]]:
        """Yield the operator of an assignment."""
        if node.type == "expr_stmt":
            for place, child in enumerate(node.children):
                if child.get_code().strip() in self.BECOME:
                    yield place, self.BECOME[child.get_code().strip()]


class Condition(_Replacing):
    """The conditions of ``elif`` and of comprehensions become their opposite."""

    def parts(self, node: NodeOrLeaf) -> Iterator[tuple[int, str]]:
        """Yield what follows the word."""
        words = {"elif"} if isinstance(node, IfStmt) else {"if"} if node.type == "comp_if" else set()
        for place, child in enumerate(getattr(node, "children", ())):
            if child.type == "keyword" and child.value in words:
                yield place + 1, f"not ({node.children[place + 1].get_code().strip()})"


OWN: Final[Mapping[str, Any]] = {"Membership": Membership, "Augmented": Augmented, "Condition": Condition}
