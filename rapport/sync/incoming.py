"""Bringing messages from the server to the door of the database: fetch, keep the bytes, read. No rows here.

A thread of its own runs ahead of the one that stores, by as much as fits into memory: the wire, the parsers and the
database are busy at the same time.
"""

import queue
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

from rapport.blobs import keep
from rapport.blobs.keep import Place
from rapport.mail.models import Skipped
from rapport.mime.child import Parsers
from rapport.mime.message import ParsedMessage, Unreadable
from rapport.providers.contract import Provider, RemoteMessage, RemoteMeta
from rapport.providers.errors import Refused
from rapport.providers.uids import UidSet
from rapport.sync import plan
from rapport.sync.plan import Scope

AT_ONCE = 16 * 1024 * 1024
"""Octets of raw mail in one group; at most three groups are on their way."""
AHEAD = 1
"""Groups that wait for the database."""
PATIENCE = 1.0
"""Seconds between two calls of ``meanwhile``."""


@dataclass(frozen=True)
class Arrived:
    """An email whose bytes are on the disk."""

    meta: RemoteMeta
    sha256: str
    size: int
    parsed: ParsedMessage | None
    """``None``: it could not be read."""
    trouble: str = ""
    """Why not."""
    place: Place | None = None
    """Where its bytes lie; ``None`` where they were kept before."""


@dataclass(frozen=True)
class Order:
    """A piece of one folder's pending work."""

    folder: int
    """The caller's own number for it."""
    wire: bytes
    uids: UidSet
    scope: Scope


@dataclass(frozen=True)
class Group:
    """What came of an order, or of a part of it."""

    order: Order
    arrived: Sequence[Arrived] = ()
    skipped: Mapping[int, Skipped.Reason] = field(default_factory=dict)
    metas: Mapping[int, RemoteMeta] = field(default_factory=dict)
    last: bool = False
    """Nothing more comes of this order."""


class Cut(Exception):
    """One message cost us the connection; ``group`` says which, so that the next connection goes on without it."""

    def __init__(self, group: Group) -> None:
        super().__init__("A message was larger than it was said to be.")
        self.group = group


class Stream:
    """Orders go in, groups come out, in order. Used as a context: leaving it ends the thread."""

    def __init__(self, mailbox: Provider, parsers: Parsers) -> None:
        self._mailbox = mailbox
        self._parsers = parsers
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._groups: queue.Queue[Group | BaseException | None] = queue.Queue(AHEAD)
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="incoming", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._orders.put(None)
        if self._groups.full():
            self._groups.get_nowait()
        self._thread.join()

    def ask(self, order: Order) -> None:
        """Have a piece of work done after those before it."""
        self._orders.put(order)

    def next(self) -> Group | None:
        """The next group, ``None`` while there is none yet. Raises what the server raised, and Cut."""
        try:
            group = self._groups.get(timeout=PATIENCE)
        except queue.Empty:
            return None
        if isinstance(group, BaseException):
            raise group
        return group

    def _run(self) -> None:
        try:
            while order := self._orders.get():
                for group in bring(order, self._mailbox, self._parsers):
                    if not self._hand_over(group):
                        return
        except BaseException as error:  # noqa: BLE001  # handed to the thread that waits, which raises it
            self._hand_over(error)

    def _hand_over(self, group: Group | BaseException) -> bool:
        """Whether somebody still wants it."""
        while not self._leaving.is_set():
            try:
                self._groups.put(group, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False


def bring(order: Order, mailbox: Provider, parsers: Parsers) -> Iterator[Group]:
    """What an order is, what of it is wanted, and its bytes on the disk. The last group names what did not come.

    Raises providers.errors, Cut.
    """
    metas = {meta.uid: meta for meta in mailbox.metas(order.wire, order.uids)}
    sorted_ = plan.sort(metas.values(), order.scope)
    came: set[int] = set()
    waiting: list[Arrived] = []
    try:
        for group in _groups(mailbox.fetch(order.wire, sorted_.fetch) if sorted_.fetch else ()):
            if waiting:
                yield Group(order, waiting, metas=metas)
            waiting = [one for one in _read(group, metas, parsers) if one.meta.uid not in came]
            came |= {one.meta.uid for one in waiting}
    except Refused as error:
        if error.uid is None:
            raise
        raise Cut(Group(order, waiting, {error.uid: Skipped.Reason.LARGE}, metas)) from error
    # The last emails and what did not come are one commit.
    missing = dict.fromkeys(set(order.uids) - came - set(sorted_.skip), Skipped.Reason.NOT_GIVEN)
    yield Group(order, waiting, {**sorted_.skip, **missing}, metas, last=True)


def _read(group: Sequence[RemoteMessage], metas: Mapping[int, RemoteMeta], parsers: Parsers) -> Iterator[Arrived]:
    raws = [message.raw for message in group]
    # The children read while this process writes.
    with ThreadPoolExecutor(1) as writer:
        written = writer.submit(keep.write, raws)
        outcomes = list(parsers.parse_all(raws))
        places = written.result()
    for message, place, outcome in zip(group, places, outcomes, strict=True):
        if message.uid in metas:
            yield _arrived(metas[message.uid], message, place, outcome)


def _groups(messages: Iterable[RemoteMessage]) -> Iterator[list[RemoteMessage]]:
    """As many at once as fit into memory."""
    group: list[RemoteMessage] = []
    octets = 0
    for message in messages:
        group.append(message)
        octets += len(message.raw)
        if octets >= AT_ONCE:
            yield group
            group, octets = [], 0
    if group:
        yield group


def _arrived(meta: RemoteMeta, message: RemoteMessage, place: Place, outcome: ParsedMessage | Unreadable) -> Arrived:
    if isinstance(outcome, Unreadable):
        return Arrived(meta, place.sha256, len(message.raw), None, str(outcome), place)
    return Arrived(meta, place.sha256, len(message.raw), outcome, place=place)
