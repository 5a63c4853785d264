"""How large things may be. The numbers are a ratchet: they go down when the code allows, and up only with a reason."""

import ast
from statistics import quantiles

from tests.architecture.tree import CHECKOUT, modules

LONGEST_MODULE = 500
LONGEST_FUNCTION = 50
NINETY_PERCENT = 16
"""Nine functions of ten have at most this many lines, their docstrings left out."""


def test_no_module_is_longer_than_a_sitting() -> None:
    lengths = {str(module.path.relative_to(CHECKOUT)): module.source.count("\n") for module in modules()}

    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    found = {
        f"{module.at(function)} {function.name}": _lines(function)
        for module in modules()
        for function in module.functions()
        if _lines(function) > LONGEST_FUNCTION
    }

    assert found == {}


def test_most_functions_are_short() -> None:
    lengths = [_lines(function) for module in modules() for function in module.functions()]

    assert quantiles(lengths, n=10)[-1] <= NINETY_PERCENT


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From ``def`` to its last line, without its docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        whole -= (first.end_lineno or first.lineno) - first.lineno + 1
    return whole
