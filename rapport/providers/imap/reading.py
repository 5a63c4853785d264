"""Reading messages: what they are, and their bytes. Whatever was not given is asked for once more, alone."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from rapport.providers.contract import RemoteMessage, RemoteMeta
from rapport.providers.errors import Refused
from rapport.providers.imap.commands import Command, plain
from rapport.providers.imap.finding import Finder
from rapport.providers.imap.responses import Fetched
from rapport.providers.imap.session import Session
from rapport.providers.uids import UidSet

UIDS_A_COMMAND = 1_000
FETCHED_A_COMMAND = 200
FLAGS_A_COMMAND = 5_000


class Reader:
    """Reads in the folder that is selected."""

    def __init__(self, session: Session, finder: Finder, *, message_limit: int, clock: Callable[[], datetime]) -> None:
        self._session = session
        self._finder = finder
        self.message_limit = message_limit
        self._clock = clock

    def metas(self, uids: UidSet) -> Iterator[RemoteMeta]:
        """Flags, date and size, which may come in several lines about one message (sync.md hazard 16)."""
        done, partial = set[int](), dict[int, Fetched]()
        for pieces in self._rounds(uids, done, UIDS_A_COMMAND):
            for uid, fetched in self._lines(pieces, b"(UID FLAGS INTERNALDATE RFC822.SIZE)", uids):
                merged = _merged(partial.pop(uid, None), fetched)
                if uid in done:
                    continue
                if merged.flags is None or merged.size is None or merged.date is None:
                    partial[uid] = merged
                else:
                    done.add(uid)
                    yield self._meta(uid, merged)
        for uid, left in partial.items():
            if left.flags is not None or left.size is not None:
                yield self._meta(uid, left)

    def bodies(self, uids: UidSet) -> Iterator[RemoteMessage]:
        """The bytes, one message at a time in memory."""
        done = set[int]()
        try:
            for pieces in self._rounds(uids, done, FETCHED_A_COMMAND):
                for uid, fetched in self._lines(pieces, b"(UID BODY.PEEK[])", uids, limit=self.message_limit):
                    if fetched.body and uid not in done:
                        done.add(uid)
                        yield RemoteMessage(uid, fetched.body)
        except Refused as error:
            if error.uid is None and len(uids) == 1:
                error.uid = uids.max()
            raise

    def heads(self, uids: UidSet) -> Iterator[tuple[int, bytes]]:
        """The Message-ID lines of the headers."""
        done = set[int]()
        for pieces in self._rounds(uids, done, UIDS_A_COMMAND):
            for uid, fetched in self._lines(pieces, b"(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])", uids):
                if fetched.head is not None and uid not in done:
                    done.add(uid)
                    yield uid, fetched.head

    def _rounds(self, uids: UidSet, done: set[int], count: int) -> Iterator[Iterable[UidSet]]:
        """What to ask for: all of them together, and then each one that is there and was not given (hazards 15, 21)."""
        yield uids.chunks(count)
        missing = uids - UidSet.of(done)
        if missing:
            yield (UidSet.span(uid, uid) for uid in self._finder.among(missing))

    def _lines(
        self, pieces: Iterable[UidSet], items: bytes, wanted: UidSet, *, limit: int = 0
    ) -> Iterator[tuple[int, Fetched]]:
        """What was fetched of the wanted messages; anything else is only gossip. A refusal only means that it lacks."""
        asked = [of(piece, items) for piece in pieces]
        for response in self._session.stream(asked, partial=True, message_limit=limit):
            if isinstance(response, Fetched) and response.uid and response.uid in wanted:
                yield response.uid, response

    def _meta(self, uid: int, fetched: Fetched) -> RemoteMeta:
        # Of a message without a date nobody can say that it is too old to be wanted: it counts as new.
        return RemoteMeta(uid, fetched.flags or frozenset(), fetched.date or self._clock(), fetched.size or 0)


def of(uids: UidSet, items: bytes) -> Command:
    """FETCH of these messages."""
    return plain("UID FETCH", str(uids).encode("ascii"), items)


def flags(uids: UidSet) -> list[Command]:
    """The questions for the flags of these messages."""
    return [of(piece, b"(UID FLAGS)") for piece in uids.chunks(FLAGS_A_COMMAND)]


def _merged(before: Fetched | None, now: Fetched) -> Fetched:
    """Two lines about one message, the later one being right."""
    if before is None:
        return now
    return Fetched(
        now.sequence,
        now.uid,
        now.flags if now.flags is not None else before.flags,
        now.date or before.date,
        now.size if now.size is not None else before.size,
    )
