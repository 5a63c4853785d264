"""A raw message read into plain values. Pure: same bytes, same answer; it runs in a child process (R62)."""

import hashlib
import re

from rapport.mime import limits
from rapport.mime.addresses import read_addresses
from rapport.mime.bodies import Bodies, read_bodies
from rapport.mime.dates import read_date
from rapport.mime.filenames import clean_name, named
from rapport.mime.limits import Notes
from rapport.mime.message import Address, Attachment, ParsedMessage, Unreadable
from rapport.mime.quotes import fold
from rapport.mime.signs import automatic_signs, kept_headers, seal
from rapport.mime.structure import Headers, Part, Structure, read_headers, take_apart
from rapport.mime.words import decoded, header_line, header_text

_FOR_SNIPPET = 1_000
"""Characters of the text that are searched for its first own words."""
_IDS = re.compile(r"(?:<[!-;=@-~]{1,200}>(?:\s+|\Z)){0,50}")
"""A few ids with nothing wrong with them, apart from each other."""
_ID = re.compile(r"<([^<>]*)>")


def parse(raw: bytes) -> ParsedMessage:
    """Read a message as far as it can be read; what was cut is said in ``partly``. Raises nothing but `Unreadable`."""
    try:
        structure = take_apart(raw)
        return _read(structure)
    except MemoryError:
        raise
    except Exception as trouble:
        raise Unreadable(f"The message could not be read: {type(trouble).__name__}.") from trouble


def attachment(raw: bytes, position: int) -> bytes:
    """The decoded octets of the part at ``position``."""
    parts = (structure := take_apart(raw)).parts
    if not 0 <= position < len(parts):
        raise Unreadable(f"The message has no part {position}.")
    return structure.content(parts[position])


def _read(structure: Structure) -> ParsedMessage:
    top = structure.parts[0]
    notes = structure.notes
    bodies = read_bodies(structure)
    people = _people(top.headers, notes)
    start = bodies.text[:_FOR_SNIPPET]
    written = fold(start)[0].strip() or start
    return ParsedMessage(
        message_id=_message_id(top.first("message-id")),
        in_reply_to=_ids(_all(top.headers, "in-reply-to")),
        references=_ids(_all(top.headers, "references")),
        subject=header_line(top.headers.get("subject", [b""])[0], limits.SUBJECT),
        date=read_date(top.first("date")),
        from_=people["from"],
        sender=people["sender"],
        reply_to=people["reply-to"],
        to=people["to"],
        cc=people["cc"],
        bcc=people["bcc"],
        text=bodies.text,
        html=bodies.html,
        snippet=_start(written),
        attachments=tuple(_attachment(structure, part, bodies) for part in bodies.files),
        automatic=automatic_signs(top.headers, top.type),
        partly=notes.all(),
        sealed=seal(structure, bodies.text),
        headers=kept_headers(top.headers),
    )


def _start(written: str) -> str:
    # A word and a space take two characters at least; most are longer.
    for words in (limits.SNIPPET // 4, limits.SNIPPET // 2):
        said = " ".join(written.split(None, words)[:words])
        if len(said) >= limits.SNIPPET:
            break
    return said[: limits.SNIPPET].rstrip()


def _people(headers: Headers, notes: Notes) -> dict[str, tuple[Address, ...]]:
    """Addresses by header. A second From or Sender is somebody's trick and not read; a second To is only long."""
    room = limits.RECIPIENTS
    found: dict[str, tuple[Address, ...]] = {}
    for name in ("from", "sender", "reply-to", "to", "cc", "bcc"):
        fields = headers.get(name, [])
        fields = fields[:1] if name in ("from", "sender") else fields
        listed: list[Address] = []
        for field in fields:
            listed += read_addresses(header_text(field), room - len(listed) + 1)
        if len(listed) > room:
            notes.add(f"Only the first {limits.RECIPIENTS} addresses were read.")
        found[name] = tuple(listed[:room])
        room -= len(found[name])
    return found


def _all(headers: Headers, name: str) -> str:
    if name not in headers:
        return ""
    return " ".join(header_text(value) for value in headers.get(name, []))


def _message_id(value: str) -> str:
    found = _ids(value) or _ids(f"<{value.strip()}>")
    return found[0] if found else ""


def _ids(value: str) -> tuple[str, ...]:
    """Message-IDs in angle brackets, white space of folding taken out; the oldest and the newest where too many."""
    if _IDS.fullmatch(value):
        return tuple(dict.fromkeys(value.split()))
    inner = ["".join(one.split()) for one in _ID.findall(value)]
    if not inner:
        inner = [word for word in value.split() if "@" in word]
    ids = list(dict.fromkeys(f"<{decoded(one, limits.MESSAGE_ID)}>" for one in inner if one.strip("<>")))
    if len(ids) > limits.REFERENCES:
        ids = ids[:1] + ids[1 - limits.REFERENCES :]
    return tuple(ids)


def _attachment(structure: Structure, part: Part, bodies: Bodies) -> Attachment:
    content = structure.content(part)
    content_id = decoded(part.first("content-id").strip().strip("<>"), 500)
    shown = bool(content_id) and content_id in bodies.content_ids
    return Attachment(
        position=part.position,
        name=_name(part, content),
        type=part.type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content_id=content_id,
        inline=shown or (part.disposition == "inline" and part.type.startswith("image/")),
    )


def _name(part: Part, content: bytes) -> str:
    name = clean_name(part.filename)
    if not name and part.type in ("message/rfc822", "message/global"):
        headers, _ = read_headers(content, 0, len(content), Notes())
        subject = header_line(headers.get("subject", [b""])[0], 150)
        # Slashes of a subject are no folders.
        name = clean_name(subject.replace("/", "-").replace("\\", "-") + ".eml") if subject else ""
    return name or named(part.type, part.position)
