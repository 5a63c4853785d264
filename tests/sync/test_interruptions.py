"""Dying at every step: whatever commit a worker dies at, the next one ends where an undisturbed one would have."""

import random
from collections.abc import Callable

import pytest
from django.db import transaction

from rapport.mail.models import Account, Listing, Message, Placement
from rapport.sync import hold, plan
from rapport.sync.hold import Hold
from tests.sync.conftest import InMemory
from tests.world import a_letter

PAIRS = 12
"""Of deaths."""


class Died(Exception):
    """The process ended here."""


def _fill(mailbox: InMemory) -> None:
    first = a_letter(subject="first", message_id="<first@world.test>")
    answer = a_letter(subject="answer", answers="<first@world.test>")
    for raw in (answer, first, a_letter(subject="alone"), a_letter(subject="alone too")):
        mailbox.deliver(raw)
    mailbox.deliver(a_letter(subject="sent"), "Sent")


def _change(mailbox: InMemory) -> None:
    mailbox.flag(1, "\\Seen")
    mailbox.expunge(3)
    mailbox.deliver(a_letter(subject="new"))


def _state() -> object:
    """Everything but keys and moments."""
    return (
        sorted(Placement.objects.values_list("folder__name", "uid", "message__sha256", "seen")),
        sorted(Message.objects.filter(gone_since=None).values_list("sha256", "subject")),
        sorted(Listing.objects.values_list("folder__name", "count", "unread")),
        sorted(len(set(group)) for group in _threads().values()),
    )


def _threads() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for thread, digest in Message.objects.values_list("thread", "sha256"):
        found.setdefault(thread, []).append(digest)
    return found


def _dies_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Callable[[], int]:
    """The process dies inside its commit number ``step``, before it is through; how many it came to."""
    reached = [0]
    renew = Hold.renew

    def renewed(self: Hold) -> None:
        renew(self)
        reached[0] += 1
        if reached[0] == step:
            raise Died

    monkeypatch.setattr(Hold, "renew", renewed)
    return lambda: reached[0]


@pytest.mark.parametrize("before", [False, True], ids=["first sync", "a pass after changes"])
def test_a_worker_that_dies_at_any_commit(
    in_memory: InMemory, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    """Q5, I2: crash, restart, and the end is the same."""
    monkeypatch.setattr(plan, "CHUNK", 2)
    monkeypatch.setattr(plan, "FIRST_CHUNK", 1)
    _fill(in_memory)
    if before:
        in_memory.sync()
        _change(in_memory)
    undisturbed, steps = _undisturbed(in_memory)

    for step in range(1, steps + 1):
        with transaction.atomic():
            with monkeypatch.context() as patch:
                reached = _dies_at(patch, step)
                with pytest.raises(Died):
                    in_memory.sync()
                assert reached() == step, "the fault has to have fired"
            Account.objects.update(held_until=None)
            in_memory.sync()
            assert _state() == undisturbed, f"died at commit {step}"
            transaction.set_rollback(True)


@pytest.mark.parametrize("before", [False, True], ids=["first sync", "a pass after changes"])
def test_a_worker_whose_successor_dies_too(
    in_memory: InMemory, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    """Q5: two deaths at any two commits are no worse than one. A sample of the pairs."""
    monkeypatch.setattr(plan, "CHUNK", 2)
    monkeypatch.setattr(plan, "FIRST_CHUNK", 1)
    _fill(in_memory)
    if before:
        in_memory.sync()
        _change(in_memory)
    undisturbed, steps = _undisturbed(in_memory)
    pairs = [(first, second) for first in range(1, steps + 1) for second in range(1, steps + 1)]

    for pair in random.Random(7).sample(pairs, min(PAIRS, len(pairs))):
        with transaction.atomic():
            deaths = [_dies_once(in_memory, monkeypatch, step) for step in pair]
            in_memory.sync()
            assert _state() == undisturbed, f"died at commits {pair}"
            assert deaths[0], "the fault has to have fired"
            transaction.set_rollback(True)


def _dies_once(mailbox: InMemory, monkeypatch: pytest.MonkeyPatch, step: int) -> bool:
    """A pass that dies at a commit, if it comes to that one; whether it did."""
    with monkeypatch.context() as patch:
        _dies_at(patch, step)
        try:
            mailbox.sync()
        except Died:
            Account.objects.update(held_until=None)
            return True
    return False


def _undisturbed(mailbox: InMemory) -> tuple[object, int]:
    """How it ends when nothing happens, and in how many commits; then all of that is undone."""
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        reached = _dies_at(patch, 0)
        mailbox.sync()
        state = _state()
        transaction.set_rollback(True)
    return state, reached()


def test_a_worker_that_lost_its_hold_commits_nothing(in_memory: InMemory) -> None:
    """I11: another worker took over meanwhile (a pause, a suspended machine)."""
    in_memory.deliver(a_letter())
    claim = hold.take(in_memory.account)
    assert claim is not None
    Account.objects.update(held_until=None)
    other = hold.take(Account.objects.get())
    assert other is not None

    with pytest.raises(hold.Lost), transaction.atomic():
        claim.renew()

    assert hold.take(Account.objects.get()) is None


def test_what_a_dead_process_held_is_free(in_memory: InMemory) -> None:
    assert hold.take(in_memory.account) is not None
    me = Account.objects.get().holder
    host, pid, _ = me.split(" ")

    assert hold.take(Account.objects.get()) is None, "we live"
    Account.objects.update(holder=f"{host} {pid} 1")

    assert hold.take(Account.objects.get()) is not None
