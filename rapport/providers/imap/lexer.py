"""The lexer cuts a server's byte stream into lines, a line being text with literals in between.

Bounded whatever the server sends: a line and its small literals 1 MB each, a message ``message_limit``, which is
refused by its announced size, before anything is kept. How the bytes were cut into reads never matters.
"""

import re
from dataclasses import dataclass, field
from io import BytesIO

LINE_LIMIT = 1_000_000
SMALL_LITERALS = 1_000_000
LITERALS = 1_000


class ProtocolError(Exception):
    """What came is not IMAP, or beyond all bounds. The connection is good for nothing more."""


class MessageTooLarge(ProtocolError):
    """A message literal was announced beyond the limit; ``uid`` where the line had said it before."""

    def __init__(self, size: int, position: int, uid: int | None) -> None:
        super().__init__(f"A message of {size} octets is beyond the limit.")
        self.size = size
        self.position = position
        self.uid = uid


@dataclass(frozen=True)
class Line:
    """One response as it came: ``texts`` has one more piece than ``literals``, which stand in between."""

    texts: list[bytes]
    literals: list[bytes]


_LITERAL = re.compile(rb"~?\{(\d{1,20})\+?\}\Z")
# Text for people may end in anything, even in what looks like a literal.
_FOR_PEOPLE = re.compile(rb"\+|[^ ]{1,40} (?:OK|NO|BAD|BYE|PREAUTH)(?: |\Z)", re.IGNORECASE)
_MESSAGE = re.compile(rb"\A\* (\d{1,10}) FETCH .*(?:BODY\[\]|BINARY\[\]|RFC822) ?\Z", re.IGNORECASE | re.DOTALL)
_UID = re.compile(rb"[( ]UID (\d{1,10})\b", re.IGNORECASE)


@dataclass
class Lexer:
    """Bytes in, lines out."""

    message_limit: int = 0
    """How large a message may be; 0 while nobody asked for one."""
    _buffer: bytearray = field(default_factory=bytearray)
    _position: int = 0
    _scanned: int = 0
    _texts: list[bytes] = field(default_factory=list)
    _literals: list[bytes] = field(default_factory=list)
    _length: int = 0
    _small: int = 0
    _sink: BytesIO | None = None
    _missing: int = 0

    def feed(self, data: bytes) -> None:
        """What was read from the server."""
        if self._sink is not None and self._position == len(self._buffer):
            # In the middle of a literal nothing else is buffered: straight into the sink.
            taken = data[: self._missing]
            self._sink.write(taken)
            self._missing -= len(taken)
            data = data[len(taken) :]
        del self._buffer[: self._position]
        self._buffer += data
        self._scanned = max(0, self._scanned - self._position)
        self._position = 0

    def held(self) -> bool:
        """Whether anything was fed that was not handed out."""
        return self._position < len(self._buffer) or bool(self._texts) or self._sink is not None

    def spill(self) -> bytes:
        """What was fed and not handed out, which is forgotten here: it is of another kind than was thought."""
        rest = bytes(self._buffer[self._position :])
        self._buffer.clear()
        self._position = self._scanned = 0
        return rest

    def line(self) -> Line | None:
        """The next whole line, or None until more is fed. Raises ProtocolError."""
        while True:
            if self._sink is not None and not self._fill():
                return None
            text = self._text()
            if text is None:
                return None
            self._texts.append(text)
            size = self._announced(text)
            if size is None:
                return self._whole()
            self._open(size)

    def _text(self) -> bytes | None:
        """Text up to the end of the line, without it."""
        start = self._position
        end = self._buffer.find(b"\n", max(start, self._scanned))
        self._length += (len(self._buffer) if end < 0 else end) - max(start, self._scanned)
        self._scanned = len(self._buffer) if end < 0 else end + 1
        if self._length > LINE_LIMIT:
            raise ProtocolError("The server sends a line without end.")
        if end < 0:
            return None
        self._position = end + 1
        # A line has no NUL (RFC 9051, 9: CHAR8). One that comes all the same would not be taken by a database.
        return bytes(self._buffer[start:end]).removesuffix(b"\r").replace(b"\0", b" ")

    def _announced(self, text: bytes) -> int | None:
        """The size of the literal that follows, if one does."""
        if not text.endswith(b"}") or _FOR_PEOPLE.match(self._texts[0]):
            return None
        found = _LITERAL.search(text, max(0, len(text) - 25))
        return int(found[1]) if found else None

    def _open(self, size: int) -> None:
        """Begin a literal, or refuse it."""
        text = self._texts[-1]
        head = text[: text.rindex(b"{")].removesuffix(b"~")
        if self.message_limit and not self._literals and (message := _MESSAGE.match(head)):
            if size > self.message_limit:
                uid = _UID.search(head)
                raise MessageTooLarge(size, int(message[1]), int(uid[1]) if uid else None)
        else:
            self._small += size
            if self._small > SMALL_LITERALS:
                raise ProtocolError("The server announces more than anybody asked for.")
        if len(self._literals) >= LITERALS:
            raise ProtocolError("The server sends too many literals in one line.")
        self._texts[-1] = head
        self._sink, self._missing = BytesIO(), size

    def _fill(self) -> bool:
        """Move what is there into the literal, and say whether it is complete."""
        sink = self._sink or BytesIO()
        start, end = self._position, min(self._position + self._missing, len(self._buffer))
        self._missing -= end - start
        self._position = end
        if not self._missing and not sink.tell():
            # All of it was buffered: one copy, no sink.
            self._literals.append(bytes(self._buffer[start:end]))
            self._sink = None
            return True
        sink.write(self._buffer[start:end])
        if self._missing:
            return False
        self._literals.append(sink.getvalue())
        self._sink = None
        return True

    def _whole(self) -> Line:
        line = Line(self._texts, self._literals)
        self._texts, self._literals = [], []
        self._length = self._small = 0
        return line
