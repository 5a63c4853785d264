"""Conversations out of Message-ID, In-Reply-To and References, within one account (D13).

Two emails belong together when one names an id that the other has or names too. Subjects never count. An email that
names nothing stands alone: no id never equals no id.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from rapport.database import rows
from rapport.mail.models.account import Account
from rapport.mail.models.message import Message
from rapport.mail.models.thread import KnownId, Thread

MOST_REFERENCES = 100
"""Per email: a forged header must not tie a mailbox into one knot (sync.md B10)."""
_SPACE = re.compile(r"\s+")


def digests(message_id: str, references: Iterable[str]) -> tuple[str, ...]:
    """The ids an email has and names, its own first, as ``KnownId`` keeps them. Long lists keep both ends."""
    named = list(dict.fromkeys(filter(None, map(_plain, references))))
    if len(named) > MOST_REFERENCES:
        named = named[:1] + named[-MOST_REFERENCES + 1 :]
    own = _plain(message_id)
    return tuple(dict.fromkeys(sha256(one.encode()).hexdigest() for one in ([own] if own else []) + named))


@dataclass(frozen=True)
class Group:
    """Emails of one batch that belong together, the threads they join, and every id they have or name."""

    members: tuple[int, ...]
    """Positions in the batch."""
    threads: tuple[int, ...]
    """Threads that hold one of the ids already, oldest first: more than one are joined."""
    digests: tuple[str, ...]


def group(batch: Sequence[Sequence[str]], known: Mapping[str, int]) -> list[Group]:
    """Which emails of a batch belong together, given the threads that already know some of their ids."""
    leader = list(range(len(batch)))

    def lead(position: int) -> int:
        while leader[position] != position:
            leader[position] = leader[leader[position]]
            position = leader[position]
        return position

    first: dict[str | int, int] = {}
    for position, ids in enumerate(batch):
        keys: list[str | int] = [*ids, *(known[one] for one in ids if one in known)]
        for key in keys:
            other = first.setdefault(key, position)
            low, high = sorted((lead(other), lead(position)))
            leader[high] = low
    members: dict[int, list[int]] = {}
    for position in range(len(batch)):
        members.setdefault(lead(position), []).append(position)
    return [_group(positions, batch, known) for positions in members.values()]


def place(account: Account, batch: Sequence[Sequence[str]]) -> tuple[list[int], dict[int, int]]:
    """The thread of each email of a batch, made or joined as needed; and which threads were joined to which."""
    every = {one for ids in batch for one in ids}
    known = dict(KnownId.objects.filter(account=account, digest__in=every).values_list("digest", "thread_id"))
    groups = group(batch, known)
    threads, joined = _threads(account, groups)
    placed = {member: thread for one, thread in zip(groups, threads, strict=True) for member in one.members}
    new = (
        (account.pk, digest, thread)
        for one, thread in zip(groups, threads, strict=True)
        for digest in one.digests
        if digest not in known
    )
    rows.insert(KnownId, ("account_id", "digest", "thread_id"), new)
    return [placed[position] for position in range(len(batch))], joined


def _plain(message_id: str) -> str:
    """An id without brackets and white space: only for comparing."""
    return _SPACE.sub("", message_id).strip("<>")


def _group(positions: Sequence[int], batch: Sequence[Sequence[str]], known: Mapping[str, int]) -> Group:
    ids = tuple(dict.fromkeys(one for position in positions for one in batch[position]))
    return Group(tuple(positions), tuple(sorted({known[one] for one in ids if one in known})), ids)


def _threads(account: Account, groups: Sequence[Group]) -> tuple[list[int], dict[int, int]]:
    """Each group's thread: the oldest of those it joins, or a new one; and which threads were joined to which."""
    keys = rows.reserve(Thread, sum(not one.threads for one in groups))
    rows.insert(Thread, ("id", "uuid", "account_id"), ((key, uuid4(), account.pk) for key in keys))
    new = iter(keys)
    threads, joined = [], {}
    for one in groups:
        kept = one.threads[0] if one.threads else next(new)
        for other in one.threads[1:]:
            join(other, into=kept)
            joined[other] = kept
        threads.append(kept)
    return threads, joined


def join(thread: int, *, into: int) -> None:
    """A late parent showed that two threads are one: everything moves, and the old address leads to the new."""
    Message.objects.filter(thread=thread).update(thread=into)
    KnownId.objects.filter(thread=thread).update(thread=into)
    Thread.objects.filter(joined_to=thread).update(joined_to=into)
    Thread.objects.filter(pk=thread).update(joined_to=into)
