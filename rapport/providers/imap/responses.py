"""What a server can say, as plain values (RFC 9051 section 7; mod-sequences RFC 7162, LIST-STATUS RFC 5819)."""

from dataclasses import dataclass
from datetime import datetime

from rapport.providers.uids import UidSet


@dataclass(frozen=True)
class Code:
    """A response code in brackets: its name in capitals, and the rest as text."""

    name: str = ""
    rest: str = ""


@dataclass(frozen=True)
class Status:
    """OK, NO, BAD, BYE or PREAUTH: of a command when it has a ``tag``, else untagged."""

    tag: str
    kind: str
    code: Code
    text: str


@dataclass(frozen=True)
class Continuation:
    """``+``: the server waits for the rest of a command."""

    text: str


@dataclass(frozen=True)
class Capability:
    """What the server can do, in capitals."""

    words: frozenset[str]


@dataclass(frozen=True)
class Enabled:
    """What ENABLE really switched on (RFC 5161)."""

    words: frozenset[str]


@dataclass(frozen=True)
class Namespaces:
    """Prefixes of the person's own folders, and of everybody else's (RFC 2342)."""

    personal: tuple[bytes, ...]
    foreign: tuple[bytes, ...]


@dataclass(frozen=True)
class Listed:
    """One folder of a LIST."""

    attributes: frozenset[str]
    """In lower case, with their backslash."""
    delimiter: str
    name: bytes


@dataclass(frozen=True)
class StatusOf:
    """The numbers of a folder that is not selected. A missing one is missing here."""

    name: bytes
    numbers: dict[str, int]


@dataclass(frozen=True)
class Found:
    """UIDs of a SEARCH; one search may answer in several lines."""

    uids: UidSet


@dataclass(frozen=True)
class Exists:
    """How many messages the selected folder has."""

    count: int


@dataclass(frozen=True)
class Expunged:
    """The message with this sequence number is gone; every later one moves down."""

    sequence: int


@dataclass(frozen=True)
class Vanished:
    """UIDs gone, on servers with QRESYNC; ``earlier`` when before this session."""

    uids: UidSet
    earlier: bool


@dataclass(frozen=True)
class Fetched:
    """Some of what there is to know of one message. What the server did not say is None."""

    sequence: int
    uid: int | None = None
    flags: frozenset[str] | None = None
    date: datetime | None = None
    size: int | None = None
    modseq: int | None = None
    body: bytes | None = None
    head: bytes | None = None
    """Some lines of the header."""


@dataclass(frozen=True)
class Other:
    """Anything else; nobody here asked for it."""

    name: str


Response = (
    Status
    | Continuation
    | Capability
    | Enabled
    | Namespaces
    | Listed
    | StatusOf
    | Found
    | Exists
    | Expunged
    | Vanished
    | Fetched
    | Other
)
