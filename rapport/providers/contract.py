"""The whole vocabulary between the engine and a mail server.

Plain values only. A provider is used by one thread at a time, blocks, and raises only ``providers.errors``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from rapport.providers.uids import UidSet


class Security(StrEnum):
    """How a connection is protected."""

    SSL = "ssl"
    STARTTLS = "starttls"
    NONE = "none"


class Role(StrEnum):
    """What a folder is for (RFC 6154), found by attribute, else by its name in many languages."""

    INBOX = "inbox"
    SENT = "sent"
    DRAFTS = "drafts"
    ARCHIVE = "archive"
    TRASH = "trash"
    SPAM = "spam"
    ALL = "all"
    FLAGGED = "flagged"
    NONE = ""


@dataclass(frozen=True)
class Endpoint:
    """Where a server is, how to speak to it, and the one untrusted certificate a person allowed, if any."""

    host: str
    port: int
    security: Security
    pinned: str = ""
    """SHA-256 of the allowed certificate, lower-case hexadecimal."""

    @property
    def in_clear(self) -> bool:
        """Whether a password would travel unencrypted."""
        return self.security is Security.NONE


@dataclass(frozen=True)
class Login:
    """Who signs in. Never printed."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Pace:
    """How fast a server sent what it sent in one piece: what one connection learnt, for the next one to that host."""

    octets: int = 0
    """As they came over the wire, those left out that came right after a question: they measure the distance."""
    seconds: float = 0.0
    """How long they were waited for."""


@dataclass(frozen=True)
class FolderState:
    """What a server says of a folder at one instant; ``None`` where it does not say."""

    exists: int
    uidnext: int | None
    uidvalidity: int | None
    modseq: int | None = None
    """HIGHESTMODSEQ (RFC 7162); ``None`` or 0 where the folder has no mod-sequences."""


@dataclass(frozen=True)
class RemoteFolder:
    """A folder as LIST shows it."""

    wire: bytes
    """The name as the server spells it: the key, whatever it holds."""
    name: str
    """Decoded for people (mUTF-7, RFC 3501 5.1.3), hierarchy with the server's own delimiter."""
    delimiter: str
    """One character, or empty in a flat namespace."""
    role: Role
    selectable: bool
    state: FolderState | None = None
    """Only where the server has LIST-STATUS (RFC 5819)."""


@dataclass(frozen=True)
class Bookmark:
    """Where the last look at a folder stopped. Saved only together with what it covers."""

    uidvalidity: int
    uidnext: int
    modseq: int = 0
    """0: without mod-sequences."""
    doubts: int = 0
    """How far the server is believed when it says by itself what changed here (``imap.looking``): 0 or 1 in all, 2 not
    in what vanished (QRESYNC), 3 not in mod-sequences either. A new UIDVALIDITY begins at 0 again.
    """


@dataclass(frozen=True)
class Sweep:
    """When the flags of a folder without mod-sequences were last asked for. The caller keeps it beside the bookmark."""

    recent: datetime | None = None
    """Aware: the newest few thousand messages."""
    whole: datetime | None = None
    """Aware: when the last sweep of the whole folder began."""
    below: int = 0
    """That sweep goes on with the UIDs below this one; 0: it is through."""


@dataclass(frozen=True)
class Look:
    """What changed in a folder since a bookmark, and the next bookmark; both from one SELECT."""

    bookmark: Bookmark
    exists: int
    arrived: UidSet
    """UIDs the server lists that we did not know. On a first look: every UID of the folder."""
    vanished: UidSet
    """Known UIDs that the server positively no longer lists. Never guessed from silence."""
    flags: Mapping[int, frozenset[str]]
    """Known UIDs whose flags may have changed, with all their flags now."""
    sweep: Sweep = Sweep()
    """To be handed to the next look, and saved together with the bookmark."""


@dataclass(frozen=True)
class RemoteMeta:
    """One message without its content."""

    uid: int
    flags: frozenset[str]
    """As IMAP spells them: ``\\Seen``, ``\\Flagged``, keywords. Never ``\\Recent``."""
    internal_date: datetime
    """Aware."""
    size: int
    """RFC822.SIZE: advisory, some servers lie."""


@dataclass(frozen=True)
class RemoteMessage:
    """One message with all its bytes."""

    uid: int
    raw: bytes


class Provider(Protocol):
    """A signed-in mailbox on a server."""

    def folders(self) -> Sequence[RemoteFolder]:
        """Every folder of the personal namespace, with states where that costs no extra round trip."""

    def states(self, folders: Iterable[bytes]) -> Mapping[bytes, FolderState]:
        """The states of folders for which ``folders`` gave none, asked for together. What is not told is left out."""

    def look(self, folder: bytes, bookmark: Bookmark | None, known: UidSet, sweep: Sweep | None = None) -> Look:
        """What changed since ``bookmark``, given that we know of the UIDs in ``known``.

        Without mod-sequences changed flags are found by asking for all; ``sweep``, from the last look, says which are
        due. Without it everything is: a thorough look. Raises StartOver when UIDVALIDITY is another than the
        bookmark's, Refused when the folder cannot be opened.
        """

    def since(self, folder: bytes, day: date) -> UidSet:
        """UIDs whose INTERNALDATE is on or after ``day`` in the server's own time zone (SEARCH SINCE)."""

    def listed(self, folder: bytes) -> UidSet:
        """Every UID of the folder, asked of the server now."""

    def metas(self, folder: bytes, uids: UidSet) -> Iterator[RemoteMeta]:
        """Flags, date and size of these messages, in any order; a message gone meanwhile is left out.

        One that the server lists but tells nothing of is asked for once more, alone, before it is left out.
        """

    def heads(self, folder: bytes, uids: UidSet) -> Iterator[tuple[int, bytes]]:
        """The Message-ID lines of these messages' headers, as they stand there; empty where there are none."""

    def fetch(self, folder: bytes, uids: UidSet) -> Iterator[RemoteMessage]:
        """The bytes of these messages (BODY.PEEK[]: nothing becomes read), streamed in any order.

        A message that the server lists but does not give is asked for once more, alone, and then left out; that is no
        evidence of deletion. Raises Refused with its ``uid`` for one that is larger than anybody takes, whatever its
        size was said to be; the connection is over then, and the next one has to go on without it.
        """

    def close(self) -> None:
        """Sign out politely if that is quick, else just close. Never raises."""
