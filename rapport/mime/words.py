"""Header text: unfolded, encoded words decoded (RFC 2047), nothing in it that moves or hides other text."""

import binascii
import re
from contextlib import suppress

from rapport.mime.charsets import decode, scrub

# Linear: each piece stops at the next question mark, and a charset's name is short.
_ENCODED = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]+")
_SPACES = re.compile(r"\s+")
_NOT_BASE64 = bytes(
    c for c in range(256) if c not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)


def header_text(value: bytes) -> str:
    """A header's octets as text, unfolded; 8-bit ones are UTF-8 (RFC 6532) or else windows-1252."""
    if b"\n" in value:
        value = b" ".join([line.strip() for line in value.split(b"\n")])
    if value.isascii() and (text := value.decode("ascii").strip()).isprintable():
        return text
    return decode(value.strip()).replace("\r", " ")


def header_line(value: bytes, limit: int) -> str:
    """A header's octets as one line of text, encoded words decoded."""
    if value.isascii() and b"=?" not in value:
        text = " ".join(value.decode("ascii").split())
        if text.isprintable() and len(text) <= limit:
            return text
    return decoded(header_text(value), limit)


def decoded(text: str, limit: int) -> str:
    """Decode the encoded words of a text, and make one line of at most ``limit`` characters of it."""
    return one_line(decode_words(text) if "=?" in text else text, limit)


def one_line(text: str, limit: int) -> str:
    # Nothing but letters, signs and plain spaces: nearly every header there is.
    plain = text.isprintable()
    text = " ".join(text.split()) if plain else _SPACES.sub(" ", _CONTROL.sub(" ", scrub(text))).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def decode_words(text: str) -> str:
    """Replace encoded words by what they say.

    Neighbours in one charset are joined before decoding: many mailers cut a character in two (RFC 2047, 5 forbids it).
    """
    out: list[str] = []
    pending, charset, end = bytearray(), "", 0
    for word in _ENCODED.finditer(text):
        between = text[end : word.start()]
        apart = bool(between.strip()) or not end
        if apart or word[1].lower() != charset:
            out.append(decode(bytes(pending), charset))
            pending.clear()
        if apart:
            out.append(between)
        charset, end = word[1].lower(), word.end()
        pending += _unwrap(word[2], word[3])
    out.append(decode(bytes(pending), charset))
    out.append(text[end:])
    return "".join(out)


def from_base64(data: bytes) -> bytes:
    """Decode base64 whatever is wrong with it: foreign characters skipped, a broken end cut, paddings in the middle."""
    padding = data.find(b"=")
    if padding < 0 or not data[padding:].strip(b"=\r\n\t "):
        # Nothing after its end: read at once, without a copy. A piece missing is for the careful way below.
        with suppress(binascii.Error):
            return binascii.a2b_base64(data)
    out = bytearray()
    for run in re.split(rb"=+", data):
        letters = run.translate(None, _NOT_BASE64)
        if len(letters) % 4 == 1:
            letters = letters[:-1]
        out += binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
    return bytes(out)


def _unwrap(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "bB":
        return from_base64(data)
    return binascii.a2b_qp(data.replace(b" ", b"_"), header=True)
