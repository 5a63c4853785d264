"""The rules of docs/architecture.md that import contracts cannot see."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import CHECKOUT, RAPPORT, Module, modules

WINDOWS = {"web", "api"}
SIGNALS = re.compile(r"\bdjango\.dispatch\b|\b(?:pre|post)_(?:save|delete|init|migrate)\b|\bm2m_changed\b|\breceiver\b")


def test_pages_never_query_a_table_themselves() -> None:
    """Rows come from ``access`` or ``search``: ``.objects`` in a window would walk around the door."""
    found = [
        module.at(node)
        for module in modules()
        if module.package in WINDOWS
        for node in module.nodes()
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager", "_base_manager"}
    ]

    assert found == []


def test_imports_stand_at_the_top_of_the_file() -> None:
    """An import inside a function means that a package is in the wrong place."""
    found = [
        module.at(node)
        for module in modules()
        for function in module.functions()
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert found == []


def test_no_module_of_ours_is_imported_by_its_name_in_a_string() -> None:
    """``import_module`` and ``get_model`` would hide a dependency from the contracts."""
    found = [
        module.at(node)
        for module in modules()
        for node in module.nodes()
        if isinstance(node, ast.Call) and _hides_an_import(node)
    ]

    assert found == []


def test_nothing_happens_behind_a_verbs_back() -> None:
    """No signals: what ``archive`` does can be read in ``archive``."""
    found = [
        module.at(node)
        for module in modules()
        for node in module.nodes()
        if (isinstance(node, ast.ImportFrom | ast.Import) and SIGNALS.search(ast.unparse(node)))
        or (isinstance(node, ast.Attribute) and SIGNALS.search(node.attr))
    ]

    assert found == []


def test_saving_and_deleting_a_row_mean_nothing_more() -> None:
    """No model overrides ``save`` or ``delete``."""
    found = [
        module.at(node)
        for module in modules()
        if module.path.name == "models.py" or module.path.parent.name == "models"
        for node in module.functions()
        if node.name in {"save", "delete", "asave", "adelete", "save_base"}
    ]

    assert found == []


def test_every_module_says_in_its_first_line_what_it_is() -> None:
    found = [module.at(module.tree) for module in modules() if module.source.strip() and not _docstring(module)]

    assert found == []


def test_every_package_opens_with_one_sentence() -> None:
    """``head -1 rapport/*/__init__.py`` is the map."""
    packages = [module for module in modules() if module.path.parent.parent == RAPPORT]
    openings = {
        module.at(module.tree): _docstring(module).splitlines()[:1]
        for module in packages
        if module.path.name == "__init__.py"
    }
    wrong = [place for place, first in openings.items() if not first or not re.fullmatch(r"[A-Z][^\n]+\.", first[0])]

    assert wrong == []


def test_only_the_settings_read_the_environment() -> None:
    """What decides how an installation behaves is in one file, and in docs/reference/configuration.md."""
    found = [
        module.at(node)
        for module in modules()
        if module.path != RAPPORT / "settings.py"
        for node in module.nodes()
        if _reads_the_environment(node)
    ]

    assert found == []


def test_nothing_is_left_for_later_in_the_code() -> None:
    """What is still to do is an issue, where people look for it."""
    found = [
        f"{module.path.relative_to(CHECKOUT)}:{number}"
        for module in modules()
        for number, line in enumerate(module.source.splitlines(), 1)
        if re.search(r"\b(?:TODO|FIXME|XXX|HACK)\b", line)
    ]

    assert found == []


def test_no_path_of_somebodys_machine_is_in_the_tree() -> None:
    own = re.compile(r"/(?:home|Users|root|work|opt/pypi)/(?!\.)[\w.-]+|/tmp/[a-z]\w+")
    found = [
        f"{path.relative_to(CHECKOUT)}:{number}"
        for path in _texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if own.search(line)
    ]

    assert found == []


def test_every_command_in_bin_is_short_enough_to_read() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in (CHECKOUT / "bin").iterdir()}
    shared = lengths.pop(".setup")

    assert {name for name, length in lengths.items() if length >= 30} == set()
    assert shared < 100


def _texts() -> Iterator[Path]:
    for folder in ("rapport", "docs", "bin", "requirements", ".ci"):
        for path in sorted((CHECKOUT / folder).rglob("*")):
            if path.suffix in {".py", ".md", ".html", ".css", ".js", ".lock", ".toml"} or path.parent.name in {
                "bin",
                ".ci",
            }:
                yield path
    yield from (path for path in sorted(CHECKOUT.glob("*.*")) if path.suffix in {".md", ".toml"})


def _docstring(module: Module) -> str:
    return ast.get_docstring(module.tree) or ""


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _hides_an_import(call: ast.Call) -> bool:
    """What a setting of Django names, such as its session engine, is no dependency of ours."""
    if _name(call.func) not in {"import_module", "import_string", "__import__", "get_model"}:
        return False
    return _name(call.func) == "get_model" or "rapport" in ast.unparse(call)


def _reads_the_environment(node: ast.AST) -> bool:
    """Reading a variable. Setting one, or handing all of them to a child process, decides nothing here."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in {"environ", "getenv"} for alias in node.names)
    if isinstance(node, ast.Call):
        return _name(node.func) == "getenv" or ast.unparse(node.func) in {"os.environ.get", "os.environ.pop"}
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.value) == "os.environ" and isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.Compare) and any(ast.unparse(side) == "os.environ" for side in node.comparators)
