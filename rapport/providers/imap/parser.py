"""The parser turns a line into a response; tolerant of what real servers send, strict about what would mislead.

A line nobody can read becomes ``Other`` when it is of no kind we use, else ProtocolError. Nothing else comes out.
"""

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from rapport.providers.imap.lexer import Line, ProtocolError
from rapport.providers.imap.responses import (
    Capability,
    Code,
    Continuation,
    Enabled,
    Exists,
    Expunged,
    Fetched,
    Found,
    Listed,
    Namespaces,
    Other,
    Response,
    Status,
    StatusOf,
    Vanished,
)
from rapport.providers.uids import UidSet

Value = str | bytes | None | list["Value"]
"""An atom as text, a string or literal as bytes, NIL as None, a list in parentheses as a list."""

DEPTH = 50
VALUES = 200_000
UID_MAX = 0xFFFFFFFF

# Nearly all lines of a sync have one of these three forms; read at once, they take a fraction of the time.
_QUICK = re.compile(rb"\* (\d{1,10}) FETCH \(UID (\d{1,9}) (?:BODY\[\] |FLAGS \(([^()\"\[\]]*)\)\))", re.IGNORECASE)
_QUICK_META = re.compile(
    rb'\* (\d{1,10}) FETCH \(UID (\d{1,9}) FLAGS \(([^()"\[\]]*)\) INTERNALDATE "([^"\\]{20,40})"'
    rb" RFC822\.SIZE (\d{1,19})\)",
    re.IGNORECASE,
)
_STATUS = re.compile(r"([^ ]+) (OK|NO|BAD|BYE|PREAUTH)(?: +(.*))?", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(r"\[([^\s\]]+)(?: ([^\]]*))?\]? ?(.*)", re.DOTALL)
_NUMBERED = re.compile(rb"\* (\d{1,10}) ([A-Za-z]+) ?")
_NAMED = re.compile(rb"\* ([A-Za-z0-9.=-]+) ?")
# An unterminated quoted string runs to the end of its text. Possessive: no backtracking on hostile input.
_TOKEN = re.compile(
    rb' *+(?:(\()|(\))|"((?:[^"\\]++|\\.?)*+)"?|((?:BODY|BINARY)(?:\.PEEK)?\[[^\]]*+\](?:<\d+>)?|[^ ()"]++))',
    re.IGNORECASE | re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_MONTHS = {name: number for number, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}
# RFC 9051 wants two digits or a space for the day; some servers send one digit (sync.md hazard 55).
_DATE = re.compile(r" *(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d{1,2}):(\d\d):(\d\d)(?: ([+-])(\d\d)(\d\d))?")


def parse(line: Line) -> Response:
    """The response that a line holds."""
    head = line.texts[0]
    if quick := _QUICK.fullmatch(head):
        return _quickly(quick, line)
    if quick := _QUICK_META.fullmatch(head):
        return _quick_meta(quick)
    if head.startswith(b"+"):
        return Continuation(_text(head[1:].strip()))
    if numbered := _NUMBERED.match(head):
        return _parse_numbered(int(numbered[1]), numbered[2].upper(), line, numbered.end())
    status = _STATUS.fullmatch(_text(head))
    if status:
        return _status(status)
    named = _NAMED.match(head)
    if not named:
        raise ProtocolError(f"Not an IMAP response: {_text(head[:80])!r}")
    reader = _READERS.get(named[1].upper())
    return reader(line, named.end()) if reader else Other(_text(named[1].upper()))


def _quickly(found: re.Match[bytes], line: Line) -> Response:
    """A message, or the flags of one."""
    sequence, uid, flags = found.groups()
    if flags is not None and int(uid):
        return Fetched(int(sequence), int(uid), _flags(list(_text(flags).split())))
    if flags is None and int(uid) and len(line.literals) == 1 and line.texts[1] == b")":
        return Fetched(int(sequence), int(uid), body=line.literals[0])
    return _parse_numbered(int(sequence), b"FETCH", line, line.texts[0].index(b"("))


def _quick_meta(found: re.Match[bytes]) -> Fetched:
    sequence, uid, flags, date, size = found.groups()
    return Fetched(
        int(sequence), int(uid) or None, _flags(list(_text(flags).split())), parse_date(_text(date)), int(size)
    )


def code_capability(code: Code) -> frozenset[str] | None:
    """The capabilities inside a response code, if it is that code."""
    return _words(code.rest) if code.name == "CAPABILITY" else None


def _parse_numbered(number: int, kind: bytes, line: Line, start: int) -> Response:
    if kind == b"FETCH":
        return _fetched(number, _values(line, start))
    if kind == b"EXISTS":
        return Exists(number)
    if kind == b"EXPUNGE":
        return Expunged(number)
    return Other(_text(kind))


def _status(found: re.Match[str]) -> Status:
    tag, kind, text = found[1], found[2].upper(), found[3] or ""
    code = _CODE.fullmatch(text)
    if not code:
        return Status("" if tag == "*" else tag, kind, Code(), text.strip())
    return Status("" if tag == "*" else tag, kind, Code(code[1].upper(), code[2] or ""), code[3].strip())


def _capability(line: Line, start: int) -> Response:
    return Capability(_words(_text(line.texts[0][start:])))


def _enabled(line: Line, start: int) -> Response:
    return Enabled(_words(_text(line.texts[0][start:])))


def _listed(line: Line, start: int) -> Response:
    values = _values(line, start)
    if len(values) < 3 or not isinstance(values[0], list):
        raise ProtocolError("A LIST that says nothing.")
    attributes = frozenset(value.lower() for value in values[0] if isinstance(value, str))
    return Listed(attributes, _text(_astring(values[1]) if values[1] else b"")[:1], _astring(values[2]))


def _status_of(line: Line, start: int) -> Response:
    values = _values(line, start)
    if not values:
        raise ProtocolError("A STATUS that says nothing.")
    # 163.com sends a STATUS without a list (sync.md hazard 63).
    items = values[1] if len(values) > 1 and isinstance(values[1], list) else []
    pairs = zip(items[::2], items[1::2], strict=False)
    numbers = {str(key).upper(): _number(value) for key, value in pairs if isinstance(key, str)}
    return StatusOf(_astring(values[0]), {key: value for key, value in numbers.items() if value is not None})


def _found(line: Line, start: int) -> Response:
    # A trailing (MODSEQ n) belongs to CONDSTORE.
    words = line.texts[0][start:].partition(b"(")[0].split()
    try:
        uids = [int(word) for word in words if word.isdigit()]
        return Found(UidSet.of(uid for uid in uids if 0 < uid <= UID_MAX))
    except ValueError as error:
        raise ProtocolError("A SEARCH that is none.") from error


def _found_briefly(line: Line, start: int) -> Response:
    """ESEARCH (RFC 4731): UIDs as ranges. One that counts and does not name is none (sync.md hazard 28)."""
    words = [word for word in _values(line, start) if not isinstance(word, list)]
    given = {str(word).upper(): value for word, value in itertools.pairwise(words)}
    if not any(str(word).upper() == "UID" for word in words) or ("ALL" not in given and given.get("COUNT", "0") != "0"):
        return Other("ESEARCH")
    try:
        return Found(uid_set(str(given.get("ALL") or "")))
    except ProtocolError:
        return Other("ESEARCH")


def _vanished(line: Line, start: int) -> Response:
    """One that cannot be read tells nothing, but that the server cannot do this (sync.md hazard 26)."""
    text = _text(line.texts[0][start:]).strip()
    earlier = text.upper().startswith("(EARLIER)")
    try:
        uids = uid_set(text[9:].strip() if earlier else text)
    except ProtocolError:
        return Other("VANISHED")
    return Vanished(uids, earlier) if uids else Other("VANISHED")


def _namespaces(line: Line, start: int) -> Response:
    values = _values(line, start)
    personal = _prefixes(values[0]) if values else ()
    foreign = tuple(prefix for value in values[1:3] for prefix in _prefixes(value))
    return Namespaces(personal, foreign)


def _prefixes(value: Value) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(_astring(space[0]) for space in value if isinstance(space, list) and space)


_READERS: dict[bytes, Callable[[Line, int], Response]] = {
    b"CAPABILITY": _capability,
    b"ENABLED": _enabled,
    b"LIST": _listed,
    b"STATUS": _status_of,
    b"SEARCH": _found,
    b"ESEARCH": _found_briefly,
    b"VANISHED": _vanished,
    b"NAMESPACE": _namespaces,
}


def uid_set(text: str) -> UidSet:
    """A sequence-set of a server, or ProtocolError."""
    if not re.fullmatch(r"[0-9:,]*", text) or len(text) > 1_000_000:
        raise ProtocolError("A set of UIDs that is none.")
    try:
        uids = UidSet.parse(text)
    except ValueError as error:
        raise ProtocolError("A set of UIDs that is none.") from error
    return uids & UidSet.span(1, UID_MAX)


def _fetched(sequence: int, values: list[Value]) -> Fetched:
    items = values[0] if values and isinstance(values[0], list) else []
    uid = size = modseq = None
    flags = date = body = head = None
    for key, value in zip(items[::2], items[1::2], strict=False):
        name = key.upper() if isinstance(key, str) else ""
        if name == "UID":
            uid = _number(value)
        elif name == "FLAGS":
            flags = _flags(value)
        elif name in ("BODY[]", "RFC822"):
            body = _octets(value)
        elif name.startswith("BODY[HEADER.FIELDS"):
            head = _octets(value)
        elif name == "INTERNALDATE":
            date = parse_date(_text(_octets(value) or b""))
        elif name == "RFC822.SIZE":
            size = _number(value)
        elif name == "MODSEQ":
            modseq = _number(value[0]) if isinstance(value, list) and value else None
    if uid is not None and not 0 < uid <= UID_MAX:
        uid = None
    return Fetched(sequence, uid, flags, date, size, modseq, body, head)


def parse_date(text: str) -> datetime | None:
    """An INTERNALDATE, aware; None where it is no date."""
    found = _DATE.match(text)
    if not found:
        return None
    day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
    east = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        zone = timezone(east) if abs(east) < timedelta(hours=24) else UTC
        return datetime(
            int(year), _MONTHS[month.upper()], int(day), int(hour), int(minute), min(int(second), 59), 0, zone
        )
    except (ValueError, KeyError):
        return None


def _flags(value: object) -> frozenset[str] | None:
    if not isinstance(value, list):
        return None
    return frozenset(flag for flag in value if isinstance(flag, str) and flag.lower() != "\\recent")


def _octets(value: Value) -> bytes | None:
    if isinstance(value, str):
        return value.encode("latin-1")
    return value if isinstance(value, bytes) else None


def _astring(value: Value) -> bytes:
    """A name: atom, string or literal; an atom spelled NIL is the name NIL."""
    return b"NIL" if value is None else _octets(value) or b""


def _number(value: Value) -> int | None:
    text = value if isinstance(value, str) else _text(value) if isinstance(value, bytes) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else None
    # Mod-sequences, the largest there are, have 63 bits (RFC 9051, 9), and so have columns.
    return number if number is None or number < 1 << 63 else None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.upper().split()[:1000])


def _text(octets: bytes) -> str:
    """Latin-1: every byte has a character, nothing is lost."""
    return octets.decode("latin-1")


def _values(line: Line, start: int) -> list[Value]:
    """Everything after ``start``, nested by its parentheses."""
    stack: list[list[Value]] = [[]]
    count = 0
    for position, text in enumerate(line.texts):
        at = start if position == 0 else 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if not found:
                break
            at = found.end()
            count += 1
            _place(found, stack)
        if count > VALUES:
            raise ProtocolError("A line of too many words.")
        if position < len(line.literals):
            stack[-1].append(line.literals[position])
    if len(stack) != 1:
        raise ProtocolError("A list without an end.")
    return stack[0]


def _place(found: re.Match[bytes], stack: list[list[Value]]) -> None:
    kind = found.lastindex
    if kind == 1:
        inner: list[Value] = []
        stack[-1].append(inner)
        stack.append(inner)
        if len(stack) > DEPTH:
            raise ProtocolError("Lists nested too deeply.")
    elif kind == 2:
        if len(stack) == 1:
            raise ProtocolError("A list without a beginning.")
        stack.pop()
    elif kind == 3:
        string = found[3]
        stack[-1].append(_ESCAPED.sub(rb"\1", string) if b"\\" in string else string)
    else:
        atom = found[4].decode("latin-1")
        stack[-1].append(None if atom.upper() == "NIL" else atom)
