"""The engine on a real Dovecot behind a proxy that breaks: afterwards all is as if nothing had happened (Q5, I1, I10).

A cut at every byte of a small session, in both directions, is a thousand times the same question; ``bin/test`` asks a
seeded sample of it, ``bin/check`` all.
"""

import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest import mock

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from rapport.mail.models import Account, Placement
from rapport.mime.child import Parsers
from rapport.providers import imap
from rapport.sync import worker
from tests.proving.ordeal import connect, reach
from tests.proving.state import State, state
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Cut, Double, Dribble, Fault, How, Inject, Lose, Proxy, Rewrite, Side, Swallow
from tests.world import NOON, a_letter

SAMPLE = 25
"""Cuts of each side in the fast run."""
SEED = 20261120
PATIENCE = 0.4
"""Seconds the engine waits for a line that went dead here; half a minute elsewhere."""


class Wired:
    """An account on a real Dovecot: reached directly, or through a proxy."""

    def __init__(self, server: Dovecot, parsers: Parsers) -> None:
        self.server = server
        self.parsers = parsers
        self.user = server.new_user()
        self.account = connect(server.host, server.port, self.user)

    def populate(self) -> None:
        """A few letters in two folders: the session of a first sync has about 6 kB."""
        letters = [a_letter(subject=f"letter {number}", answers="<0@world.test>") for number in range(3)]
        self.server.deliver(self.user, letters, when=NOON.timestamp())
        self.server.deliver(self.user, [a_letter(subject="sent")], "Sent", flags="S", when=NOON.timestamp())

    def sync(self, proxy: Proxy | None = None) -> bool:
        """One pass, here or there; whether it went through."""
        reach(self.account, proxy.port if proxy else self.server.port)
        dead = proxy is not None and any(_goes_dead(fault) for fault in proxy.faults)
        with mock.patch.object(imap, "sign_in", partial(imap.sign_in, timeout=PATIENCE if dead else 10.0)):
            try:
                worker.sync(Account.objects.get(pk=self.account.pk), self.parsers, thorough=True)
            except worker.Trouble:
                return False
        return True

    def undisturbed(self) -> State:
        """How it ends when nothing happens; then that is undone."""
        with _undone():
            self.sync()
            return state()

    def proxy(self, *faults: Fault, rtt: float = 0.0) -> Proxy:
        return Proxy(self.server.host, self.server.port, *faults, rtt=rtt)

    def heals(self, wanted: State) -> bool:
        """Whether at most two passes on a sound line bring the wanted state."""
        return any(self.sync() and state() == wanted for _ in range(2))


@contextmanager
def _undone() -> Iterator[None]:
    """What happens inside leaves no row and no raw message behind."""
    kept = Path(settings.BLOBS)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        aside = Path(folder) / "blobs"
        if kept.exists():
            shutil.copytree(kept, aside)
        with transaction.atomic(), override_settings(BLOBS=aside):
            yield
            transaction.set_rollback(True)


def _goes_dead(fault: Fault) -> bool:
    return How.STALL in (getattr(fault, "how", None), getattr(fault, "then", None))


@pytest.fixture
def wired(db: None, dovecot: Dovecot, parsers: Parsers) -> Wired:
    made = Wired(dovecot, parsers)
    made.populate()
    return made


