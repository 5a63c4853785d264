"""Folder names on the wire: modified UTF-7 (RFC 3501, 5.1.3), read tolerantly and written exactly.

On a connection with UTF8=ACCEPT (RFC 6855) the wire has UTF-8 instead. A folder's key stays its name in modified UTF-7,
so that nothing seems renamed when a server learns the one or the other (sync.md hazard 37).
"""

import base64
import binascii
import contextlib
import re

_SHIFTED = re.compile(r"&([^-&]*)(-?)")
_RUN = re.compile(r"[^\x20-\x7e]+|&")


def decode(wire: bytes) -> str:
    """A name for people. What is no modified UTF-7 is read as UTF-8, else byte for byte: never an error."""
    try:
        text = wire.decode("ascii")
    except UnicodeDecodeError:
        # Servers that ignore the rule send UTF-8, or some old code page.
        return _clean(wire.decode("utf-8", errors="replace"))
    return _clean(_SHIFTED.sub(_unshift, text))


def encode(name: str) -> bytes:
    """A name for a server without UTF8=ACCEPT."""
    return _RUN.sub(_shift, name).encode("ascii")


def key(wire: bytes, *, utf8: bool) -> bytes:
    """The key of a folder that the server spells like this."""
    if utf8:
        # What is no UTF-8 in spite of UTF8=ACCEPT stays as it came.
        with contextlib.suppress(UnicodeDecodeError):
            return canonical(encode(wire.decode("utf-8")))
    return canonical(wire)


def spoken(folder: bytes, *, utf8: bool) -> bytes:
    """How to spell a key on this connection."""
    name = decode(folder)
    return name.encode() if utf8 and encode(name) == folder else folder


def canonical(wire: bytes) -> bytes:
    """INBOX whatever its case (RFC 9051, 5.1); any other name as it is."""
    return b"INBOX" if wire.upper() == b"INBOX" else wire


def _unshift(found: re.Match[str]) -> str:
    inner = found[1].replace(",", "/")
    if not inner:
        return "&"
    try:
        return base64.b64decode(inner + "=" * (-len(inner) % 4), validate=True).decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return found[0]


def _shift(found: re.Match[str]) -> str:
    if found[0] == "&":
        return "&-"
    inner = base64.b64encode(found[0].encode("utf-16-be", errors="surrogatepass"))
    return f"&{inner.decode().rstrip('=').replace('/', ',')}-"


def _clean(text: str) -> str:
    """No lone surrogates and no NUL: a database refuses them."""
    return text.encode("utf-8", errors="replace").decode("utf-8").replace("\0", "\ufffd")
