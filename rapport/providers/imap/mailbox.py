"""A signed-in IMAP mailbox: the Provider contract in commands. It reads, and changes nothing on the server."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from rapport.providers.contract import Bookmark, FolderState, Look, RemoteFolder, RemoteMessage, RemoteMeta
from rapport.providers.errors import Refused, Unreachable
from rapport.providers.imap import commands, looking, names
from rapport.providers.imap.client import State
from rapport.providers.imap.commands import Command, plain
from rapport.providers.imap.folders import Folders
from rapport.providers.imap.idle import Idle
from rapport.providers.imap.looking import Flags
from rapport.providers.imap.responses import Fetched, Found, Response, Status
from rapport.providers.imap.session import Session, demand, speakable
from rapport.providers.uids import UidSet

MESSAGE_LIMIT = 50_000_000
SLICE = 50_000
"""Messages a SEARCH covers at once, so that its answer stays a line of half a megabyte."""
UIDS_A_COMMAND = 1_000
FETCHED_A_COMMAND = 200
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Mailbox:
    """One connection, one folder selected at a time; SELECT and never EXAMINE, BODY.PEEK and never BODY.

    SELECT, because some servers show mod-sequences and new mail only there; with PEEK it marks nothing as read.
    """

    def __init__(self, session: Session, *, message_limit: int = MESSAGE_LIMIT) -> None:
        self.session = session
        self.message_limit = message_limit
        self._introduced = False
        self._selected: bytes | None = None
        self._state = FolderState(0, None, None)
        self._validities: dict[bytes, int] = {}

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server can do, in capitals."""
        return self.session.client.capabilities

    def folders(self) -> Sequence[RemoteFolder]:
        """Every folder of the personal namespace; with states where the server has LIST-STATUS. One round trip."""
        found = Folders()
        introduction = self._introduction()
        asked = [*introduction, found.question(self.capabilities)]
        answers = self.session.run(asked, found.hear)
        demand(answers[-1], "listing the folders")
        return found.result()

    def states(self, folders: Iterable[bytes]) -> Mapping[bytes, FolderState]:
        """STATUS of these folders, sent together; one that cannot be asked is left out.

        Not for the selected folder, of which some servers say stale numbers here (sync.md hazard 23).
        """
        found = Folders()
        asked = [*self._introduction()]
        asked += [found.status_question(folder, self.capabilities) for folder in folders]
        self.session.run(asked, found.hear)
        return found.states

    def look(self, folder: bytes, bookmark: Bookmark | None, known: UidSet) -> Look:
        """What changed since ``bookmark``: a SELECT, and then everything that has to be asked, together."""
        now = self._select(folder)
        if bookmark is not None:
            looking.check(bookmark.uidvalidity, now, names.decode(folder))
        self._validities[folder] = now.uidvalidity or 0
        asked = looking.questions(now, bookmark, known)
        heard = self._ask(asked, bookmark, known)
        arrived = heard.uids & asked.arrivals if asked.arrivals is not None else heard.uids
        listing = None
        if bookmark is not None and looking.needs_listing(now, known, arrived):
            everything = self._search(b"ALL")
            listing = everything if looking.believable(everything, self.session.exists) else None
        return looking.conclude(now, bookmark, known, arrived=arrived, flags=heard.flags, listing=listing)

    def since(self, folder: bytes, day: date) -> UidSet:
        """UIDs whose INTERNALDATE is on or after ``day``, as the server reckons days."""
        self._open(folder)
        return self._search(b"SINCE " + commands.day(day))

    def listed(self, folder: bytes) -> UidSet:
        """Every UID of the folder, asked now."""
        self._open(folder)
        self.session.run([plain("NOOP")])
        return self._search(b"ALL")

    def metas(self, folder: bytes, uids: UidSet) -> Iterator[RemoteMeta]:
        """Flags, date and size."""
        self._open(folder)
        asked = [_fetch(piece, b"(UID FLAGS INTERNALDATE RFC822.SIZE)") for piece in uids.chunks(UIDS_A_COMMAND)]
        partial: dict[int, Fetched] = {}
        for fetched in self._fetched(asked, uids):
            merged = _merged(partial.pop(fetched.uid or 0, None), fetched)
            if merged.flags is None or merged.size is None or merged.date is None:
                partial[fetched.uid or 0] = merged
            else:
                yield _meta(merged)
        yield from (_meta(left) for left in partial.values() if left.flags is not None and left.size is not None)

    def fetch(self, folder: bytes, uids: UidSet) -> Iterator[RemoteMessage]:
        """The bytes of these messages, one at a time in memory. One that is refused among others is asked for alone."""
        self._open(folder)
        got = set[int]()
        refused = False
        for answer in self._bodies(uids.chunks(FETCHED_A_COMMAND)):
            if answer is None:
                refused = True
            else:
                got.add(answer.uid)
                yield answer
        if refused:
            alone = (UidSet.span(uid, uid) for uid in uids - UidSet.of(got))
            yield from filter(None, self._bodies(alone))

    def idle(self, folder: bytes = b"INBOX") -> Idle:
        """To be told of changes of a folder, which is selected now. Raises Refused where the server has no IDLE."""
        if "IDLE" not in self.capabilities:
            raise Refused("The server has no IDLE.")
        self._open(folder)
        return Idle(self.session)

    def noop(self) -> None:
        """A sign of life."""
        self.session.run([plain("NOOP")])

    def close(self) -> None:
        """Sign out if that is quick, else just close. Never raises."""
        self.session.leave()

    def _introduction(self) -> list[Command]:
        """What is said once, in the same packet as the first question.

        ID wherever it is offered, because some servers refuse everything without it (sync.md hazard 63).
        """
        if self._introduced:
            return []
        self._introduced = True
        said = []
        if "ID" in self.capabilities:
            said.append(plain("ID", b'("name" "Rapport")'))
        if {"ENABLE", "CONDSTORE"} <= self.capabilities:
            said.append(plain("ENABLE", b"CONDSTORE"))
        if "NAMESPACE" in self.capabilities:
            said.append(plain("NAMESPACE"))
        return said

    def _mod_sequences(self) -> bool:
        """Whether HIGHESTMODSEQ can be trusted: of a server that has ENABLE, only when it echoed CONDSTORE."""
        if "CONDSTORE" not in self.capabilities:
            return False
        return "ENABLE" not in self.capabilities or "CONDSTORE" in self.session.client.enabled

    def _open(self, folder: bytes) -> None:
        """Have this folder selected, the same one as last time."""
        if self._selected == folder and self.session.client.state is State.SELECTED:
            return
        now = self._select(folder)
        if folder in self._validities:
            looking.check(self._validities[folder], now, names.decode(folder))
        self._validities[folder] = now.uidvalidity or 0

    def _select(self, folder: bytes) -> FolderState:
        """The folder's numbers at this instant."""
        introduction = self._introduction()
        parameter = [b"(CONDSTORE)"] if "CONDSTORE" in self.capabilities else []
        select = speakable(lambda: plain("SELECT", commands.astring(folder), *parameter))
        self._selected = None
        self.session.exists = 0
        numbers: dict[str, int] = {}
        answers = self.session.run([*introduction, select], lambda response: _number(response, numbers))
        demand(answers[-1], f"opening {names.decode(folder)}")
        self._selected = folder
        self.session.changed = False
        modseq = numbers.get("HIGHESTMODSEQ") if self._mod_sequences() else None
        return FolderState(self.session.exists, numbers.get("UIDNEXT"), numbers.get("UIDVALIDITY"), modseq)

    def _ask(self, asked: looking.Questions, bookmark: Bookmark | None, known: UidSet) -> "_Heard":
        """New UIDs and changed flags: the questions go out together."""
        questions = self._flag_questions(bookmark, known, asked.flags)
        if asked.arrivals is None:
            questions += self._search_questions(b"ALL")
        elif asked.arrivals:
            questions += self._search_questions(b"UID %s" % str(asked.arrivals).encode("ascii"))
        return self._hear(questions, known)

    def _flag_questions(self, bookmark: Bookmark | None, known: UidSet, how: Flags) -> list[Command]:
        if how is Flags.CHANGED and bookmark:
            known_range = b"1:%d" % known.max()
            return [plain("UID FETCH", known_range, b"(UID FLAGS)", b"(CHANGEDSINCE %d)" % bookmark.modseq)]
        if how is Flags.SWEEP:
            return [_fetch(piece, b"(UID FLAGS)") for piece in known.chunks(UIDS_A_COMMAND)]
        return []

    def _search(self, criteria: bytes) -> UidSet:
        """UIDs that match; raises on anything but OK."""
        return self._hear(self._search_questions(criteria), UidSet()).uids

    def _search_questions(self, criteria: bytes) -> list[Command]:
        """One search, or one for each slice of positions where the folder is large."""
        exists = self.session.exists
        if exists <= SLICE:
            return [plain("UID SEARCH", criteria)]
        lows = range(1, exists + 1, SLICE)
        return [plain("UID SEARCH", b"%d:%d" % (low, min(low + SLICE - 1, exists)), criteria) for low in lows]

    def _hear(self, questions: Sequence[Command], known: UidSet) -> "_Heard":
        """The answers to searches, and to questions for the flags of known messages."""
        heard = _Heard()
        for response in self.session.stream(questions):
            if isinstance(response, Found):
                heard.find(response.uids)
                if heard.count > 2 * self.session.exists + SLICE:
                    self.session.close()
                    raise Unreachable("protocol", "The server finds more messages than there are.")
            elif (
                isinstance(response, Fetched) and response.uid and response.flags is not None and response.uid in known
            ):
                heard.see(response.uid, response.flags)
        return heard

    def _fetched(self, asked: Sequence[Command], wanted: UidSet) -> Iterator[Fetched]:
        """What was fetched of the wanted messages; anything else is only gossip (sync.md hazard 16)."""
        for response in self.session.stream(asked):
            if isinstance(response, Fetched) and response.uid and response.uid in wanted:
                yield response

    def _bodies(self, pieces: Iterable[UidSet]) -> Iterator[RemoteMessage | None]:
        """Messages as they come, and None wherever the server refused some."""
        asked = [_fetch(piece, b"(UID BODY.PEEK[])") for piece in pieces]
        for response in self.session.stream(asked, partial=True, message_limit=self.message_limit):
            if isinstance(response, Fetched) and response.uid and response.body:
                yield RemoteMessage(response.uid, response.body)
            elif isinstance(response, Status) and response.tag:
                yield None


