"""Parsed messages on their way between processes: JSON, because the other end has just read hostile bytes (R43).

The child writes what it has; the parent believes nothing but the shape, and makes every value anew.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from rapport.mime.message import Address, Attachment, Delivery, Invitation, ParsedMessage, Report, Unreadable

Outcome = ParsedMessage | Unreadable


def to_json(outcomes: Sequence[Outcome]) -> bytes:
    return orjson.dumps([str(one) if isinstance(one, Unreadable) else one for one in outcomes])


def from_json(data: bytes) -> list[Outcome]:
    """The other way; raises `ValueError`, `KeyError` or `TypeError` on anything else."""
    # Any: it is JSON, and every field is turned into what it must be below.
    outcomes: list[Any] = orjson.loads(data)
    return [Unreadable(one[:500]) if isinstance(one, str) else _message(one) for one in outcomes]


# Any: as above, here and below.
def _message(values: dict[str, Any]) -> ParsedMessage:
    return ParsedMessage(
        message_id=str(values["message_id"]),
        in_reply_to=_words(values["in_reply_to"]),
        references=_words(values["references"]),
        subject=str(values["subject"]),
        date=_time(values["date"]),
        from_=_people(values["from_"]),
        sender=_people(values["sender"]),
        reply_to=_people(values["reply_to"]),
        to=_people(values["to"]),
        cc=_people(values["cc"]),
        bcc=_people(values["bcc"]),
        text=str(values["text"]),
        html=str(values["html"]),
        snippet=str(values["snippet"]),
        attachments=tuple([_file(one) for one in values["attachments"]]),
        automatic=_words(values["automatic"]),
        partly=_words(values["partly"]),
        sealed=str(values["sealed"]),
        sealed_by=str(values["sealed_by"]),
        invitation=_invitation(values["invitation"]) if values["invitation"] else None,
        report=_report(values["report"]) if values["report"] else None,
    )


def _file(values: dict[str, Any]) -> Attachment:
    return Attachment(
        position=int(values["position"]),
        name=str(values["name"]),
        type=str(values["type"]),
        size=int(values["size"]),
        sha256=str(values["sha256"]),
        content_id=str(values["content_id"]),
        inline=bool(values["inline"]),
        subject=str(values["subject"]),
        author=str(values["author"]),
    )


def _invitation(values: dict[str, Any]) -> Invitation:
    return Invitation(
        method=str(values["method"]),
        summary=str(values["summary"]),
        start=_time(values["start"]),
        end=_time(values["end"]),
        all_day=bool(values["all_day"]),
        floating=bool(values["floating"]),
        location=str(values["location"]),
        organiser=_people([values["organiser"]])[0] if values["organiser"] else None,
        attendees=_people(values["attendees"]),
        answer=str(values["answer"]),
        recurring=bool(values["recurring"]),
        uid=str(values["uid"]),
    )


def _report(values: dict[str, Any]) -> Report:
    told = [(one["address"], one["action"], one["status"], one["reason"]) for one in values["deliveries"]]
    deliveries = tuple(Delivery(*map(str, one)) for one in told)
    return Report(str(values["kind"]), deliveries, str(values["original_id"]))


def _time(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


def _people(listed: list[dict[str, Any]]) -> tuple[Address, ...]:
    return tuple([Address(str(one["name"]), str(one["address"])) for one in listed]) if listed else ()


def _words(listed: list[Any]) -> tuple[str, ...]:
    return tuple([str(one) for one in listed]) if listed else ()