FAULTS: dict[str, Callable[[], Fault]] = {
    "the line ends in a body": lambda: Cut(at=5000),
    "the line is reset in a body": lambda: Cut(at=5000, how=How.RESET),
    "half of the line ends": lambda: Cut(at=5000, how=How.HALF),
    "a black hole from the start": lambda: Cut(at=0, how=How.STALL),
    "a black hole in the middle": lambda: Cut(at=3000, how=How.STALL),
    "our words are cut": lambda: Cut(at=120, by=Side.CLIENT),
    "our words fall into a black hole": lambda: Cut(at=120, by=Side.CLIENT, how=How.STALL),
    "BYE before a body": lambda: Inject(rb"FETCH .*BODY\[\]", text=b"* BYE Shutting down.\r\n", then=How.CLOSE),
    "BYE and silence": lambda: Inject(rb"FETCH .*BODY\[\]", text=b"* BYE Shutting down.\r\n", then=How.STALL),
    "something that is no IMAP": lambda: Inject(rb"FETCH .*BODY\[\]", text=b"<html>Proxy error</html>\r\n"),
    "an expunge nobody made": lambda: Inject(rb"OK \[READ-WRITE\]", text=b"* 1 EXPUNGE\r\n"),
    "letters nobody sent": lambda: Inject(rb"OK \[READ-WRITE\]", text=b"* 9 EXISTS\r\n"),
    "an alert": lambda: Inject(rb"FETCH", text=b"* OK [ALERT] The disk is nearly full.\r\n"),
    "a lost body": lambda: Lose(rb"FETCH .*BODY\[\]", skip=1),
    "a lost attribute line": lambda: Lose(rb"FETCH .*INTERNALDATE", skip=1),
    "a lost count": lambda: Lose(rb"\* [1-9]\d* EXISTS"),
    "a lost search": lambda: Lose(rb"\* E?SEARCH .*\d"),
    "a doubled body": lambda: Double(rb"FETCH .*BODY\[\]", skip=1),
    "a doubled attribute line": lambda: Double(rb"FETCH .*INTERNALDATE"),
    "a doubled list line": lambda: Double(rb"\* LIST .*INBOX"),
    "a swallowed answer to SELECT": lambda: Swallow("SELECT"),
    "a swallowed answer to LIST": lambda: Swallow("LIST"),
    "a swallowed answer to FETCH": lambda: Swallow("UID FETCH"),
    "a swallowed answer and silence": lambda: Swallow("UID FETCH", how=How.STALL),
    "no extensions": lambda: Rewrite(rb"(IDLE|CONDSTORE|QRESYNC|ESEARCH|LIST-STATUS|LIST-EXTENDED|ENABLE|UIDPLUS) ", times=99),
    "one octet at a time": Dribble,
    "drops, slowly": lambda: Dribble(octets_a_piece=400, seconds=0.01),
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize(
    "again", [False, pytest.param(True, marks=pytest.mark.long)], ids=["first sync", "a later pass"]
)
def test_a_line_that_breaks(wired: Wired, what: str, *, again: bool) -> None:
    if again:
        wired.sync()
        wired.server.deliver(
            wired.user, [a_letter(subject=f"new {number}") for number in range(3)], when=NOON.timestamp()
        )
        wired.server.flag(wired.user, 1, "\\Seen")
        wired.server.expunge(wired.user, [2])
    wanted = wired.undisturbed()
    fault = FAULTS[what]()

    with wired.proxy(fault) as proxy:
        wired.sync(proxy)

    assert fault.fired or isinstance(fault, Cut), "it did not happen"
    assert wired.heals(wanted), _differences(state(), wanted)


@pytest.mark.parametrize("number", ["UIDVALIDITY", "HIGHESTMODSEQ"])
def test_a_number_that_lies_once(wired: Wired, number: str) -> None:
    """One pass sees another number than all others: what is here stays, and is right again at the end (hazards 4, 10).

    Only bookmarks may differ: whether mod-sequences that once ran backwards are used again is the engine's choice.
    """
    wired.sync()
    wanted = state()
    lie = Rewrite(rb"%s \d+" % number.encode(), to=b"%s 7" % number.encode(), times=99)

    with wired.proxy(lie) as proxy:
        wired.sync(proxy)

    assert lie.fired
    wired.sync()
    wired.sync()
    assert _differences(state(), wanted).keys() <= {"folders"}
    wired.server.flag(wired.user, 1, "\\Flagged")
    wired.sync()
    assert "\\Flagged" in Placement.objects.get(folder__role="inbox", uid=1).flags


def test_a_distant_server_costs_only_time(wired: Wired) -> None:
    wanted = wired.undisturbed()

    with wired.proxy(rtt=0.02) as proxy:
        assert wired.sync(proxy)

    assert state() == wanted


@pytest.mark.parametrize("by", Side)
def test_a_cut_at_some_bytes(wired: Wired, by: Side) -> None:
    wanted, octets = _length(wired, by)

    cuts = sorted(random.Random(SEED).sample(range(octets), SAMPLE))

    assert _cut(wired, by, cuts, wanted) == {}


@pytest.mark.long
@pytest.mark.parametrize("half", [0, 1], ids=["even", "odd"])
@pytest.mark.parametrize("by", Side)
def test_a_cut_at_every_byte(wired: Wired, by: Side, half: int, capsys: pytest.CaptureFixture[str]) -> None:
    wanted, octets = _length(wired, by)

    cuts = range(half, octets, 2)

    assert _cut(wired, by, cuts, wanted) == {}
    with capsys.disabled():
        sys.stderr.write(f"\ncut after each of {len(cuts)} octets of the {by.value}, of {octets} in a session\n")


def _length(wired: Wired, by: Side) -> tuple[State, int]:
    """How a first sync ends, and how many octets this side says in it."""
    with wired.proxy() as proxy, _undone():
        wired.sync(proxy)
        return state(), proxy.passed[0][by]


def _cut(wired: Wired, by: Side, cuts: Iterable[int], wanted: State) -> dict[int, object]:
    """A first sync cut after so many octets, each in turn; those after which all was not well, and why."""
    wrong: dict[int, object] = {}
    for at in cuts:
        with _undone():
            cut = Cut(at, by)
            with wired.proxy(cut) as proxy:
                through = wired.sync(proxy)
            # The last octets are the farewell; Dovecot's answers vary by a few octets from session to session.
            if not (cut.fired or through):
                wrong[at] = "it neither broke nor went through"
            elif not wired.heals(wanted):
                wrong[at] = _differences(state(), wanted)
    return wrong


def _differences(found: State, wanted: State) -> dict[str, object]:
    return {kind: (found[kind], wanted[kind]) for kind in wanted if found[kind] != wanted[kind]}
