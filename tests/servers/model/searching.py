"""What a SEARCH looks for, and whether a message has it (RFC 9051, 6.4.4)."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

from tests.servers.model.session import Bad, atom, raw
from tests.servers.model.truth import Letter
from tests.servers.model.wire import Token

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
Test = Callable[[int, int, Letter], bool]
_FLAGS = {"SEEN", "ANSWERED", "FLAGGED", "DELETED", "DRAFT"}
_SET = re.compile(r"(\d+|\*)(:(\d+|\*))?(,(\d+|\*)(:(\d+|\*))?)*")


class Criteria:
    """All of these have to hold. ``late`` is how far the server's clock is behind."""

    def __init__(self, words: list[Token], told: list[int], late: timedelta) -> None:
        self._told = told
        self._late = late
        self.range_above_all = False
        """Whether it names UIDs above every message there is."""
        self.by_modseq = False
        """Whether it asks for mod-sequences."""
        self._tests = self._all(list(words))
        if not self._tests:
            raise Bad("SEARCH for what?")

    def match(self, sequence: int, uid: int, letter: Letter) -> bool:
        """Whether a message is looked for."""
        return all(test(sequence, uid, letter) for test in self._tests)

    def _all(self, words: list[Token]) -> list[Test]:
        tests = []
        while words:
            tests.append(self._next(words))
        return tests

    def _next(self, words: list[Token]) -> Test:
        """One key, with its arguments taken off the list."""
        first = words.pop(0)
        if isinstance(first, list):
            inner = self._all(list(first))
            return lambda *told: all(test(*told) for test in inner)
        key = atom(first).upper()
        if _SET.fullmatch(key):
            return self._set(key, by_uid=False)
        if key.removeprefix("UN") in _FLAGS:
            flag, wanted = f"\\{key.removeprefix('UN').title()}", not key.startswith("UN")
            return lambda sequence, uid, letter: (flag in letter.flags) is wanted
        return self._word(key, words)

    def _word(self, key: str, words: list[Token]) -> Test:
        if key == "ALL":
            return lambda *told: True
        if key == "UID":
            return self._set(atom(words.pop(0)), by_uid=True)
        if key == "NOT":
            other = self._next(words)
            return lambda *told: not other(*told)
        if key == "OR":
            one, two = self._next(words), self._next(words)
            return lambda *told: one(*told) or two(*told)
        if key in ("SINCE", "BEFORE", "ON"):
            return self._day(key, _date(atom(words.pop(0))))
        self.by_modseq = self.by_modseq or key == "MODSEQ"
        return _content(key, words)

    def _set(self, text: str, *, by_uid: bool) -> Test:
        star = max(self._told, default=0) if by_uid else len(self._told)
        spans = []
        for piece in text.split(","):
            ends = [star if end == "*" else int(end) for end in (piece.split(":") * 2)[:2]]
            spans.append((min(ends), max(ends)))
        self.range_above_all = self.range_above_all or (by_uid and all(low > star for low, _ in spans))
        if not by_uid and any(high > star for _, high in spans):
            raise Bad("No such message.")
        return lambda sequence, uid, letter: any(low <= (uid if by_uid else sequence) <= high for low, high in spans)

    def _day(self, key: str, day: date) -> Test:
        """By INTERNALDATE, its own time zone disregarded."""

        def test(sequence: int, uid: int, letter: Letter) -> bool:
            here = (letter.when - self._late).date()
            return {"SINCE": here >= day, "BEFORE": here < day, "ON": here == day}[key]

        return test


def _content(key: str, words: list[Token]) -> Test:
    """Keys with an argument about what a message is or holds. Raises Bad."""
    if key in ("LARGER", "SMALLER", "MODSEQ"):
        number = int(atom(words.pop(0)))
        if key == "MODSEQ":
            return lambda sequence, uid, letter: letter.modseq >= number
        return lambda sequence, uid, letter: (
            (len(letter.raw) > number) is (key == "LARGER") and len(letter.raw) != number
        )
    if key in ("KEYWORD", "UNKEYWORD"):
        flag = atom(words.pop(0)).lower()
        return lambda sequence, uid, letter: (flag in {one.lower() for one in letter.flags}) is (key == "KEYWORD")
    if key == "HEADER":
        name, text = raw(words.pop(0)).lower(), raw(words.pop(0)).lower()
        return lambda sequence, uid, letter: _header_has(letter.raw, name, text)
    if key in ("SUBJECT", "FROM", "TO"):
        name, text = key.lower().encode(), raw(words.pop(0)).lower()
        return lambda sequence, uid, letter: _header_has(letter.raw, name, text)
    raise Bad(f"Unknown search key {key}.")


def _header_has(octets: bytes, name: bytes, text: bytes) -> bool:
    head = octets.partition(b"\r\n\r\n")[0].lower() + b"\r\n"
    fields = re.findall(rb"(?m)^" + re.escape(name) + rb":([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", head)
    return any(text in field for field in fields)


def _date(text: str) -> date:
    found = re.fullmatch(r"(\d{1,2})-(\w{3})-(\d{4})", text)
    if not found or found[2].lower() not in MONTHS:
        raise Bad("Not a date.")
    return datetime(int(found[3]), MONTHS.index(found[2].lower()) + 1, int(found[1])).date()  # a day
