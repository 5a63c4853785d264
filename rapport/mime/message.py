"""What is read out of a raw message: plain values, bounded, safe to store in any database."""

from dataclasses import dataclass
from datetime import datetime

PARSER_VERSION = 2
"""Raised when a better parser would read old mail differently; stored with each message."""


@dataclass(frozen=True)
class Address:
    """One mailbox of a header. ``address`` is lower-cased and may be empty where the header held only words."""

    name: str
    address: str


@dataclass(frozen=True)
class Attachment:
    """A part that is a file."""

    position: int
    """Where it is in the message: parts counted depth first, from 0. The key to get its bytes again.

    A file packed within a part (uuencoded in text, in Outlook's winmail.dat) has a million times the number after its
    part's, plus its own from 0.
    """
    name: str
    """Clean (R25): basename, NFC, no control or bidi characters, at most 200 bytes; never empty."""
    type: str
    """Declared content type, lower case, ``application/octet-stream`` where senseless. Never trusted."""
    size: int
    """Octets after decoding."""
    sha256: str
    """Of the decoded octets, lower-case hexadecimal."""
    content_id: str = ""
    """Without angle brackets."""
    inline: bool = False
    """Referred to by the HTML through cid:, or disposed inline and an image."""
    subject: str = ""
    """Of a forwarded message (message/rfc822)."""
    author: str = ""
    """Of a forwarded message: its From, as ``Name <address>``."""


@dataclass(frozen=True)
class Invitation:
    """A calendar entry that came with a message (RFC 5545, RFC 5546). Shown as what somebody else says, never acted on."""

    method: str
    """``REQUEST``, ``REPLY``, ``CANCEL``, ``PUBLISH``, ``COUNTER`` …, upper case."""
    summary: str = ""
    start: datetime | None = None
    """Aware. Of a whole day: its midnight in UTC."""
    end: datetime | None = None
    """Aware. Of a whole day: the midnight after it."""
    all_day: bool = False
    floating: bool = False
    """The zone is not known: start and end are clock times, given as if in UTC, and to be shown without converting."""
    location: str = ""
    organiser: Address | None = None
    attendees: tuple[Address, ...] = ()
    """At most 100."""
    answer: str = ""
    """Of a ``REPLY``: ``ACCEPTED``, ``DECLINED``, ``TENTATIVE`` …"""
    recurring: bool = False
    uid: str = ""


@dataclass(frozen=True)
class Delivery:
    """What became of a message on its way to one recipient (RFC 3464, 2.3)."""

    address: str
    """Lower case; empty where it makes no sense."""
    action: str
    """``failed``, ``delayed``, ``delivered``, ``relayed`` or ``expanded``; of a receipt its disposition: ``displayed`` …"""
    status: str = ""
    """``5.1.1`` (RFC 3463)."""
    reason: str = ""
    """What the other server said, at most 500 characters."""


@dataclass(frozen=True)
class Report:
    """A machine's answer about a message sent before: delivered or not (``dsn``), shown or not (``mdn``)."""

    kind: str
    """``dsn`` (RFC 3464) or ``mdn`` (RFC 8098)."""
    deliveries: tuple[Delivery, ...] = ()
    """At most 100."""
    original_id: str = ""
    """Message-ID of the message it is about, with its brackets."""

    @property
    def failed(self) -> tuple[Delivery, ...]:
        return tuple(one for one in self.deliveries if one.action == "failed")


@dataclass(frozen=True)
class ParsedMessage:
    """A message as far as it could be read. Text holds no NUL and no lone surrogates."""

    message_id: str
    """With its angle brackets, as in the header; empty where there is none."""
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    """At most 1,000, oldest first."""
    subject: str
    date: datetime | None
    """Aware, from the Date header; None where it makes no sense (before 1970, after 2100, unreadable)."""
    from_: tuple[Address, ...]
    sender: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]
    text: str
    """The body as plain text; made out of the HTML where there is no text part."""
    html: str
    """The body's HTML, not yet cleaned; empty where there is none."""
    snippet: str
    """The first 200 characters that somebody wrote: no quote, no signature, no white-space runs."""
    attachments: tuple[Attachment, ...] = ()
    automatic: tuple[str, ...] = ()
    """Signs of a machine or bulk sender, as ``name: value`` (List-Id, List-Unsubscribe, Precedence, Auto-Submitted …)."""
    partly: tuple[str, ...] = ()
    """What was cut and why, in words; empty when everything was read."""
    sealed: str = ""
    """``encrypted`` or ``signed``, else empty."""
    sealed_by: str = ""
    """``S/MIME`` or ``PGP`` where it is sealed."""
    invitation: Invitation | None = None
    report: Report | None = None


class Unreadable(Exception):
    """The message could not be read at all (time, memory, or a crash of the child); the raw bytes are kept."""
