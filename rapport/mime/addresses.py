"""Who is named in a header: mailboxes, read in one pass, never more of them than the header means (R39)."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from rapport.mime.limits import ADDRESS, NAME
from rapport.mime.message import Address
from rapport.mime.words import decoded

_PIECE = re.compile(r"""\s+|\[[^\[\]\s,;<>"@]{0,60}\]|[^\s"()<>,;:\[\]]+|.""", re.DOTALL)
# Linear: a name holds no sign with which what follows it begins.
_ONE = re.compile(
    r"""\s*(?:(?:"([^"\\]*)"\s*|([^\s"\\<>@,;:()\[\]][^"\\<>@,;:()\[\]]*)?)<([A-Za-z0-9!#$%&*+/=?^_{|}~.-]+@[A-Za-z0-9.-]+)>"""
    r"""|([A-Za-z0-9!#$%&*+/=?^_{|}~.-]+@[A-Za-z0-9.-]+))\s*(?:,\s*|$)"""
)
_PLAIN = re.compile(r"[A-Za-z0-9!#$%&*+/=?^_{|}~.-]{1,100}@[A-Za-z0-9-][A-Za-z0-9.-]{0,198}[A-Za-z0-9-]")
_SHORT = 500
"""Characters."""
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)', re.DOTALL)
_PAREN = re.compile(r"\\.|[()]", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SENSELESS = re.compile(r'[\x00-\x20\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff<>,;"\\()]')


def read_addresses(text: str, limit: int) -> list[Address]:
    """Read an address list (RFC 5322, 3.4 and 4.4, and what is seen in its place); at most ``limit``.

    One entry between commas gives one address at most: where it could be two, it is words only.
    """
    if len(text) <= _SHORT:
        return list(_known(text)[:limit])
    return _read(text, limit)


@lru_cache(maxsize=4_000)
def _known(text: str) -> tuple[Address, ...]:
    """A short list, remembered: the same few people stand in most headers of a mailbox."""
    return tuple(_plain(text) or _read(text, _SHORT))


def _plain(text: str) -> list[Address]:
    """A list of nothing but ``Name <address>`` and ``address``, as nearly all are; nothing for every other."""
    found: list[Address] = []
    at = 0
    while at < len(text):
        match = _ONE.match(text, at)
        if not match:
            return []
        quoted, words, angle, bare = match.groups()
        address = canonical(angle or bare)
        if not address:
            return []
        found.append(Address(decoded(quoted or words or "", NAME), address))
        at = match.end()
    return found


def _read(text: str, limit: int) -> list[Address]:
    found: list[Address] = []
    entry = _Entry()
    for kind, piece in _tokens(text):
        if kind == "," and not entry.goes_on():
            entry.end(found)
            entry = _Entry()
        elif kind == ":" and not entry.angle_open:
            entry = _Entry()  # What came before was the name of a group.
        else:
            entry.take(kind, piece)
        if len(found) >= limit:
            return found
    entry.end(found)
    return found


def canonical(address: str) -> str:
    """The form in which addresses are compared: lower case, NFC, domain in ASCII (RFC 5890) where it has such a form.

    Empty when it is no address.
    """
    if _PLAIN.fullmatch(address):
        return address.lower()
    local, at, domain = address.strip().rpartition("@")
    domain = domain.strip().strip(".").lower()
    local = local.strip().lower()
    bare = local[1:-1] if len(local) > 2 and local[0] == local[-1] == '"' else local
    if not (at and local and domain) or len(address) > ADDRESS or _SENSELESS.search(domain):
        return ""
    if bare is local and ("@" in local or _SENSELESS.search(local)):
        return ""
    if any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in bare):
        return ""
    return unicodedata.normalize("NFC", local) + "@" + _ascii_domain(domain)


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except (UnicodeError, ValueError):
        return unicodedata.normalize("NFC", domain)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """Pieces of a header: ``word``, ``quoted``, ``comment``, ``space``, and the signs ``< > , :``.

    A quote or comment that never ends is an ordinary sign, and so are all after it: looking for each one's end
    again would be quadratic ([M2]).
    """
    at, quotes, comments = 0, True, True
    while at < len(text):
        sign = text[at]
        if sign == '"' and quotes:
            match = _QUOTED.match(text, at)
            end = match.end() if match else at
            quotes = end < len(text) and text[end] == '"'
            if quotes and match:
                yield "quoted", match[1]
                at = end + 1
                continue
        elif sign == "(" and comments:
            end = _comment_end(text, at)
            comments = end > 0
            if comments:
                yield "comment", text[at + 1 : end - 1]
                at = end
                continue
        piece = _piece(text, at)
        at += len(piece)
        yield _kind(piece), piece


