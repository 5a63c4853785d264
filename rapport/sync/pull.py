"""Asking a server what changed since the bookmarks, and bringing it in."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from django.utils.timezone import now

from rapport.mail.models import Account, Folder, Placement, Skipped
from rapport.mime.child import Parsers
from rapport.mime.message import ParsedMessage
from rapport.providers.contract import Bookmark, FolderState, Look, Provider, RemoteFolder, Sweep
from rapport.providers.errors import Refused, StartOver
from rapport.providers.uids import UidSet
from rapport.sync import incoming, intake, plan, standing
from rapport.sync.hold import Hold
from rapport.sync.incoming import Cut, Group, Order, Stream
from rapport.sync.plan import Scope

TRIES = 3
"""How often a message that the server lists but does not give is asked for again (sync.md hazard 15)."""
AHEAD = 2
"""Pieces of work asked for before the first of them is stored."""
AT_A_LOOK = 1_000
"""Messages of a rebuilt folder that are asked about at once."""
CANNOT_BE_OPENED = "The server lists this folder but does not open it. It is tried again at every pass."
RENUMBERS = "The server renumbers this folder again and again, so it is read once an hour only."


class Pass:
    """One visit to an account's server, by the worker that holds the account."""

    def __init__(
        self,
        account: Account,
        mailbox: Provider,
        parsers: Parsers,
        hold: Hold,
        *,
        seconds: float = float("inf"),
        news: Callable[[], bool] = lambda: False,
    ) -> None:
        self.account = account
        self.mailbox = mailbox
        self.parsers = parsers
        self.hold = hold
        self._until = time.monotonic() + seconds
        self._news = news
        """Whether the inbox has something new while older mail is still coming in."""
        self._heard = False

    def run(self, *, thorough: bool = False) -> bool:
        """Look at every folder and fetch what is missing; whether anything changed.

        The inbox comes first, to its first screen of emails, before any other folder is opened. ``thorough`` opens
        folders even where the server's list says that nothing happened, and asks for every flag. After ``seconds``
        what is left waits for the next pass, so that others get their turn.
        """
        remote = self.mailbox.folders()
        self._follow_renames(remote)
        standing.listed(self.account, remote, self._denied(remote), self.hold)
        folders = plan.in_order(self._followed())
        states = self._states(folders, remote)
        changed = False
        for position, folder in enumerate(folders):
            changed |= self._look(folder, states.get(bytes(folder.wire)), thorough=thorough)
            if position == 0:
                changed |= self._drain([folder], once=True)
        changed |= self._drain(folders)
        for folder in folders:
            if not folder.pending:
                standing.settle(folder, self.hold)
        return changed

    def inbox(self) -> bool:
        """Look at the inbox alone: what a watcher asks for."""
        folders = plan.in_order(self._followed())[:1]
        for folder in folders:
            self._look(folder, None, thorough=False)
        return self._drain(folders)

    @property
    def finished(self) -> bool:
        """Nothing is left to fetch."""
        return not self.account.folders.filter(gone_at=None, left__gt=0).exists()

    # What is there.

    def _followed(self) -> list[Folder]:
        """Active folders, and trash and spam, which are followed either way (S22)."""
        rows = self.account.folders.filter(gone_at=None)
        for row in rows:
            row.account = self.account
        return [row for row in rows if row.active or row.observed]

    def _states(self, folders: Sequence[Folder], remote: Sequence[RemoteFolder]) -> Mapping[bytes, FolderState]:
        """What the server says of every followed folder, asked together where the list did not tell."""
        told = {one.wire: one.state for one in remote if one.state}
        untold = [bytes(folder.wire) for folder in folders if bytes(folder.wire) not in told and folder.looked_at]
        return told | dict(self.mailbox.states(untold)) if untold else told

    def _denied(self, remote: Sequence[RemoteFolder]) -> set[bytes]:
        """Folders that the list lacks and the server denies when asked for each by its name: a list may be partial."""
        listed = {folder.wire for folder in remote}
        here = (bytes(row.wire) for row in self.account.folders.filter(gone_at=None))
        lacking = {wire for wire in here if wire not in listed}
        return lacking - set(self.mailbox.states(sorted(lacking))) if lacking else set()

    def _follow_renames(self, remote: Sequence[RemoteFolder]) -> None:
        """A folder that was renamed keeps its row, and all in it (sync.md B6)."""
        rows = list(self.account.folders.filter(gone_at=None))
        for row, folder in plan.renames(rows, remote):
            if self._same_messages(row, folder.wire):
                standing.renamed(row, folder, self.hold)

    def _same_messages(self, row: Folder, wire: bytes) -> bool:
        """Whether what lies under the new name is what lay under the old one: a few messages' dates and sizes."""
        lying = Placement.objects.filter(folder=row, generation=row.generation).order_by("-uid")
        known = {uid: rest for uid, *rest in lying.values_list("uid", "message__internal_date", "message__size")[:5]}
        told = {one.uid: [one.internal_date, one.size] for one in self.mailbox.metas(wire, UidSet.of(known))}
        return bool(known) and told == known

    # What changed.

    def _look(self, folder: Folder, state: FolderState | None, *, thorough: bool) -> bool:
        if not thorough and plan.is_clean(folder, state, now()):
            return False
        often = plan.renumbers(folder, now())
        if often and not thorough and plan.is_fresh(folder, now()):
            return standing.troubled(folder, RENUMBERS, self.hold)
        try:
            look = self._ask(folder, None if thorough else _sweep(folder))
        except Refused:
            # This folder cannot be opened; the others can (sync.md hazard 39).
            return standing.troubled(folder, CANNOT_BE_OPENED, self.hold)
        look = self._confirmed(folder, look)
        pending = self._pending(folder, look)
        changed = standing.looked(folder, look, pending, self.hold)
        # New numbers alone are no reason to look again: they would be new again.
        return bool(folder.pending) if often else changed

    def _ask(self, folder: Folder, sweep: Sweep | None) -> Look:
        wire = bytes(folder.wire)
        try:
            return self.mailbox.look(wire, _bookmark(folder), UidSet.parse(folder.known), sweep)
        except StartOver:
            standing.rebuilt(folder, self.hold)
            return self.mailbox.look(wire, None, UidSet())

    def _confirmed(self, folder: Folder, look: Look) -> Look:
        """When much vanished at once, the server is asked a second time before it is believed (sync.md B2)."""
        if plan.is_much(look.vanished, UidSet.parse(folder.known)):
            return plan.without(look, self.mailbox.listed(bytes(folder.wire)))
        return look

    def _pending(self, folder: Folder, look: Look) -> UidSet:
        """What to fetch: after the first look the period decides, afterwards everything that arrived is wanted."""
        if folder.uidvalidity is not None:
            return look.arrived | self._asked_again(folder, look)
        if folder.generation:
            return self._recognise(folder, look)
        scope = _scope(folder, look.bookmark.uidnext)
        day = plan.search_from(self.account.sync_from)
        since = None
        if day is not None and look.arrived and not folder.observed:
            since = self.mailbox.since(bytes(folder.wire), day)
        return plan.first_window(look, since, scope)

    def _recognise(self, folder: Folder, look: Look) -> UidSet:
        """A rebuilt folder: its messages are known again by what the server says of them, without their bodies."""
        old: dict[plan.Key, list[int]] = defaultdict(list)
        for (message_id, date, size), found in standing.remembered(folder).items():
            old[plan.key(message_id, date, size)] += found
        wire = bytes(folder.wire)
        seen: dict[int, plan.Key] = {}
        for uids in look.arrived.chunks(AT_A_LOOK):
            seen |= plan.keys(self.mailbox.metas(wire, uids), self._ids(wire, uids))
        # Only when all are known it is known who is alone.
        again = plan.recognise(seen, old)
        for uids in UidSet.of(again).chunks(AT_A_LOOK):
            metas = {meta.uid: meta for meta in self.mailbox.metas(wire, uids)}
            standing.recognised(folder, {uid: again[uid] for uid in metas}, metas, self.hold)
        return look.arrived - UidSet.of(again)

    def _ids(self, wire: bytes, uids: UidSet) -> dict[int, str]:
        """The Message-IDs of messages, read as those of whole messages are."""
        heads = dict(self.mailbox.heads(wire, uids))
        read = self.parsers.parse_all(heads.values())
        return {
            uid: parsed.message_id for uid, parsed in zip(heads, read, strict=True) if isinstance(parsed, ParsedMessage)
        }

    def _asked_again(self, folder: Folder, look: Look) -> UidSet:
        """Messages that were listed but not given last time."""
        rows = Skipped.objects.filter(
            folder=folder, generation=folder.generation, reason=Skipped.Reason.NOT_GIVEN, tries__lt=TRIES
        )
        uids = UidSet.of(rows.values_list("uid", flat=True))
        return (uids - look.vanished) & UidSet.parse(folder.known)

    # What is fetched.

    def _drain(self, folders: Sequence[Folder], *, once: bool = False) -> bool:
        """Fetch what is pending, the newest of every folder in turn, for as long as this pass may take."""
        worked = False
        while any(folder.pending for folder in folders):
            self._flow(folders, once=once)
            worked = True
            if once or time.monotonic() > self._until:
                break
            if self._heard:
                self._heard = False
                self._look(folders[0], None, thorough=False)
        return worked

    def _flow(self, folders: Sequence[Folder], *, once: bool) -> None:
        """Keep the wire, the parsers and the database busy until all is here, time is up, or the inbox has news."""
        scopes = [_scope(folder, folder.floor) for folder in folders]
        orders = plan.orders([UidSet.parse(folder.pending) for folder in folders], once=once)
        with Stream(self.mailbox, self.parsers) as stream:
            ahead = 0
            while True:
                while ahead < AHEAD and not (ahead and self._hurried()) and (order := next(orders, None)):
                    number, uids = order
                    stream.ask(Order(number, bytes(folders[number].wire), uids, scopes[number]))
                    ahead += 1
                if not ahead:
                    return
                ahead -= self._take(stream, folders)
                if not ahead and self._hurried():
                    return

    def _take(self, stream: Stream, folders: Sequence[Folder]) -> bool:
        """Store the next group that comes, if one comes soon; whether it was the last of its order."""
        try:
            group = stream.next()
        except Cut as cut:
            self._store(folders, cut.group)
            raise
        if group is None:
            self.hold.keep()
            return False
        self._store(folders, group)
        return group.last

    def _store(self, folders: Sequence[Folder], group: Group) -> None:
        intake.store(folders[group.order.folder], group.arrived, group.skipped, group.metas, self.hold)

    def _hurried(self) -> bool:
        """Time is up, or the inbox has news: nothing more is asked for until it was looked at."""
        self._heard = self._heard or self._news()
        return self._heard or time.monotonic() > self._until


def fetch_large(folder: Folder, uid: int, mailbox: Provider, parsers: Parsers, hold: Hold) -> bool:
    """Bring in one message that was too large to come by itself; whether the server gave it."""
    scope = Scope(since=None, floor=0, observed=False, largest=None)
    order = Order(0, bytes(folder.wire), UidSet.of([uid]), scope)
    came = False
    for group in incoming.bring(order, mailbox, parsers):
        came |= bool(group.arrived)
        if group.arrived:
            intake.store(folder, group.arrived, {}, group.metas, hold)
    return came


def _bookmark(folder: Folder) -> Bookmark | None:
    if folder.uidvalidity is None:
        return None
    return Bookmark(folder.uidvalidity, folder.uidnext, folder.modseq, folder.doubts)


def _sweep(folder: Folder) -> Sweep:
    return Sweep(folder.swept_recent, folder.swept_whole, folder.swept_below)


def _scope(folder: Folder, floor: int) -> Scope:
    return Scope(
        since=folder.account.sync_from,
        floor=floor,
        observed=folder.observed,
        remembered=frozenset((date, size) for _, date, size in standing.remembered(folder)),
    )
