"""The list of what goes wrong between a reader and a mail server (sync hazards, C 1 to 71), and that each has its test.

A test names the hazards it is about in its docstring: "Hazard 25.", "Hazards 5 and 6."
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
_NAMED = re.compile(r"\bhazards? ((?:\d+(?:, | and |,\s+)?)+)", re.IGNORECASE)

WRITING = {
    41: "names that cannot be created",
    44: "a message of ours that is only seen after a new SELECT; reading always begins with one",
    45: "keywords that cannot be stored",
    46: "what to do with \\Deleted: it is read like every flag",
    47: "EXPUNGE",
    48: "COPY and MOVE without UIDPLUS",
    49: "COPYUID and APPENDUID",
    50: "MOVE that was half done",
    51: "COPY that changes dates: for the identity of messages that we move",
    52: "APPEND",
}
NEVER_ASKED = {
    31: "SEARCH with words, and so with a character set: we search for numbers and dates",
    56: "BODYSTRUCTURE: structure is read from the bytes",
}
ELSEWHERE = {
    33: ("sync/test_passes.py", "test_the_same_bytes_twice_are_one_message_in_two_places"),
    67: ("mail/test_threading.py", "test_no_id_never_equals_no_id"),
    68: ("sync/test_passes.py", "test_one_message_id_on_different_bytes_is_two_messages"),
    69: ("mime/test_corpus.py", "test_a_mail_is_read_as_its_note_says"),
    70: ("mime/test_any_bytes.py", "test_any_bytes_are_read"),
    71: ("mime/test_any_bytes.py", "test_any_bytes_are_read"),
}
"""Tests of other packages that are about one without naming it."""


@cache
def _tests() -> dict[tuple[str, str], str]:
    """Every test, as file and name, with its docstring."""
    return {
        (str(path.relative_to(TESTS)), node.name): ast.get_docstring(node) or ""
        for path in sorted(TESTS.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@cache
def _named() -> frozenset[int]:
    """The hazards that are named by any."""
    texts = (numbers for text in _tests().values() for numbers in _NAMED.findall(text))
    return frozenset(int(number) for numbers in texts for number in re.findall(r"\d+", numbers))


@pytest.mark.parametrize("hazard", [*(number for number in range(1, 72) if number not in WRITING | NEVER_ASKED)])
def test_every_hazard_of_reading_has_a_test(hazard: int) -> None:
    assert hazard in _named() or ELSEWHERE.get(hazard) in _tests()


def test_what_is_said_to_be_elsewhere_is_there() -> None:
    assert set(ELSEWHERE.values()) - set(_tests()) == set()