def _piece(text: str, at: int) -> str:
    match = _PIECE.match(text, at)
    return match[0] if match else text[at]


def _kind(piece: str) -> str:
    if piece in "<>:":
        return piece
    if piece in ",;":
        return ","
    if piece.isspace() or piece in '"()':
        return "space"
    return "word"


def _comment_end(text: str, start: int) -> int:
    """Where the comment that opens at ``start`` is closed, its own comments counted; 0 when it never is."""
    depth = 0
    for sign in _PAREN.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if not depth:
            return sign.end()
    return 0


@dataclass
class _Entry:
    """What stands between two commas."""

    words: list[tuple[str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    angle: list[str] = field(default_factory=list)
    angle_open: bool = False
    angles: int = 0

    def goes_on(self) -> bool:
        """Whether a comma belongs to a source route ``<@a,@b:c@d>`` (RFC 5322, 4.4)."""
        return self.angle_open and "".join(self.angle).startswith("@") and len(self.angle) < 20

    def take(self, kind: str, piece: str) -> None:
        if kind == "<":
            self.angle_open = True
            self.angles += 1
            self.angle = []
        elif kind == ">":
            self.angle_open = False
        elif kind == "comment":
            self.comments.append(piece)
        elif self.angle_open:
            self.angle.append(f'"{piece}"' if kind == "quoted" else piece)
        else:
            self.words.append((kind, piece))

    def end(self, found: list[Address]) -> None:
        address, name = self._read()
        name = decoded(name, NAME)
        if not name and self.comments:
            name = decoded(_ESCAPED.sub(r"\1", self.comments[0]), NAME)
        if address or name:
            found.append(Address(name=name, address=address))

    def _read(self) -> tuple[str, str]:
        if self.angles == 1:
            address = canonical(_after_route("".join(self.angle)))
            # An unreadable angle is still something a person should see.
            return address, self._name() or ("" if address else "".join(self.angle))
        if self.angles > 1:
            return "", self._name()
        return self._bare()

    def _bare(self) -> tuple[str, str]:
        """No angle brackets: the one run of characters that holds an at sign outside quotes is the address."""
        runs: list[list[tuple[str, str]]] = [[]]
        for word in self.words:
            if word[0] == "space":
                runs.append([])
            else:
                runs[-1].append(word)
        with_at = [run for run in runs if any(kind == "word" and "@" in piece for kind, piece in run)]
        if len(with_at) != 1:
            return "", self._name()
        run = with_at[0]
        address = canonical("".join(f'"{piece}"' if kind == "quoted" else piece for kind, piece in run))
        if not address:
            return "", self._name()
        self.words = [word for other in runs if other is not run for word in [*other, ("space", " ")]]
        return address, self._name()

    def _name(self) -> str:
        pieces = [_ESCAPED.sub(r"\1", piece) if kind == "quoted" else piece for kind, piece in self.words]
        return "".join(pieces).strip().removeprefix('"')


def _after_route(angle: str) -> str:
    route, colon, address = angle.rpartition(":")
    return address if colon and (route.startswith("@") or route.lower().strip() == "mailto") else angle