@dataclass
class _Heard:
    """UIDs found and flags seen. Equal flags are kept once: a million messages have few combinations."""

    spans: list[tuple[int, int]] = field(default_factory=list)
    count: int = 0
    flags: dict[int, frozenset[str]] = field(default_factory=dict)
    _kept: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    @property
    def uids(self) -> UidSet:
        return UidSet() | UidSet(tuple(self.spans))

    def find(self, uids: UidSet) -> None:
        self.spans.extend(uids.ranges)
        self.count += len(uids)

    def see(self, uid: int, flags: frozenset[str]) -> None:
        self.flags[uid] = self._kept.setdefault(flags, flags)


def _fetch(uids: UidSet, items: bytes) -> Command:
    return plain("UID FETCH", str(uids).encode("ascii"), items)


def _number(response: Response, numbers: dict[str, int]) -> bool:
    """Take note of a number in a response code of SELECT."""
    if isinstance(response, Status) and response.code.rest.isascii() and response.code.rest.isdigit():
        numbers[response.code.name] = int(response.code.rest[:20])
        return True
    return False


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


def _meta(fetched: Fetched) -> RemoteMeta:
    return RemoteMeta(fetched.uid or 0, fetched.flags or frozenset(), fetched.date or LONG_AGO, fetched.size or 0)
