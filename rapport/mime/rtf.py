"""Outlook's rich text read as what it was made of: HTML or plain words ([MS-OXRTFCP], [MS-OXRTFEX])."""

import html as entities
import re
import struct
from dataclasses import dataclass, field, replace

from rapport.mime import limits
from rapport.mime.charsets import decode

_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbol"
    rb"ArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What every compressed text begins with, unsaid ([MS-OXRTFCP], 2.1.2.1)."""
_COMPRESSED, _STORED = b"LZFu", b"MELA"
_MOST = 4 * limits.BODY
"""Octets of rich text; two in a compressed one make 17 at most."""
_DEEPEST = 500

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,40})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n\\]"
)
_SKIPPED = frozenset(b"fonttbl colortbl stylesheet info pict object header footer themedata datastore".split())
_SIGNS = {
    b"par": "\n", b"line": "\n", b"tab": "\t", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“", b"rdblquote": "”",
    b"bullet": "•", b"endash": "–", b"emdash": "—", b"cell": "\t", b"row": "\n",
}  # fmt: skip
_ESCAPED = {b"{": "{", b"}": "}", b"\\": "\\", b"~": "\xa0", b"_": "\u2011"}


def decompressed(data: bytes) -> bytes:
    """The rich text in a PidTagRtfCompressed; as much of it as is there."""
    if len(data) < 16:
        return b""
    _, raw_size, kind, _ = struct.unpack_from("<II4sI", data)
    if kind == _STORED:
        return data[16 : 16 + min(raw_size, _MOST)]
    return _expanded(data, min(raw_size, _MOST)) if kind == _COMPRESSED else b""


def _expanded(data: bytes, size: int) -> bytes:
    """Runs of eight octets or references into the last 4,096 that came out ([MS-OXRTFCP], 2.2.2)."""
    out = bytearray(_DICTIONARY)
    start = len(out)
    at = 16
    while at < len(data) and len(out) - start < size:
        control = data[at]
        at += 1
        for bit in range(8):
            if not control >> bit & 1:
                out += data[at : at + 1]
                at += 1
                continue
            reference = int.from_bytes(data[at : at + 2], "big")
            at += 2
            # The place in a ring of 4,096, in which the dictionary lies at 0: how far back is that?
            back = (len(out) - (reference >> 4)) % 4096
            if at > len(data) or not back or back > len(out):
                return bytes(out[start : start + size])
            for _ in range((reference & 15) + 2):
                out.append(out[-back])
    return bytes(out[start : start + size])


@dataclass
class _Group:
    """What holds between two braces."""

    skipped: bool = False
    tag: bool = False
    """Holds HTML, not words."""
    not_html: bool = False
    """Between ``htmlrtf`` and ``htmlrtf0``: there for programs that know no HTML."""
    unicode_skip: int = 1


@dataclass
class _Reader:
    """Reads rich text from left to right."""

    html: bool
    charset: str
    out: list[str] = field(default_factory=list)
    pending: bytearray = field(default_factory=bytearray)
    stack: list[_Group] = field(default_factory=lambda: [_Group()])
    to_skip: int = 0
    starred: bool = False
    beyond: int = 0
    """Braces that opened where too many were open."""

    def write(self, text: str) -> None:
        group = self.stack[-1]
        self.flush()
        if not group.skipped and not (self.html and group.not_html):
            self.out.append(text)

    def octets(self, data: bytes) -> None:
        group = self.stack[-1]
        skip, self.to_skip = min(self.to_skip, len(data)), max(0, self.to_skip - len(data))
        if not group.skipped and not (self.html and group.not_html):
            self.pending += data[skip:]

    def flush(self) -> None:
        """Octets are read together: a character may take two."""
        if self.pending:
            said = decode(bytes(self.pending), self.charset)
            # Between the tags stand words, whatever signs are in them.
            self.out.append(said if self.stack[-1].tag or not self.html else entities.escape(said, quote=False))
            self.pending.clear()

    def brace(self, sign: bytes) -> None:
        self.flush()
        self.to_skip = 0
        if sign == b"{":
            self.beyond += len(self.stack) >= _DEEPEST
            if not self.beyond:
                self.stack.append(replace(self.stack[-1]))
        elif self.beyond:
            self.beyond -= 1
        elif len(self.stack) > 1:
            self.stack.pop()

    def word(self, name: bytes, number: bytes | None) -> None:
        group = self.stack[-1]
        starred, self.starred = self.starred, False
        if name == b"htmltag":
            group.tag, group.skipped, group.not_html = True, not self.html, False
        elif starred or name in _SKIPPED:
            group.skipped = True
        elif name == b"htmlrtf":
            self.flush()
            group.not_html = number != b"0"
        elif name == b"uc":
            group.unicode_skip = min(int(number or 1), 10)
        elif name == b"u" and number:
            self.write(_character(int(number)))
            self.to_skip = group.unicode_skip
        elif name == b"ansicpg" and number:
            self.charset = f"cp{int(number)}"
        elif name in _SIGNS and not (group.tag and name not in (b"par", b"tab", b"line")):
            self.write(_SIGNS[name])


def to_html_or_text(rtf: bytes) -> tuple[str, str]:
    """HTML and plain words, the one of which the rich text was made; the other is empty."""
    html = b"\\fromhtml" in rtf[:500]
    reader = _Reader(html, "cp1252")
    for word, number, hexadecimal, sign, brace, text in _TOKEN.findall(rtf[:_MOST]):
        if text:
            reader.octets(text)
        elif word:
            reader.word(word, number)
        elif hexadecimal:
            reader.octets(bytes.fromhex(hexadecimal.decode("ascii")))
        elif brace:
            reader.brace(brace)
        elif sign == b"*":
            reader.starred = True
        elif sign in _ESCAPED:
            reader.write(_ESCAPED[sign])
    reader.flush()
    said = "".join(reader.out).encode("utf-16", "surrogatepass").decode("utf-16", "replace")[: limits.BODY]
    return (said, "") if html else ("", said.strip("\n"))


def _character(number: int) -> str:
    """Numbers are 16 bits, with a sign; two halves of a pair are put together at the end."""
    return chr(number % 65536)
