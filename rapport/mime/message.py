"""What is read out of a raw message: plain values, bounded, safe to store in any database."""

from dataclasses import dataclass, field
from datetime import datetime

PARSER_VERSION = 1
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
    """Where it is in the message: parts counted depth first, from 0. The key to get its bytes again."""
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
    """``encrypted`` or ``signed`` (S/MIME, PGP), else empty."""
    headers: tuple[tuple[str, str], ...] = field(default=())
    """The other headers worth keeping, decoded, at most 100 (Return-Path, X-Mailer, List-*, Authentication-Results …)."""


class Unreadable(Exception):
    """The message could not be read at all (time, memory, or a crash of the child); the raw bytes are kept."""
