"""A parsed message on its way between processes: JSON, because the other end has just read hostile bytes (R43)."""

import json
from datetime import datetime
from typing import Any

from rapport.mime.message import Address, Attachment, ParsedMessage

_ADDRESSES = ("from_", "sender", "reply_to", "to", "cc", "bcc")
_WORDS = ("in_reply_to", "references", "automatic", "partly")
_PLAIN = ("message_id", "subject", "text", "html", "snippet", "sealed")
_FILE = ("position", "name", "type", "size", "sha256", "content_id", "inline")


def to_json(message: ParsedMessage) -> bytes:
    values: dict[str, object] = {name: getattr(message, name) for name in (*_WORDS, *_PLAIN, "headers")}
    values |= {name: [(one.name, one.address) for one in getattr(message, name)] for name in _ADDRESSES}
    values["attachments"] = [[getattr(file, name) for name in _FILE] for file in message.attachments]
    values["date"] = message.date.isoformat() if message.date else None
    return json.dumps(values, ensure_ascii=False).encode()


def from_json(data: bytes) -> ParsedMessage:
    """The other way; raises `ValueError`, `KeyError` or `TypeError` on anything else."""
    # Any: it is JSON, and every field is turned into what it must be below.
    values: dict[str, Any] = json.loads(data)
    return ParsedMessage(
        message_id=str(values["message_id"]),
        subject=str(values["subject"]),
        text=str(values["text"]),
        html=str(values["html"]),
        snippet=str(values["snippet"]),
        sealed=str(values["sealed"]),
        in_reply_to=_words(values["in_reply_to"]),
        references=_words(values["references"]),
        automatic=_words(values["automatic"]),
        partly=_words(values["partly"]),
        from_=_people(values["from_"]),
        sender=_people(values["sender"]),
        reply_to=_people(values["reply_to"]),
        to=_people(values["to"]),
        cc=_people(values["cc"]),
        bcc=_people(values["bcc"]),
        date=datetime.fromisoformat(values["date"]) if values["date"] else None,
        attachments=tuple(_file(file) for file in values["attachments"]),
        headers=tuple((str(name), str(value)) for name, value in values["headers"]),
    )


# Any: as above.
def _file(file: list[Any]) -> Attachment:
    position, name, type_, size, sha256, content_id, inline = file
    return Attachment(int(position), str(name), str(type_), int(size), str(sha256), str(content_id), bool(inline))


def _people(listed: list[list[Any]]) -> tuple[Address, ...]:
    return tuple(Address(str(name), str(address)) for name, address in listed)


def _words(listed: list[Any]) -> tuple[str, ...]:
    return tuple(map(str, listed))
