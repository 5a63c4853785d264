"""A raw message read into plain values. Pure: same bytes, same answer; it runs in a child process (R62)."""

import hashlib
import re

from rapport.mime import limits
from rapport.mime.addresses import read_addresses
from rapport.mime.bodies import Bodies, read_bodies
from rapport.mime.dates import read_date
from rapport.mime.filenames import clean_name, named
from rapport.mime.invitations import read_invitation
from rapport.mime.limits import Notes
from rapport.mime.message import Address, Attachment, Invitation, ParsedMessage, Unreadable
from rapport.mime.quotes import fold
from rapport.mime.reports import KINDS, read_report
from rapport.mime.signs import automatic_signs, seal
from rapport.mime.structure import Headers, Part, Structure, read_headers, take_apart
from rapport.mime.unpacked import INSIDE, PackedFile, content_at
from rapport.mime.words import decoded, header_line, header_text, one_line

_SIGNED = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Z][A-Za-z-]{1,30}: [^\n]{0,200}\n){0,10}")
_ARMOUR = re.compile(r"-----BEGIN PGP (?:MESSAGE|SIGNATURE|PUBLIC KEY BLOCK)-----")
_FOR_SNIPPET = 700
"""Characters of the text that are searched for its first own words."""
_CALENDARS = frozenset(("text/calendar", "application/ics"))
_MESSAGES = frozenset(("message/rfc822", "message/global"))
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
    packed = content_at(structure, position) if position >= INSIDE else None
    if packed is not None:
        return packed
    if not 0 <= position < len(parts):
        raise Unreadable(f"The message has no part {position}.")
    return structure.content(parts[position])


def _read(structure: Structure) -> ParsedMessage:
    top = structure.parts[0]
    notes = structure.notes
    bodies = read_bodies(structure)
    people = _people(top.headers, notes)
    sealed, sealed_by = seal(structure, bodies.text)
    types = {part.type for part in structure.parts}
    invitation = None if types.isdisjoint(_CALENDARS) else _invitation(structure)
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
        snippet=_snippet(bodies.text) or (invitation.summary[: limits.SNIPPET] if invitation else ""),
        attachments=(
            *[_attachment(structure, part, bodies) for part in bodies.files],
            *[_packed(file, bodies) for file in bodies.packed],
        ),
        automatic=automatic_signs(top.headers, top.type),
        partly=notes.all(),
        sealed=sealed,
        sealed_by=sealed_by,
        invitation=invitation,
        report=None if types.isdisjoint(KINDS) else read_report(structure),
    )


def _snippet(text: str) -> str:
    start = text[:_FOR_SNIPPET]
    if "-----BEGIN PGP " in start:
        # What a program wrote for programs, and what only the right key opens, is nothing that somebody says.
        start = _ARMOUR.split(_SIGNED.sub("", start))[0]
    written = fold(start)[0].strip() or start
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
        listed: list[Address] = []
        for field in headers.get(name, ())[: 1 if name in ("from", "sender") else None]:
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


def _invitation(structure: Structure) -> Invitation | None:
    """The first calendar entry, the one that asks for something before any other."""
    calendars = [part for part in structure.parts if part.type in _CALENDARS][:10]
    calendars.sort(key=lambda part: "method" not in part.parameters)
    for part in calendars:
        said = part.parameters.get("charset", ""), part.parameters.get("method", "")
        if found := read_invitation(structure.content(part), *said):
            return found
    return None


def _packed(file: PackedFile, bodies: Bodies) -> Attachment:
    content_id = one_line(file.content_id, 500)
    return Attachment(
        position=file.position,
        name=clean_name(file.name) or named(file.type, file.position % INSIDE),
        type=file.type,
        size=len(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
        content_id=content_id,
        inline=bool(content_id) and content_id in bodies.content_ids,
    )


def _attachment(structure: Structure, part: Part, bodies: Bodies) -> Attachment:
    content = structure.content(part)
    subject, author = _forwarded(content) if part.type in _MESSAGES else ("", "")
    content_id = decoded(part.first("content-id").strip().strip("<>"), 500)
    shown = bool(content_id) and content_id in bodies.content_ids
    return Attachment(
        position=part.position,
        name=_name(part, subject),
        type=part.type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        content_id=content_id,
        inline=shown or (part.disposition == "inline" and part.type.startswith("image/")),
        subject=subject,
        author=author,
    )


def _forwarded(content: bytes) -> tuple[str, str]:
    """Subject and author of a message within the message."""
    headers, _ = read_headers(content, 0, len(content), Notes())
    subject = header_line(headers.get("subject", [b""])[0], 150)
    people = read_addresses(header_text(headers.get("from", [b""])[0]), 1)
    if not people:
        return subject, ""
    name, address = people[0].name, people[0].address
    return subject, f"{name} <{address}>" if name and address else name or address


def _name(part: Part, subject: str) -> str:
    name = clean_name(part.filename)
    if not name and subject:
        # Slashes of a subject are no folders.
        name = clean_name(subject.replace("/", "-").replace("\\", "-") + ".eml")
    return name or named(part.type, part.position)
