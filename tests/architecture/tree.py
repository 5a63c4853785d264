"""Rapport's source as these tests read it: parsed, never imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
RAPPORT = CHECKOUT / "rapport"
DOCS = CHECKOUT / "docs"


@dataclass(frozen=True)
class Module:
    """One file of ours."""

    path: Path
    source: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The package of the map it belongs to: ``web``, ``mail``; for a file at the top, its own name."""
        return self.path.relative_to(RAPPORT).parts[0].removesuffix(".py")

    def at(self, node: ast.AST) -> str:
        """Where something stands, as an editor opens it."""
        return f"{self.path.relative_to(CHECKOUT)}:{getattr(node, 'lineno', 1)}"

    def nodes(self) -> Iterator[ast.AST]:
        """Everything in it."""
        return ast.walk(self.tree)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method in it."""
        return (node for node in self.nodes() if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def modules() -> tuple[Module, ...]:
    """Every module but migrations, which Django writes."""
    paths = sorted(path for path in RAPPORT.rglob("*.py") if "migrations" not in path.parts)
    return tuple(_read(path) for path in paths)


def _read(path: Path) -> Module:
    source = path.read_text(encoding="utf-8")
    return Module(path, source, ast.parse(source, str(path)))
