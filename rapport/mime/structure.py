"""The parts of a message and where each lies in its octets; nothing is decoded here, and nothing is copied.

Our own reader and not the standard library's: that one recurses into nested parts, looks at every line once per level
and keeps several copies of a message, all of which a sender can turn against us ([M2]). Each step here is linear, and
the caps of R61 hold before a part is looked at.
"""

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from rapport.mime import limits
from rapport.mime.limits import Notes
from rapport.mime.parameters import read_parameters
from rapport.mime.words import from_base64, header_text

_ABSENT = (b"",)
Headers = dict[str, list[bytes]]
"""Fields by lower-case name, in order; values as they stand there, folded: `header_text` reads them."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
_FIELDS = re.compile(rb"([!-9;-~]{1,200}):([^\n]*(?:\n[ \t][^\n]*)*)")
_REST_OF_BOUNDARY = re.compile(rb"(--)?[ \t]{0,100}(?:\r?\n|\r?\Z)")
_SEEN_BOUNDARY = re.compile(
    rb"^--([^\s-][^\r\n]{0,200}?|-{2,50}[^\s-][^\r\n]{0,150}?)[ \t]{0,20}\r?\nContent-", re.MULTILINE
)
"""A line that looks like one: part headers follow it."""
_FIELD_NAME = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}")
_UU_LINE = re.compile(rb"[ -`][ -`]*")


class Part(NamedTuple):
    """One part of a message: the octets ``raw[start:end]`` are its body, still encoded."""

    position: int
    parent: int
    """Position of the multipart around it, -1 for the whole message."""
    depth: int
    headers: Headers
    type: str
    parameters: Mapping[str, str]
    disposition: str
    filename: str
    """As the sender wrote it, decoded; empty where there is none."""
    start: int
    end: int
    branches: bool = False
    """Whether it is a multipart whose parts were found."""

    def first(self, name: str) -> str:
        return header_text(self.headers[name][0]) if name in self.headers else ""


@dataclass(frozen=True)
class Structure:
    """A message taken apart. ``raw`` may differ from what came in: line ends of old Macs are made ours."""

    raw: bytes
    parts: list[Part]
    notes: Notes = field(default_factory=Notes)

    def content(self, part: Part) -> bytes:
        """The decoded octets of a part."""
        body = self.raw[part.start : part.end]
        match part.first("content-transfer-encoding").strip().lower():
            case "base64":
                return from_base64(body)
            case "quoted-printable":
                return binascii.a2b_qp(body)
            case "x-uuencode" | "uuencode" | "x-uue":
                return from_uu(body)
        return body


def take_apart(raw: bytes) -> Structure:
    """Find all parts, depth first, a multipart before what is in it."""
    notes = Notes()
    raw = _prepared(raw, notes)
    parts: list[Part] = []
    ahead = [(0, len(raw), -1, 0, "text/plain")]
    while ahead:
        start, end, parent, depth, default = ahead.pop()
        if len(parts) >= limits.PARTS:
            notes.add(f"Only the first {limits.PARTS} parts were read.")
            break
        headers, body = read_headers(raw, start, end, notes)
        part, inside = _part(raw, headers, (body, end), (len(parts), parent, depth), default=default, notes=notes)
        parts.append(part)
        default = "message/rfc822" if part.type == "multipart/digest" else "text/plain"
        ahead += [(a, b, part.position, depth + 1, default) for a, b in reversed(inside)]
    return Structure(raw, parts, notes)


def read_headers(raw: bytes, start: int, end: int, notes: Notes) -> tuple[Headers, int]:
    """The header fields that begin at ``start``, and where the body begins."""
    if raw.startswith((b"\n", b"\r\n"), start, end):
        return {}, start + (1 if raw[start] == 10 else 2)
    blank = _BLANK_LINE.search(raw, start, end)
    stop, body = (blank.start(), blank.end()) if blank else (end, end)
    if stop - start <= limits.HEADER:
        headers = _plain_fields(raw[start:stop])
        if headers is not None:
            return headers, body
    if stop - start > limits.HEADERS:
        stop = start + limits.HEADERS
        notes.add(f"Headers beyond {limits.HEADERS // 1000} kB were not read.")
    fields, junk = _fields(raw[start:stop])
    if junk >= 0 and not fields:
        return {}, start
    if junk >= 0:
        # A line that is no header ends them, as everybody reads it; unless more headers follow below it.
        body = start + junk
    return _bounded(fields, notes), body


def _plain_fields(block: bytes) -> Headers | None:
    """The fields of a block that is headers and nothing else, as nearly all are; ``None`` for every other."""
    found = _FIELDS.findall(block)
    # Each field has its colon, and a line end but for the last one: whatever is left over is no header.
    if len(found) > limits.FIELDS or sum([len(name) + len(value) + 2 for name, value in found]) != len(block) + 1:
        return None
    headers: Headers = {}
    for name, value in found:
        headers.setdefault(_name(name), []).append(value)
    return headers


@lru_cache(maxsize=2_000)
def _name(octets: bytes) -> str:
    return octets.decode("ascii").lower()


def _fields(block: bytes) -> tuple[list[list[bytes]], int]:
    """Name and lines of each field; and the offset of the first line that is no header, -1 if all are."""
    fields: list[list[bytes]] = []
    offset = 0
    lines = block.split(b"\n")
    for number, line in enumerate(lines):
        name = _FIELD_NAME.match(line)
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1].append(line)
        elif name:
            fields.append([name[1], line[name.end() :]])
        elif line.strip() and not _is_skipped(lines, number):
            return fields, offset
        offset += len(line) + 1
    return fields, -1


def _is_skipped(lines: list[bytes], number: int) -> bool:
    """The envelope line of an mbox, or one stray line among headers."""
    if number == 0 and lines[0].startswith((b"From ", b">From ")):
        return True
    after = lines[number + 1 : number + 2]
    return number > 0 and bool(after and _FIELD_NAME.match(after[0]))


def _bounded(fields: list[list[bytes]], notes: Notes) -> Headers:
    headers: Headers = {}
    if len(fields) > limits.FIELDS:
        notes.add(f"Only the first {limits.FIELDS} headers were read.")
    for name, *lines in fields[: limits.FIELDS]:
        value = b" ".join(line.strip() for line in lines).strip()
        if len(value) > limits.HEADER:
            notes.add(f"A header longer than {limits.HEADER // 1000} kB was cut.")
            value = value[: limits.HEADER]
        headers.setdefault(_name(name), []).append(value)
    return headers


def _prepared(raw: bytes, notes: Notes) -> bytes:
    if len(raw) > limits.MESSAGE:
        notes.add(f"Only the first {limits.MESSAGE // 1_000_000} MB were read.")
        raw = raw[: limits.MESSAGE]
    if b"\n" not in raw[:10_000] and b"\r" in raw[:10_000]:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return raw


def _part(
    raw: bytes, headers: Headers, span: tuple[int, int], place: tuple[int, int, int], *, default: str, notes: Notes
) -> tuple[Part, list[tuple[int, int]]]:
    """One part, and where the parts within it lie."""
    declared = headers.get("content-type", _ABSENT)[0]
    type_, parameters = _parameters(declared)
    disposition, details = _parameters(headers.get("content-disposition", _ABSENT)[0])
    filename = details.get("filename", "") or parameters.get("name", "")
    if not _TYPE.fullmatch(type_):
        # RFC 2045, 5.2: what cannot be understood is plain text, unless it is called a file.
        type_ = "application/octet-stream" if declared and filename else default
    inside: list[tuple[int, int]] = []
    if type_.startswith("multipart/"):
        inside = _between(raw, *span, parameters.get("boundary", ""))
        if not inside and (seen := _SEEN_BOUNDARY.search(raw, *span)):
            # The boundary is not what the header says it is, or the header says nothing.
            inside = _between(raw, *span, seen[1].decode("utf-8", "replace"))
        if inside and place[2] >= limits.DEPTH:
            notes.add(f"Parts nested deeper than {limits.DEPTH} were not read.")
            inside, type_ = [], "application/octet-stream"
        elif not inside:
            type_ = "text/plain"
    branches = bool(inside)
    return Part(*place, headers, type_, parameters, disposition, filename, *span, branches), inside


def _parameters(value: bytes) -> tuple[str, Mapping[str, str]]:
    return _known_parameters(value) if len(value) < 200 else read_parameters(header_text(value))


@lru_cache(maxsize=2_000)
def _known_parameters(value: bytes) -> tuple[str, Mapping[str, str]]:
    """Remembered: the same few stand in nearly every mail."""
    return read_parameters(header_text(value))


def _between(raw: bytes, start: int, end: int, boundary: str) -> list[tuple[int, int]]:
    """Where the parts of a multipart lie (RFC 2046, 5.1.1). A missing last boundary is forgiven."""
    needle = b"--" + boundary.encode("utf-8", "replace")
    found: list[tuple[int, int]] = []
    begun = -1
    at = raw.find(needle, start, end) if boundary else -1
    while at >= 0:
        match = _REST_OF_BOUNDARY.match(raw, at + len(needle), end) if at == start or raw[at - 1] == 10 else None
        if match:
            if begun >= 0:
                found.append((begun, max(begun, _before_line_end(raw, at))))
            begun = -1 if match[1] else match.end()
            if match[1] or len(found) > limits.PARTS:
                break
        at = raw.find(needle, at + len(needle), end)
    if begun >= 0 and len(found) <= limits.PARTS:
        found.append((begun, end))
    return found


def _before_line_end(raw: bytes, at: int) -> int:
    """The line end before a boundary belongs to the boundary (RFC 2046, 5.1.1)."""
    if raw[at - 1 : at] == b"\n":
        at -= 1
    if raw[at - 1 : at] == b"\r":
        at -= 1
    return at


def from_uu(body: bytes) -> bytes:
    out = bytearray()
    begun = False
    for line in body.splitlines():
        if not begun:
            begun = line.startswith(b"begin ")
        elif line == b"end":
            break
        elif _UU_LINE.fullmatch(line):
            try:
                out += binascii.a2b_uu(line)
            except binascii.Error:
                # Some programs count the line wrong; read as many octets as there are.
                out += binascii.a2b_uu(line[: 1 + (((line[0] - 32) & 63) * 4 + 5) // 3])
    return bytes(out)
