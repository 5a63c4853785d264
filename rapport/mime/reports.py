"""Reports about mail sent before: could it be delivered, was it shown (RFC 3464, RFC 8098)?"""

import re

from rapport.mime import limits
from rapport.mime.addresses import canonical
from rapport.mime.limits import Notes
from rapport.mime.message import Delivery, Report
from rapport.mime.structure import Headers, Part, Structure, read_headers
from rapport.mime.words import header_line

_DELIVERIES = ("message/delivery-status", "message/global-delivery-status")
_SHOWN = ("message/disposition-notification", "message/global-disposition-notification")
_ORIGINAL = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
KINDS = frozenset((*_DELIVERIES, *_SHOWN))
"""Content types that are for machines to read."""

_OF_A_RECIPIENT = ("final-recipient", "original-recipient", "action")
_BY_CLASS = {"2": "delivered", "4": "delayed", "5": "failed"}
_MOST = 5
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ACTION = re.compile(r"[a-z-]{1,30}")
_ID = re.compile(r"<[^<>\s]{1,900}>")


def read_report(structure: Structure) -> Report | None:
    """The report a message is, by the first of its parts that tells a machine anything; ``None`` where it is none."""
    reports = [part for part in structure.parts if part.type in KINDS][:_MOST]
    if not reports:
        return None
    read = [_report(structure, part) for part in reports]
    return next((one for one in read if one.deliveries), read[0])


def _report(structure: Structure, part: Part) -> Report:
    groups = _groups(structure.content(part))
    original = _id(groups, "original-message-id") or _original(structure)
    if part.type in _SHOWN:
        return Report("mdn", tuple(_shown(group) for group in groups[:1]), original)
    # The first group is about the message, each other one about a recipient.
    told = [group for group in groups if any(name in group for name in _OF_A_RECIPIENT)]
    return Report("dsn", tuple(_delivery(group) for group in told[: limits.PEOPLE_OF_A_REPORT]), original)


def _groups(content: bytes) -> list[Headers]:
    """Groups of fields, an empty line between each."""
    content = content[: limits.HEADERS].replace(b"\r\n", b"\n").strip(b"\n") + b"\n\n"
    groups: list[Headers] = []
    at = 0
    while at < len(content) and len(groups) <= limits.PEOPLE_OF_A_REPORT:
        headers, after = read_headers(content, at, len(content), Notes())
        if headers:
            groups.append(headers)
        at = after if after > at else len(content)
    return groups


def _delivery(group: Headers) -> Delivery:
    status = _STATUS.search(_value(group, "status"))
    return Delivery(
        address=_address(group, "final-recipient") or _address(group, "original-recipient"),
        # Some leave out what happened; the status begins with it (RFC 3463, 2).
        action=_word(_value(group, "action")) or (_BY_CLASS[status[0][0]] if status else ""),
        status=status[0] if status else "",
        reason=_value(group, "diagnostic-code").partition(";")[2].strip()[:500],
    )


def _shown(group: Headers) -> Delivery:
    """``Disposition: manual-action/MDN-sent-manually; displayed`` (RFC 8098, 3.2.6)."""
    said = _value(group, "disposition").partition(";")[2].partition("/")[0]
    return Delivery(_address(group, "final-recipient") or _address(group, "original-recipient"), _word(said))


def _original(structure: Structure) -> str:
    """The Message-ID of the message that came back with the report."""
    part = next((one for one in structure.parts if one.type in _ORIGINAL), None)
    return _id([_headers(structure, part)], "message-id") if part else ""


def _headers(structure: Structure, part: Part) -> Headers:
    content = structure.content(part)
    return read_headers(content, 0, len(content), Notes())[0]


def _id(groups: list[Headers], name: str) -> str:
    found = _ID.search(_value(groups[0], name)) if groups else None
    return found[0] if found else ""


def _address(group: Headers, name: str) -> str:
    """``rfc822; ana@example.org``: the kind of address stands before it."""
    said = _value(group, name)
    return canonical(said.rpartition(";")[2].strip().strip("<>"))


def _word(said: str) -> str:
    found = _ACTION.match(said.strip().lower())
    return found[0] if found else ""


def _value(group: Headers, name: str) -> str:
    return header_line(group[name][0], 1_000) if name in group else ""
