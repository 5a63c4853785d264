"""Files within a part: uuencoded in the text, or packed by Outlook into winmail.dat.

They have positions like parts do, so that their octets can be asked for again: a million times the number after their
part's, plus their own.
"""

import re
from dataclasses import dataclass

from rapport.mime import limits, tnef
from rapport.mime.structure import Part, Structure, from_uu

INSIDE = 1_000_000
_TNEF = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))
_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}")
_BEGIN = re.compile(rb"^begin [0-7]{3,4} {1,3}(\S[^\r\n]{0,300}?)[ \t]*\r?\n", re.MULTILINE)
_LINE = re.compile(rb"[!-M]([ -`]{1,84})[ \t]*\r?\n|[`] ?\r?\n|[ ]\r?\n")
_END = re.compile(rb"end[ \t]*(?:\r?\n|\Z)")


@dataclass(frozen=True)
class PackedFile:
    """A file within a part, decoded."""

    position: int
    name: str
    type: str
    content: bytes
    content_id: str = ""


def is_tnef(part: Part) -> bool:
    return part.type in _TNEF


def in_tnef(structure: Structure, part: Part) -> tuple[tnef.Unpacked, list[PackedFile]]:
    """What Outlook packed: words, and files."""
    found = tnef.unpack(structure.content(part))
    files = [
        PackedFile(_position(part, number), file.name, _type(file.type, file.name), file.content, file.content_id)
        for number, file in enumerate(found.files)
    ]
    return found, files


def in_text(part: Part, data: bytes) -> tuple[bytes, list[PackedFile]]:
    """A text without the files that are uuencoded in it, and these (POSIX, uuencode)."""
    files: list[PackedFile] = []
    kept: list[bytes] = []
    done = 0
    at = data.find(b"begin ")
    while at >= 0 and len(files) < limits.UNPACKED:
        begin = _BEGIN.match(data, at) if at == 0 or data[at - 1] == 10 else None
        end = _end_of(data, begin.end()) if begin else 0
        if begin and end:
            kept.append(data[done:at])
            done = end
            content = from_uu(data[at:end])
            name = begin[1].decode("utf-8", "replace")
            files.append(PackedFile(_position(part, len(files)), name, _type("", name), content))
        at = data.find(b"begin ", end or at + 1)
    return b"".join((*kept, data[done:])), files


def content_at(structure: Structure, position: int) -> bytes | None:
    """The octets of the file at such a position; ``None`` where there is none."""
    container = position // INSIDE - 1
    if not 0 <= container < len(structure.parts):
        return None
    part = structure.parts[container]
    files = in_tnef(structure, part)[1] if is_tnef(part) else in_text(part, structure.content(part))[1]
    return next((file.content for file in files if file.position == position), None)


def _end_of(data: bytes, at: int) -> int:
    """Where a uuencoded file is over; 0 where it is none, or has no end."""
    lines = 0
    while line := _LINE.match(data, at):
        lines += 1
        at = line.end()
    end = _END.match(data, at)
    return end.end() if end and lines else 0


def _position(part: Part, number: int) -> int:
    return (part.position + 1) * INSIDE + number


def _type(declared: str, name: str) -> str:
    """Never trusted; a guess is enough to choose an icon."""
    if _TYPE.fullmatch(declared.lower()):
        return declared.lower()
    return _BY_ENDING.get(name.rpartition(".")[2].lower(), "application/octet-stream")


_BY_ENDING = {
    "pdf": "application/pdf", "zip": "application/zip", "txt": "text/plain", "csv": "text/csv", "ics": "text/calendar",
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "htm": "text/html", "html": "text/html",
    "doc": "application/msword", "xls": "application/vnd.ms-excel", "eml": "message/rfc822",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip
