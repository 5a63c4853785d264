"""What is heard of a folder while it is opened, searched and asked for flags: gathered, and bounded."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rapport.providers.errors import Unreachable
from rapport.providers.imap.commands import Command
from rapport.providers.imap.looking import Told
from rapport.providers.imap.responses import Fetched, Found, Other, Response, Status, Vanished
from rapport.providers.imap.session import Session
from rapport.providers.uids import UidSet

NOTHING = UidSet()
SLICE = 50_000
"""Messages a SEARCH covers at once, so that its answer stays a line of half a megabyte."""


@dataclass
class Heard:
    """UIDs found and vanished, flags seen. Equal flags are kept once: a million messages have few combinations."""

    known: UidSet = NOTHING
    """Flags of others, and their end, are of no interest."""
    wanted: UidSet = NOTHING
    """Of these it is of interest that they are there at all."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    finds: int = 0
    """How many searches were answered at all."""
    flags: dict[int, frozenset[str]] = field(default_factory=dict)
    vanished: UidSet = NOTHING
    garbled: bool = False
    dated: Fetched | None = None
    """The last message whose date was told."""
    _kept: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    @property
    def uids(self) -> UidSet:
        """What was found."""
        return UidSet() | UidSet(tuple(self.spans))

    @property
    def told(self) -> Told:
        """What the server said by itself."""
        return Told(self.vanished, self.flags, self.garbled)

    def take(self, response: Response) -> bool:
        """Take note of what belongs here."""
        if isinstance(response, Found):
            self.finds += 1
            self.spans.extend(response.uids.ranges)
        elif isinstance(response, Fetched):
            self._see(response)
        elif isinstance(response, Vanished) and response.earlier:
            self.vanished |= response.uids & self.known
        elif isinstance(response, Other) and response.name == "VANISHED":
            self.garbled = True
        elif isinstance(response, Status) and response.code.name == "CLOSED":
            # What was said before it is about the folder that was open until now (RFC 7162, 3.2.11).
            self.flags.clear()
        # Nothing of it is so much of use that it need not be counted.
        return False

    def _see(self, fetched: Fetched) -> None:
        if not fetched.uid:
            return
        if fetched.flags is not None and fetched.uid in self.known:
            self.flags[fetched.uid] = self._kept.setdefault(fetched.flags, fetched.flags)
        elif fetched.uid in self.wanted:
            self.spans.append((fetched.uid, fetched.uid))
        if fetched.date:
            self.dated = fetched


def hear(session: Session, questions: Sequence[Command], *, known: UidSet = NOTHING, wanted: UidSet = NOTHING) -> Heard:
    """The answers to searches, and to questions for the flags of known messages; raises on anything but OK."""
    heard = Heard(known, wanted)
    for response in session.stream(questions):
        heard.take(response)
        if len(heard.spans) > 2 * session.exists + SLICE:
            session.close()
            raise Unreachable("protocol", "The server finds more messages than there are.")
    return heard
