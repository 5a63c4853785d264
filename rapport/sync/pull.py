"""Asking a server what changed since the bookmarks, and bringing it in."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from django.utils.timezone import now

from rapport import blobs
from rapport.mail.models import Account, Folder, Placement, Skipped
from rapport.mime.child import Parsers
from rapport.mime.message import ParsedMessage, Unreadable
from rapport.providers.contract import Bookmark, Look, Provider, RemoteFolder, RemoteMessage, RemoteMeta
from rapport.providers.errors import Refused, StartOver
from rapport.providers.uids import UidSet
from rapport.sync import intake, plan
from rapport.sync.hold import Hold
from rapport.sync.intake import Arrived
from rapport.sync.plan import Scope

AT_ONCE = 16 * 1024 * 1024
"""Octets of raw mail in memory between the server and the database."""
TRIES = 3
"""How often a message that the server lists but does not give is asked for again (sync.md hazard 15)."""


class Pass:
    """One visit to an account's server, by the worker that holds the account."""

    def __init__(self, account: Account, mailbox: Provider, parsers: Parsers, hold: Hold) -> None:
        self.account = account
        self.mailbox = mailbox
        self.parsers = parsers
        self.hold = hold

    def run(self, *, thorough: bool = False) -> bool:
        """Look at every folder and fetch what is missing; whether anything changed.

        The inbox comes first, to its first screen of emails, before any other folder is opened. ``thorough`` opens
        folders even where the server's list says that nothing happened.
        """
        remote = self.mailbox.folders()
        intake.listed(self.account, remote, self.hold)
        folders = plan.in_order(self._followed())
        changed = False
        for position, folder in enumerate(folders):
            changed |= self._look(folder, remote, thorough=thorough)
            if position == 0:
                changed |= self._drain([folder], once=True)
        changed |= self._drain(folders)
        for folder in folders:
            intake.settle(folder, self.hold)
        return changed

    def inbox(self) -> bool:
        """Look at the inbox alone: what a watcher asks for."""
        folders = plan.in_order(self._followed())[:1]
        for folder in folders:
            self._look(folder, (), thorough=True)
        return self._drain(folders)

    def _followed(self) -> list[Folder]:
        """Active folders, and trash and spam, which are followed either way (S22)."""
        rows = self.account.folders.filter(gone_at=None)
        for row in rows:
            row.account = self.account
        return [row for row in rows if row.active or row.observed]

    def _look(self, folder: Folder, remote: Sequence[RemoteFolder], *, thorough: bool) -> bool:
        state = next((one.state for one in remote if one.wire == bytes(folder.wire)), None)
        if not thorough and plan.is_clean(folder, state, now()):
            return False
        try:
            look = self._ask(folder)
        except Refused:
            # This folder cannot be opened; the others can (sync.md hazard 39). It is asked again at the next pass.
            return False
        pending = self._pending(folder, look)
        return intake.looked(folder, look, pending, self.hold)

    def _ask(self, folder: Folder) -> Look:
        wire = bytes(folder.wire)
        try:
            return self.mailbox.look(wire, _bookmark(folder), UidSet.parse(folder.known))
        except StartOver:
            intake.rebuilt(folder, self.hold)
            return self.mailbox.look(wire, None, UidSet())

    def _pending(self, folder: Folder, look: Look) -> UidSet:
        """What to fetch: after the first look the period decides, afterwards everything that arrived is wanted."""
        if folder.uidvalidity is not None:
            return look.arrived | self._asked_again(folder, look)
        scope = _scope(folder, look.bookmark.uidnext)
        day = plan.search_from(self.account.sync_from)
        since = None
        if day is not None and look.arrived and not scope.remembered and not folder.observed:
            since = self.mailbox.since(bytes(folder.wire), day)
        return plan.first_window(look, since, scope)

    def _asked_again(self, folder: Folder, look: Look) -> UidSet:
        """Messages that were listed but not given last time."""
        rows = Skipped.objects.filter(
            folder=folder, generation=folder.generation, reason=Skipped.Reason.NOT_GIVEN, tries__lt=TRIES
        )
        uids = UidSet.of(rows.values_list("uid", flat=True))
        return (uids - look.vanished) & UidSet.parse(folder.known)

    def _drain(self, folders: Sequence[Folder], *, once: bool = False) -> bool:
        """Fetch what is pending, the newest of every folder in turn."""
        worked = False
        while True:
            waiting = {position: UidSet.parse(folder.pending) for position, folder in enumerate(folders)}
            turns = plan.turns(waiting, first=once)
            for position, uids in turns:
                self._bring_in(folders[position], uids)
            worked |= bool(turns)
            if once or not turns:
                return worked

    def _bring_in(self, folder: Folder, uids: UidSet) -> None:
        """One chunk: what it is, what of it is wanted, its bytes onto the disk, its rows into the database."""
        wire = bytes(folder.wire)
        metas = {meta.uid: meta for meta in self.mailbox.metas(wire, uids)}
        sorted_ = plan.sort(metas.values(), _scope(folder, folder.floor))
        came: set[int] = set()
        for group in self._arrivals(wire, sorted_.fetch, metas):
            came |= {one.meta.uid for one in group}
            intake.store(folder, group, {}, metas, self.hold)
        missing = dict.fromkeys(set(uids) - came - set(sorted_.skip), Skipped.Reason.NOT_GIVEN)
        intake.store(folder, [], {**sorted_.skip, **missing}, metas, self.hold)

    def _arrivals(self, wire: bytes, uids: UidSet, metas: dict[int, RemoteMeta]) -> Iterator[list[Arrived]]:
        """The emails of a chunk, read and kept, in groups that fit into memory."""
        if not uids:
            return
        for group in self._groups(self.mailbox.fetch(wire, uids)):
            raws = [message.raw for message in group]
            # Two children read while this process writes.
            with ThreadPoolExecutor(1) as writer:
                kept = writer.submit(blobs.put_all, raws)
                parsed = list(self.parsers.parse_all(raws))
                digests = kept.result()
            yield [
                _arrived(metas[message.uid], message, digest, outcome)
                for message, digest, outcome in zip(group, digests, parsed, strict=True)
                if message.uid in metas
            ]

    def _groups(self, messages: Iterable[RemoteMessage]) -> Iterator[list[RemoteMessage]]:
        """As many at once as fit into memory."""
        group: list[RemoteMessage] = []
        octets = 0
        for message in messages:
            self.hold.keep()
            group.append(message)
            octets += len(message.raw)
            if octets >= AT_ONCE:
                yield group
                group, octets = [], 0
        if group:
            yield group


