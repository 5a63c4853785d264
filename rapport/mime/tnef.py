"""Outlook's winmail.dat taken apart: the files and the words in it ([MS-OXTNEF], [MS-OXCDATA]).

Each step goes forward by at least the octets it has read, lengths are believed only as far as the data reach, and
nothing is opened within what was found: no loop and no size in such a file makes more of it than it is
(CVE-2026-62641, CVE-2026-62642).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from rapport.mime import limits
from rapport.mime.charsets import decode
from rapport.mime.rtf import decompressed, to_html_or_text

SIGNATURE = b"\x78\x9f\x3e\x22"
_MOST_ATTRIBUTES = 20_000
_MOST_PROPERTIES = 5_000

_BODY, _MESSAGE, _CODEPAGE = 0x800C, 0x9003, 0x9007
_RENDDATA, _TITLE, _DATA, _ATTACHMENT = 0x9002, 0x8010, 0x800F, 0x9005
_P_BODY, _P_RTF, _P_HTML = 0x1000, 0x1009, 0x1013
_P_DATA, _P_NAME, _P_LONG_NAME, _P_TYPE, _P_CONTENT_ID = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712
_STRING8, _UNICODE, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
_VARIABLE = frozenset((_STRING8, _UNICODE, _OBJECT, _BINARY))
_FIXED = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
"""Octets of a value of each type, padding counted."""


@dataclass
class PackedFile:
    """A file in it."""

    name: str = ""
    type: str = ""
    content_id: str = ""
    content: bytes = b""


@dataclass
class Unpacked:
    """What was in it."""

    text: str = ""
    html: str = ""
    files: list[PackedFile] = field(default_factory=list)
    whole: bool = True
    """Whether it could be read to its end."""


class _Broken(Exception):
    """The rest makes no sense."""


def unpack(data: bytes) -> Unpacked:
    """Everything that can be read of it."""
    found = Unpacked()
    codepage = "cp1252"
    try:
        for attachment, name, value in _attributes(data):
            if not attachment and name == _CODEPAGE and len(value) >= 4:
                codepage = f"cp{int.from_bytes(value[:4], 'little')}"
            elif not attachment and name in (_BODY, _MESSAGE):
                _read_message(name, value, found, codepage)
            elif attachment and name == _RENDDATA and len(found.files) < limits.UNPACKED:
                found.files.append(PackedFile())
            elif attachment and found.files and name != _RENDDATA:
                _read_file(name, value, found.files[-1], codepage)
    except (_Broken, struct.error):
        found.whole = False
    return found


def _attributes(data: bytes) -> Iterator[tuple[bool, int, bytes]]:
    """Whether it belongs to an attachment, which it is, and its value."""
    if not data.startswith(SIGNATURE):
        raise _Broken
    at = 6
    for _ in range(_MOST_ATTRIBUTES):
        if at >= len(data):
            return
        level, name, _, length = struct.unpack_from("<BHHI", data, at)
        at += 9
        if level not in (1, 2) or length > len(data) - at:
            raise _Broken
        yield level == 2, name, data[at : at + length]
        # Two octets of a checksum follow, which nobody gets right.
        at += length + 2
    raise _Broken


def _read_message(name: int, value: bytes, found: Unpacked, codepage: str) -> None:
    if name == _BODY:
        found.text = found.text or decode(value[: limits.BODY * 4].rstrip(b"\0"), codepage)
        return
    for property_, type_, said in _properties(value):
        if property_ == _P_BODY:
            found.text = _string(type_, said, codepage)
        elif property_ == _P_HTML:
            found.html = decode(said[: limits.BODY * 4].rstrip(b"\0"), "utf-8")
        elif property_ == _P_RTF:
            html, text = to_html_or_text(decompressed(said))
            found.html, found.text = found.html or html, found.text or text


def _read_file(name: int, value: bytes, file: PackedFile, codepage: str) -> None:
    if name == _TITLE:
        file.name = file.name or decode(value[:1_000].rstrip(b"\0"), codepage)
    elif name == _DATA:
        file.content = value
    elif name == _ATTACHMENT:
        for property_, type_, said in _properties(value):
            _read_property(property_, type_, said, file, codepage)


def _read_property(property_: int, type_: int, said: bytes, file: PackedFile, codepage: str) -> None:
    if property_ == _P_LONG_NAME:
        file.name = _string(type_, said[:4_000], codepage) or file.name
    elif property_ == _P_NAME:
        file.name = file.name or _string(type_, said[:4_000], codepage)
    elif property_ == _P_TYPE:
        file.type = _string(type_, said[:400], codepage)
    elif property_ == _P_CONTENT_ID:
        file.content_id = _string(type_, said[:1_000], codepage).strip("<>")
    elif property_ == _P_DATA and not file.content:
        # An object begins with 16 octets that say what it is: another message, or something pasted in.
        file.content = said[16:] if type_ == _OBJECT else said


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Number, type and first value of each property (MS-OXTNEF, 2.1.3.4)."""
    (count,) = struct.unpack_from("<I", data)
    at = 4
    for _ in range(min(count, _MOST_PROPERTIES)):
        type_, property_ = struct.unpack_from("<HH", data, at)
        at += 4
        if property_ >= 0x8000:
            at = _after_name(data, at)
        many = type_ & 0x1000
        type_ &= 0x0FFF
        values = 1
        if many or type_ in _VARIABLE:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
        first = b""
        for number in range(values):
            value, at = _value(data, at, type_)
            first = first if number else value
        yield property_, type_, first


def _after_name(data: bytes, at: int) -> int:
    """Past the name of a named property: 16 octets, then a number or a string."""
    kind, length = struct.unpack_from("<II", data, at + 16)
    return at + 24 + (_padded(length) if kind else 0)


def _value(data: bytes, at: int, type_: int) -> tuple[bytes, int]:
    """A value, and where the next one begins: always further on."""
    if type_ in _VARIABLE:
        (length,) = struct.unpack_from("<I", data, at)
        at += 4
    else:
        length = _FIXED.get(type_, len(data) + 1)
    if length > len(data) - at:
        raise _Broken
    return data[at : at + length], at + _padded(length)


def _padded(length: int) -> int:
    return (length + 3) & ~3


def _string(type_: int, said: bytes, codepage: str) -> str:
    said = said[: limits.BODY * 4]
    return decode(said, "utf-16-le" if type_ == _UNICODE else codepage).rstrip("\0").replace("\r\n", "\n")
