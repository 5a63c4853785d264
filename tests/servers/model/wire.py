"""The server's end of a connection: command lines with their literals in, answers out, compressed or drop by drop."""

import base64
import re
import socket
import time
import zlib
from collections.abc import Callable
from contextlib import suppress

Token = bytes | list["Token"]
"""An atom, string or literal as bytes; a list in parentheses as a list."""

MOST_OCTETS = 50_000_000
DROP = 7
"""Octets of a drop."""
_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\Z")
_TOKEN = re.compile(
    rb' *(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|((?:BODY|BODY\.PEEK|BINARY|BINARY\.PEEK)\[[^\]]*\](?:<[0-9.]+>)?|[^ ()"]+))',
    re.IGNORECASE,
)


class Gone(Exception):
    """The client went away."""


class Gibberish(Exception):
    """A line that is no command."""


class Wire:
    """One connection. ``drip`` says whether answers come in drops."""

    def __init__(self, connected: socket.socket, drip: Callable[[], bool]) -> None:
        self.socket = connected
        self.heard = 0
        """Octets of the longest line of the client so far."""
        self._drip = drip
        self._buffer = b""
        self._out = bytearray()
        self._inflate: zlib._Decompress | None = None
        self._deflate: zlib._Compress | None = None

    def compress(self) -> None:
        """From here on both ways are deflated (RFC 4978)."""
        self._inflate, self._deflate = zlib.decompressobj(-15), zlib.compressobj(wbits=-15)

    def say(self, data: bytes) -> None:
        """Queue octets for the client."""
        self._out += data

    def queued(self) -> int:
        """How many octets wait."""
        return len(self._out)

    def cut_queue(self, keep: int) -> None:
        """Forget what was queued beyond so many octets."""
        del self._out[keep:]

    def flush(self) -> None:
        """Send what is queued. Raises Gone."""
        data = bytes(self._out)
        self._out.clear()
        if self._deflate and data:
            data = self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        try:
            if not self._drip():
                self.socket.sendall(data)
                return
            for start in range(0, len(data), DROP):
                self.socket.sendall(data[start : start + DROP])
                time.sleep(0.0001)
        except OSError as error:
            raise Gone from error

    def pending(self) -> bool:
        """Whether a whole line was read already."""
        return b"\n" in self._buffer

    def line(self) -> bytes:
        """One line, without its end. Raises Gone."""
        while b"\n" not in self._buffer:
            self._read()
        found, _, self._buffer = self._buffer.partition(b"\n")
        self.heard = max(self.heard, len(found))
        return found.removesuffix(b"\r")

    def rest_of(self, first: bytes) -> tuple[list[bytes], list[bytes]]:
        """A command whose first line was read: its texts, and the literals between them."""
        texts, literals = [first], list[bytes]()
        while found := _LITERAL.search(texts[-1]):
            size = int(found[1])
            if size > MOST_OCTETS:
                raise Gibberish
            texts[-1] = texts[-1][: found.start()]
            if not found[2]:
                self.say(b"+ Ready\r\n")
                self.flush()
            while len(self._buffer) < size:
                self._read()
            literals.append(self._buffer[:size])
            self._buffer = self._buffer[size:]
            texts.append(self.line())
        return texts, literals

    def close(self) -> None:
        """Never raises."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _read(self) -> None:
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self._buffer += self._inflate.decompress(data) if self._inflate else data


def tokens(texts: list[bytes], literals: list[bytes]) -> list[Token]:
    """The words of a command. Raises Gibberish."""
    stack: list[list[Token]] = [[]]
    for position, text in enumerate(texts):
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if not found:
                raise Gibberish
            at = found.end()
            _place(found, stack)
        if position < len(literals):
            stack[-1].append(literals[position])
    if len(stack) != 1:
        raise Gibberish
    return stack[0]


def _place(found: re.Match[bytes], stack: list[list[Token]]) -> None:
    if found[1]:
        inner: list[Token] = []
        stack[-1].append(inner)
        stack.append(inner)
    elif found[2]:
        if len(stack) == 1:
            raise Gibberish
        stack.pop()
    elif found[4]:
        stack[-1].append(found[4])
    else:
        stack[-1].append(re.sub(rb"\\(.)", rb"\1", found[3]))


def quoted(text: bytes) -> bytes:
    """A string as it is written: quoted, or as a literal where it cannot be."""
    if re.search(rb"[\r\n\0\x80-\xff]", text):
        return b"{%d}\r\n%s" % (len(text), text)
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def from_mutf7(name: bytes) -> str:
    """Modified UTF-7 (RFC 3501, 5.1.3) as text; what is none stays as it is."""

    def unshift(found: re.Match[str]) -> str:
        if not found[1]:
            return "&"
        try:
            return base64.b64decode(found[1].replace(",", "/") + "==").decode("utf-16-be")
        except ValueError:
            return found[0]

    return re.sub("&([^-&]*)-", unshift, name.decode(errors="surrogateescape"))


def to_mutf7(name: str) -> bytes:
    """Text in modified UTF-7."""

    def shift(found: re.Match[str]) -> str:
        if found[0] == "&":
            return "&-"
        packed = base64.b64encode(found[0].encode("utf-16-be", errors="surrogatepass"))
        return f"&{packed.decode().rstrip('=').replace('/', ',')}-"

    return re.sub(r"[^\x20-\x7e]+|&", shift, name).encode("ascii")
