"""A signed-in IMAP mailbox: the Provider contract in commands. It reads, and changes nothing on the server."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from rapport.providers import sweeping
from rapport.providers.contract import Bookmark, FolderState, Look, Pace, RemoteFolder, RemoteMessage, RemoteMeta, Sweep
from rapport.providers.errors import Refused
from rapport.providers.imap import commands, deflate, folders, hearing, looking, names, reading
from rapport.providers.imap.client import State
from rapport.providers.imap.commands import Command, plain
from rapport.providers.imap.finding import Finder
from rapport.providers.imap.folders import Folders
from rapport.providers.imap.hearing import Heard
from rapport.providers.imap.idle import Idle
from rapport.providers.imap.looking import Flags, Told
from rapport.providers.imap.reading import Reader
from rapport.providers.imap.responses import Namespaces, Response, Status
from rapport.providers.imap.session import Session, demand, speakable
from rapport.providers.profiles import Profile
from rapport.providers.sweeping import Due
from rapport.providers.uids import UidSet

MESSAGE_LIMIT = 50_000_000
STATUS_AT_ONCE = 100
"""Questions sent in one go: enough for one round trip, few enough for a server that answers before it reads on."""
ASKED_AGAIN = 100
"""Messages whose flags a look asks for once more: a server that leaves out more of them is not worth it."""
WRONG_TALES = 2
"""After so many folders whose vanished messages did not add up, a whole connection is not believed any more."""


def _now() -> datetime:
    return datetime.now(UTC)


class Mailbox:
    """One connection, one folder selected at a time; SELECT and never EXAMINE, BODY.PEEK and never BODY.

    SELECT, because some servers show mod-sequences and new mail only there; with PEEK it marks nothing as read.
    """

    def __init__(
        self,
        session: Session,
        *,
        profile: Profile | None = None,
        pace: Pace | None = None,
        message_limit: int = MESSAGE_LIMIT,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.session = session
        self.profile = profile or Profile()
        self._clock = clock
        self._pace = pace or Pace()
        self._finder = Finder(session, self.profile)
        self._reader = Reader(session, self._finder, message_limit=message_limit, clock=clock)
        self._introduced = False
        self._namespaces: Namespaces | None = None
        self._selected: bytes | None = None
        self._validities: dict[bytes, int] = {}
        self._wrong_tales = 0
        self._never_packs = not self.profile.compress

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server can do, in capitals."""
        return self.session.client.capabilities

    def take_up_to(self, octets: int) -> None:
        """From now on fetch messages of this size: somebody asked for one that does not come by itself."""
        self._reader.message_limit = octets

    @property
    def pace(self) -> Pace:
        """How fast this server is: for ``sign_in`` of the next connection to it."""
        here = self.session.wire.pace
        return here if here.octets >= deflate.ENOUGH else self._pace

    def folders(self) -> Sequence[RemoteFolder]:
        """Every folder of the personal namespace; with states where the server has LIST-STATUS. One round trip."""
        found = Folders(self._namespaces)
        capabilities = self.capabilities if self.profile.list_status else self.capabilities - {"LIST-STATUS"}
        asked = [*self._introduction(), *self._sign_of_life(), found.question(capabilities)]
        answer = self.session.run(asked, found.hear)[-1]
        if answer.kind == "BAD":
            [answer] = self.session.run([plain("LIST", b'""', b'"*"')], found.hear)
        demand(answer, "listing the folders")
        self._namespaces = found.namespaces
        if self._selected and self.session.changed:
            # What STATUS says of the selected folder may be stale (sync.md hazard 23).
            found.told.pop(names.spoken(self._selected, utf8=self._utf8), None)
        return found.result(utf8=self._utf8)

    def states(self, folders_: Iterable[bytes]) -> Mapping[bytes, FolderState]:
        """STATUS of these folders, sent together: one round trip for a hundred. One that cannot be asked is left out.

        As is the one that is selected, of which some servers say stale numbers here (sync.md hazard 23).
        """
        found = Folders(self._namespaces)
        self._run_introduction(self._introduction())
        asked = [self._status_question(folder) for folder in folders_ if folder != self._selected]
        for low in range(0, len(asked), STATUS_AT_ONCE):
            self.session.run(asked[low : low + STATUS_AT_ONCE], found.hear)
        return found.states(utf8=self._utf8)

    def look(self, folder: bytes, bookmark: Bookmark | None, known: UidSet, sweep: Sweep | None = None) -> Look:
        """What changed since ``bookmark``: a SELECT, and then everything that has to be asked, together."""
        now, told = self._select(folder, bookmark, known)
        if bookmark is not None:
            looking.check(bookmark.uidvalidity, now, names.decode(folder))
        self._validities[folder] = now.uidvalidity or 0
        due = sweeping.due(sweep, known, self._clock())
        asked = looking.questions(now, bookmark, known, told=told is not None)
        if asked.arrivals is None:
            everything, _ = self._finder.everything()
            return looking.conclude(now, None, known, arrived=everything, flags={}, listing=None, sweep=due.sweep)
        heard = self._ask(asked, bookmark, known, due)
        if asked.flags is Flags.CHANGED and self._resyncs(bookmark) and not heard.garbled:
            told = heard.told
        look = looking.conclude(
            now, bookmark, known,
            arrived=heard.uids & asked.arrivals,
            flags={**(told.flags if told else {}), **heard.flags},
            listing=self._listing(now, known, heard.uids & asked.arrivals, told),
            told=told,
            sweep=due.sweep if asked.flags in (Flags.SWEEP, Flags.ALL) else sweep,
        )  # fmt: skip
        if asked.flags in (Flags.SWEEP, Flags.ALL):
            look = self._asked_again(look, due.uids if asked.flags is Flags.SWEEP else known)
        self._wrong_tales += bookmark is not None and look.bookmark.doubts > bookmark.doubts
        return look

    def since(self, folder: bytes, day: date) -> UidSet:
        """UIDs whose INTERNALDATE is on or after ``day``, as the server reckons days."""
        self._open(folder)
        return self._finder.since(day)

    def listed(self, folder: bytes) -> UidSet:
        """Every UID of the folder, asked now."""
        self._open(folder)
        self.session.run([plain("NOOP")])
        everything, _ = self._finder.everything()
        return everything

    def metas(self, folder: bytes, uids: UidSet) -> Iterator[RemoteMeta]:
        """Flags, date and size."""
        self._open(folder)
        yield from self._reader.metas(uids)

    def heads(self, folder: bytes, uids: UidSet) -> Iterator[tuple[int, bytes]]:
        """The Message-ID lines of their headers."""
        self._open(folder)
        yield from self._reader.heads(uids)

    def fetch(self, folder: bytes, uids: UidSet) -> Iterator[RemoteMessage]:
        """The bytes of these messages, one at a time in memory."""
        self._open(folder)
        self._pack_if_it_pays()
        yield from self._reader.bodies(uids)

    def idle(self, folder: bytes = b"INBOX") -> Idle:
        """To be told of changes of a folder, which is selected now. Raises Refused where the server has no IDLE."""
        if "IDLE" not in self.capabilities:
            raise Refused("The server has no IDLE.")
        self._open(folder)
        return Idle(self.session, keepalive=self.profile.keepalive)

    def noop(self) -> None:
        """A sign of life."""
        self.session.run([plain("NOOP")])

    def close(self) -> None:
        """Sign out if that is quick, else just close. Never raises."""
        self.session.leave()

    # What is said once.

    def _introduction(self) -> list[Command]:
        """What is said once, in the same packet as the first question.

        ID wherever it is offered, because some servers refuse everything without it (sync.md hazard 63).
        """
        if self._introduced:
            return []
        self._introduced = True
        said = []
        if self.profile.id_first or "ID" in self.capabilities:
            said.append(plain("ID", b'("name" "Rapport")'))
        if self.profile.id_first:
            self.session.run(said)
            said = []
        self._pack_if_it_pays()
        if wanted := self._wanted():
            said.append(plain("ENABLE", *wanted))
        if "NAMESPACE" in self.capabilities:
            said.append(plain("NAMESPACE"))
        return said

    def _run_introduction(self, introduction: Sequence[Command]) -> None:
        if introduction:
            self.session.run(introduction, self._hear_namespaces)

    def _hear_namespaces(self, response: Response) -> bool:
        if isinstance(response, Namespaces):
            self._namespaces = response
        return isinstance(response, Namespaces)

    def _wanted(self) -> list[bytes]:
        """What to ENABLE (RFC 5161): nothing of it is used before the server says that it is."""
        possible = {
            "CONDSTORE": self.profile.condstore,
            "QRESYNC": self.profile.condstore and self.profile.qresync,
            "UTF8=ACCEPT": self.profile.utf8,
        }
        offered = self.capabilities | ({"UTF8=ACCEPT"} if "UTF8=ONLY" in self.capabilities else set())
        if "ENABLE" not in self.capabilities:
            return []
        return [word.encode("ascii") for word, good in possible.items() if good and word in offered]

    def _pack_if_it_pays(self) -> None:
        """COMPRESS (RFC 4978), once this connection or the one before it was seen to be slow."""
        if self.session.wire.packed or self._never_packs or "COMPRESS=DEFLATE" not in self.capabilities:
            return
        if deflate.pays(self.pace):
            self._never_packs = not self.session.compress()

    @property
    def _utf8(self) -> bool:
        return "UTF8=ACCEPT" in self.session.client.enabled

    @property
    def _mod_sequences(self) -> bool:
        """Whether HIGHESTMODSEQ can be trusted: of a server that has ENABLE, only when it echoed it (hazard 26)."""
        if "CONDSTORE" not in self.capabilities or not self.profile.condstore:
            return False
        return "ENABLE" not in self.capabilities or bool(self.session.client.enabled & {"CONDSTORE", "QRESYNC"})

    def _resyncs(self, bookmark: Bookmark | None) -> bool:
        """Whether the server may say by itself what vanished."""
        echoed = "QRESYNC" in self.session.client.enabled and self.profile.qresync and self.profile.condstore
        return echoed and self._wrong_tales < WRONG_TALES and looking.may_resync(bookmark)

    # Opening a folder.

    def _open(self, folder: bytes) -> None:
        """Have this folder selected, the same one as last time."""
        if self._selected == folder and self.session.client.state is State.SELECTED:
            return
        now, _ = self._select(folder)
        if self._validities.get(folder):
            looking.check(self._validities[folder], now, names.decode(folder))
        self._validities[folder] = now.uidvalidity or 0

    def _select(
        self, folder: bytes, bookmark: Bookmark | None = None, known: UidSet | None = None
    ) -> tuple[FolderState, Told | None]:
        """The folder's numbers at this instant, and what changed since the bookmark where the server says so itself."""
        introduction = self._introduction()
        if b"&" in folder:
            # How it is spelled depends on what the server makes of the introduction.
            self._run_introduction(introduction)
            introduction = []
        resyncs = self._resyncs(bookmark)
        heard, numbers, answer = self._say_select(
            folder, introduction, bookmark if resyncs else None, known or UidSet()
        )
        if answer.kind == "BAD" and resyncs:
            self._wrong_tales, resyncs = WRONG_TALES, False
            heard, numbers, answer = self._say_select(folder, [], None, UidSet())
        demand(answer, f"opening {names.decode(folder)}")
        self._selected = folder
        self.session.changed = False
        modseq = numbers.get("HIGHESTMODSEQ") if self._mod_sequences else None
        now = FolderState(self.session.exists, numbers.get("UIDNEXT"), numbers.get("UIDVALIDITY"), modseq)
        if not resyncs or not bookmark:
            return now, None
        if not looking.credible(heard.told, now, bookmark):
            self._wrong_tales = WRONG_TALES
            return now, None
        return now, heard.told

    def _say_select(
        self, folder: bytes, introduction: Sequence[Command], bookmark: Bookmark | None, known: UidSet
    ) -> tuple[Heard, dict[str, int], Status]:
        """SELECT; with a bookmark, one that asks what changed since (RFC 7162, 3.2.5)."""
        parameter = self._parameter(bookmark)
        spelled = names.spoken(folder, utf8=self._utf8)
        select = speakable(lambda: plain("SELECT", commands.astring(spelled), *parameter))
        self._selected = None
        self.session.forget()
        heard, numbers = Heard(known), dict[str, int]()
        answers = self.session.run(
            [*introduction, select],
            lambda response: _number(response, numbers) or self._hear_namespaces(response) or heard.take(response),
        )
        return heard, numbers, answers[-1]

    def _parameter(self, bookmark: Bookmark | None) -> list[bytes]:
        if bookmark is not None:
            # An upper bound of our own: what was expunged at the very end is left out otherwise (sync.md hazard 8).
            known = b" 1:%d" % (bookmark.uidnext - 1) if bookmark.uidnext > 1 else b""
            return [b"(QRESYNC (%d %d%s))" % (bookmark.uidvalidity, bookmark.modseq, known)]
        return [b"(CONDSTORE)"] if "CONDSTORE" in self.capabilities and self.profile.condstore else []

    # Looking.

    def _ask(self, asked: looking.Questions, bookmark: Bookmark | None, known: UidSet, due: Due) -> Heard:
        """New UIDs and changed flags: the questions go out together; without SEARCH where that is refused."""
        arrivals, flags = asked.arrivals or UidSet(), self._flag_questions(asked, bookmark, known, due)
        try:
            questions = [*flags, *self._finder.questions_in(arrivals)]
            return hearing.hear(self.session, questions, known=known, wanted=arrivals)
        except Refused:
            questions = [*flags, *self._finder.questions_in(arrivals, search=False)]
            return hearing.hear(self.session, questions, known=known, wanted=arrivals)

    def _flag_questions(
        self, asked: looking.Questions, bookmark: Bookmark | None, known: UidSet, due: Due
    ) -> list[Command]:
        if asked.flags is Flags.CHANGED and bookmark:
            since = b"(CHANGEDSINCE %d%s)" % (bookmark.modseq, b" VANISHED" if self._resyncs(bookmark) else b"")
            return [plain("UID FETCH", b"1:%d" % (bookmark.uidnext - 1), b"(UID FLAGS)", since)]
        if asked.flags is Flags.SWEEP:
            return reading.flags(due.uids)
        return reading.flags(known) if asked.flags is Flags.ALL else []

    def _asked_again(self, look: Look, asked: UidSet) -> Look:
        """The look, with the flags of those that a sweep left out, each asked for alone."""
        silent = looking.silent(asked, look).newest(ASKED_AGAIN)
        if not silent:
            return look
        alone = [reading.of(UidSet.span(uid, uid), b"(UID FLAGS)") for uid in silent]
        return replace(look, flags={**look.flags, **hearing.hear(self.session, alone, known=silent).flags})

    def _listing(self, now: FolderState, known: UidSet, arrived: UidSet, told: Told | None) -> UidSet | None:
        """Every UID there is, where the numbers do not add up, and where the answer can be believed."""
        if not looking.needs_listing(now, known, arrived, told.vanished if told else UidSet()):
            return None
        everything, whole = self._finder.everything()
        return everything if whole else None

    def _status_question(self, folder: bytes) -> Command:
        spelled = names.spoken(folder, utf8=self._utf8)
        return speakable(lambda: folders.status_question(spelled, self.capabilities))

    def _sign_of_life(self) -> list[Command]:
        """NOOP, so that the folder that is open says what happened to it before the list is made."""
        return [plain("NOOP")] if self._selected else []


def _number(response: Response, numbers: dict[str, int]) -> bool:
    """Take note of a number in a response code of SELECT."""
    if isinstance(response, Status) and response.code.rest.isascii() and response.code.rest.isdigit():
        numbers[response.code.name] = int(response.code.rest[:20])
        return True
    return False