def fetch_large(folder: Folder, uid: int, mailbox: Provider, parsers: Parsers, hold: Hold) -> bool:
    """Bring in one message that was too large to come by itself; whether the server gave it."""
    wire, uids = bytes(folder.wire), UidSet.of([uid])
    metas = {meta.uid: meta for meta in mailbox.metas(wire, uids)}
    for message in mailbox.fetch(wire, uids):
        (outcome,) = parsers.parse_all([message.raw])
        arrived = _arrived(metas[uid], message, blobs.put(message.raw), outcome)
        intake.store(folder, [arrived], {}, metas, hold)
        return True
    return False


def _bookmark(folder: Folder) -> Bookmark | None:
    if folder.uidvalidity is None:
        return None
    return Bookmark(folder.uidvalidity, folder.uidnext, folder.modseq)


def _scope(folder: Folder, floor: int) -> Scope:
    return Scope(since=folder.account.sync_from, floor=floor, observed=folder.observed, remembered=_remembered(folder))


def _remembered(folder: Folder) -> frozenset[tuple[datetime, int]]:
    """What lay here before the server rebuilt the folder."""
    if not folder.generation:
        return frozenset()
    old = Placement.objects.filter(folder=folder, generation__lt=folder.generation)
    return frozenset(old.values_list("message__internal_date", "message__size"))


def _arrived(meta: RemoteMeta, message: RemoteMessage, digest: str, outcome: ParsedMessage | Unreadable) -> Arrived:
    if isinstance(outcome, Unreadable):
        return Arrived(meta, digest, len(message.raw), None, str(outcome))
    return Arrived(meta, digest, len(message.raw), outcome)
