"""The mutants of a file: one operator, comparison, boolean or condition changed, by Cosmic Ray's operators and ours."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from parso.tree import NodeOrLeaf

from tests.mutation.operators import OWN

__all__ = ["Mutant", "equivalents", "mutants_of"]

_COMPARISONS: Final = (
    *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
    *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
)
_ARITHMETIC: Final = (
    *("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul"),
    *("LShift_RShift", "RShift_LShift", "BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitOr"),
)
_NAMES: Final = (
    *(f"ReplaceComparisonOperator_{name}" for name in _COMPARISONS),
    *(f"ReplaceBinaryOperator_{name}" for name in _ARITHMETIC),
    *(f"ReplaceUnaryOperator_{name}" for name in ("USub_UAdd", "Delete_Invert", "Delete_Not")),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd", "AddNot"),
)
_OPERATORS: Final[Mapping[str, Any]] = {**{name: get_operator(f"core/{name}") for name in _NAMES}, **OWN}
# Where a star is none of arithmetic: in parameters, and where a dict or list is unpacked.
_STARS: Final = {"parameters", "lambdef", "atom", "dictorsetmaker"}


@frozen
class Mutant:
    """One change of one file.

    Attributes:
        path: The file, from the project's root on.
        line: Of the change, from 1 on.
        function: In which it is; empty at the top of the file.
        before: The line as it is.
        after: The line as it becomes.
        source: The whole file as it becomes.
    """

    path: str
    line: int
    function: str
    before: str
    after: str
    source: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.path}:{self.line} ({self.function or 'module'})  {self.before}  ->  {self.after}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is known by however far lines move."""
        return self.path, self.function, self.before, self.after


def mutants_of(root: Path, path: str, *, line: str | None = None) -> list[Callable[[], Mutant | None]]:
    """Return what makes each mutant of a file, and nothing of what is no Python, such as an operator in a pattern.

    Annotations, types and constants are apart, and so is what another mutant does: a comparison turned round is its own
    negation.

    Args:
        root: The project's root.
        path: The file, from there on.
        line: What the line reads; any line by default.
    """
    source = (root / path).read_text(encoding="utf-8")
    apart, lines = list(_apart(source)), [one.strip() for one in source.split("\n")]
    return [
        partial(_made, source, path, name, occurrence, node, begin[0])
        for name, kind in _OPERATORS.items()
        for occurrence, (node, begin) in enumerate(
            (node, begin) for node in ast_nodes(get_ast(source)) for begin, _ in kind().mutation_positions(node)
        )
        if line in {None, lines[begin[0] - 1]}
        if not any(first <= begin < last for first, last in apart) and not _is_apart(name, node, begin)
    ]


def _made(source: str, path: str, name: str, occurrence: int, node: NodeOrLeaf, line: int) -> Mutant | None:
    mutated = mutate_code(source, _OPERATORS[name](), occurrence)
    try:
        compile(mutated, path, "exec")
    except SyntaxError:
        return None
    return Mutant(
        path=path,
        line=line,
        function=ASTQuery(node).get_definition_name() or "",
        before=source.split("\n")[line - 1].strip(),
        after=mutated.split("\n")[line - 1].strip(),
        source=mutated,
    )


def _is_apart(name: str, node: NodeOrLeaf, begin: tuple[int, int]) -> bool:
    if node.type == "operator":
        return node.value in {"*", "**"} and node.parent.type in _STARS
    negated = next((child for child in getattr(node, "children", ()) if child.start_pos == begin), None)
    return name in {"AddNot", "Condition"} and negated is not None and negated.type in {"comparison", "not_test"}


def equivalents() -> Mapping[tuple[str, str, str, str], str]:
    """Return the mutants that are the same program, with the reason of each; ``equivalent.toml`` lists them."""
    listed = tomllib.loads(Path(__file__).with_name("equivalent.toml").read_text(encoding="utf-8"))
    return {(one["path"], one["function"], one["before"], one["after"]): one["reason"] for one in listed["equivalent"]}


def _apart(source: str) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield where what is no decision begins and ends: annotations, what only type checkers read, and constants."""
    lines = source.encode().split(b"\n")

    def column(row: int, offset: int) -> int:
        return len(lines[row - 1][:offset].decode())  # Python counts bytes, parso characters

    tree = ast.parse(source)
    nodes: list[ast.AST | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            nodes.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes.append(node.returns)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            nodes.append(node)
    # Types and tuned constants: whoever changes one changes what a test would have to repeat.
    nodes += [node.value for node in tree.body if isinstance(node, ast.AnnAssign) and _is_constant(node)]
    nodes += [node.value for node in tree.body if isinstance(node, ast.Assign) and _is_variable_of_types(node.value)]
    for node in nodes:
        if isinstance(node, ast.expr | ast.stmt) and node.end_lineno is not None and node.end_col_offset is not None:
            end = node.end_lineno, column(node.end_lineno, node.end_col_offset)
            yield (node.lineno, column(node.lineno, node.col_offset)), end


def _is_constant(node: ast.AnnAssign) -> bool:
    return ast.unparse(node.annotation).split("[")[0] in {"Final", "TypeAlias"}


def _is_variable_of_types(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in {"TypeVar", "ParamSpec"}
