"""Commands as bytes. Every argument that is not ours goes through ``astring``, which refuses CR, LF and NUL (R35)."""

import base64
import re
from dataclasses import dataclass
from datetime import date

from rapport.providers.contract import Login

_ATOM = re.compile(rb"[A-Za-z0-9._/&,+=@#$^~:;|<>?!'`-]+")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_LITERAL = re.compile(rb"(.*~?\{(\d+))\}", re.DOTALL)
LITERAL_MINUS = 4096
"""Octets of the longest literal that need not be waited for under LITERAL- (RFC 7888, 5)."""
COMMAND_LIMIT = 10_000
"""One large server refuses more than 10,239 octets (sync.md hazard 32)."""


class Unspeakable(ValueError):
    """An argument that no IMAP command can carry."""


@dataclass(frozen=True)
class Command:
    """What to say: ``pieces`` are sent one by one, each but the first only after the server's ``+``."""

    verb: str
    pieces: tuple[bytes, ...]

    @property
    def secret(self) -> bool:
        """Whether it must never be logged."""
        return self.verb in ("LOGIN", "AUTHENTICATE")


def flowing(command: Command, capabilities: frozenset[str]) -> Command:
    """The same command, without waiting before literals where the server lets us (RFC 7888)."""
    if not capabilities & {"LITERAL+", "LITERAL-", "IMAP4REV2"}:
        return command
    pieces = [command.pieces[0]]
    for piece in command.pieces[1:]:
        announced = _LITERAL.fullmatch(pieces[-1])
        if announced and ("LITERAL+" in capabilities or int(announced[2]) <= LITERAL_MINUS):
            pieces[-1] = announced[1] + b"+}\r\n" + piece
        else:
            pieces.append(piece)
    return Command(command.verb, tuple(pieces))


def plain(verb: str, *arguments: bytes) -> Command:
    """A command of our own words, and of arguments made here."""
    return Command(verb.rsplit(maxsplit=1)[-1], (b" ".join((verb.encode("ascii"), *arguments)),))


def astring(text: bytes) -> bytes:
    """A name as an atom or quoted. 8-bit octets are quoted as they came: a server that listed them takes them."""
    if re.search(rb"[\r\n\0]", text):
        raise Unspeakable("A name with a line break or NUL cannot be sent.")
    if len(text) > COMMAND_LIMIT // 2:
        raise Unspeakable("A name of this length cannot be sent.")
    if _ATOM.fullmatch(text) and text.upper() != b"NIL":
        return text
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def authenticate_plain(login: Login, *, at_once: bool) -> Command:
    """SASL PLAIN (RFC 4616), with its answer in the same line where the server has SASL-IR (RFC 4959)."""
    username, password = login.username.encode(), login.password.encode()
    if not username or b"\0" in username + password:
        raise Unspeakable("A user name or password with NUL cannot be sent.")
    answer = base64.b64encode(b"\0" + username + b"\0" + password)
    if at_once:
        return Command("AUTHENTICATE", (b"AUTHENTICATE PLAIN " + answer,))
    return Command("AUTHENTICATE", (b"AUTHENTICATE PLAIN", answer))


def login(who: Login) -> Command:
    """LOGIN, with literals for what is not ASCII (quoted strings are 7-bit in RFC 3501)."""
    pieces = [b"LOGIN"]
    for argument in (who.username.encode(), who.password.encode()):
        if argument.isascii():
            pieces[-1] += b" " + _quoted(argument)
        else:
            if b"\0" in argument:
                raise Unspeakable("A user name or password with NUL cannot be sent.")
            pieces[-1] += b" {%d}" % len(argument)
            pieces.append(argument)
    return Command("LOGIN", tuple(pieces))


def _quoted(text: bytes) -> bytes:
    """Always quoted: some servers take a bare password of digits for a number."""
    spelled = astring(text)
    return spelled if spelled.startswith(b'"') else b'"' + spelled + b'"'


def idle() -> Command:
    """IDLE (RFC 2177). It ends by DONE, which is no command."""
    return Command("IDLE", (b"IDLE", b"DONE"))


def day(when: date) -> bytes:
    """A date for SEARCH: English month names whatever the locale."""
    return f"{when.day}-{_MONTHS[when.month - 1]}-{when.year:04}".encode("ascii")
