"""The reference can be trusted: what the code offers, it has a line about."""

import argparse
import ast
import re
from collections.abc import Iterator

from rapport.cli.main import parser
from rapport.events.models import Event
from tests.architecture.tree import CHECKOUT, DOCS, RAPPORT, modules

CONFIGURATION = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
COMMANDS = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
EVENTS = (DOCS / "reference" / "events.md").read_text(encoding="utf-8")


def test_every_variable_is_documented_and_every_documented_one_exists() -> None:
    settings = next(module for module in modules() if module.path == RAPPORT / "settings.py")
    read = {
        node.value
        for node in settings.nodes()
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"RAPPORT_[A-Z_]+", node.value)
    }

    assert set(re.findall(r"^## `(RAPPORT_[A-Z_]+)`", CONFIGURATION, re.MULTILINE)) == read


def test_every_command_is_documented_and_every_documented_one_exists() -> None:
    offered = {" ".join(words) for words, _ in _commands(parser())}

    assert set(re.findall(r"^## `rapport ([a-z][a-z ]*?)(?: [A-Z[].*)?`$", COMMANDS, re.MULTILINE)) == offered


def test_every_option_is_documented_with_its_command() -> None:
    missing = [
        f"{' '.join(words)} {option}"
        for words, command in _commands(parser())
        for action in command._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help" and f"`{option}" not in _section(" ".join(words))
        if action.help != argparse.SUPPRESS
    ]

    assert missing == []


def test_every_documented_option_exists() -> None:
    offered = {
        " ".join(words): {name for action in command._actions for name in action.option_strings}
        for words, command in _commands(parser())
    }
    invented = [
        f"{command} {option}"
        for command, options in offered.items()
        for line in re.findall(r"^- (`--.*)", _section(command), re.MULTILINE)
        for option in re.findall(r"`(--[a-z-]+)", line.partition(":")[0])
        if option not in options
    ]

    assert invented == []


def test_every_event_is_documented_and_every_documented_one_exists() -> None:
    assert set(re.findall(r"^\| `([a-z-]+)`", EVENTS, re.MULTILINE)) == set(Event.Kind.values)


def test_every_package_is_on_the_map() -> None:
    packages = {path.parent.name for path in RAPPORT.glob("*/__init__.py")}
    architecture = (DOCS / "architecture.md").read_text(encoding="utf-8")

    assert {package for package in packages if f"`{package}`" not in architecture} == set()


def test_every_link_in_our_pages_leads_somewhere() -> None:
    pages = [*CHECKOUT.glob("*.md"), *DOCS.rglob("*.md")]
    broken = [
        f"{page.relative_to(CHECKOUT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


def _commands(
    command: argparse.ArgumentParser, *words: str
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Every command that does something: those that only lead to others are left out."""
    groups = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield words, command
    for group in groups:
        for word, inner in group.choices.items():
            yield from _commands(inner, *words, word)


def _section(command: str) -> str:
    """What the reference says of one command, and of all."""
    pieces = re.split(r"^## ", COMMANDS, flags=re.MULTILINE)
    return pieces[0] + "".join(piece for piece in pieces[1:] if re.match(rf"`rapport {re.escape(command)}[`\s]", piece))
