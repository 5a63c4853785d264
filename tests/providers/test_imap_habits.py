"""The adapter against every bad habit of the model server: what it finds is what is there, or it says what is wrong.

A mirror of one folder is kept by the contract alone: a first look, changes by another client, looks after them, one of
them on a new connection.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from rapport import net
from rapport.providers.contract import Bookmark, Endpoint, Login, Security, Sweep
from rapport.providers.errors import ProviderError, Refused, StartOver, TryLater, Unreachable
from rapport.providers.imap import Mailbox, sign_in
from rapport.providers.uids import UidSet
from tests.servers.model import Model, Quirk

INBOX = b"INBOX"
LONG_AGO = datetime(2019, 5, 1, 12, 0, tzinfo=UTC)
NOW = datetime.now(UTC).replace(microsecond=0)

NEVER = {
    Quirk.LIST_REFUSED: Refused,
    Quirk.LITERAL_SHORT: Unreachable,
    Quirk.LITERAL_LONG: Unreachable,
    Quirk.LITERAL_HUGE: Refused,
    Quirk.QUOTE_OPEN: Unreachable,
    Quirk.BYE_MID_FETCH: TryLater,
    Quirk.GREETING_BYE: TryLater,
    Quirk.THROTTLED: TryLater,
    Quirk.TOO_MANY: TryLater,
    Quirk.AUTH_UNAVAILABLE: TryLater,
    Quirk.NOT_CONNECTED: TryLater,
}
"""Habits with which nothing can be read, and what is said."""
ONE_LACKS = {Quirk.FETCH_NEVER_GIVES, Quirk.GHOST_REFUSED, Quirk.GHOST_SILENT, Quirk.GHOST_EMPTY}
"""Habits that cost the oldest message's bytes and nothing else."""


def mail(number: int) -> bytes:
    return f"From: ana@example.test\r\nSubject: {number}\r\n\r\nhello\r\n".encode()


Enter = Callable[[Model], Mailbox]


@pytest.fixture
def enter() -> Iterator[Enter]:
    """Sign in to a model server; whatever happens, the connection ends with the test."""
    with ExitStack() as stack:

        def at(model: Model) -> Mailbox:
            policy = net.Policy.allowing((model.host, model.port))
            endpoint, login = Endpoint(model.host, model.port, Security.NONE), Login(model.user, model.password)
            mailbox = sign_in(endpoint, login, policy=policy, timeout=2)
            stack.callback(mailbox.session.close)
            return mailbox

        yield at


@dataclass
class Mirror:
    """What is known of the inbox, as the engine keeps it."""

    mailbox: Mailbox
    bookmark: Bookmark | None = None
    sweep: Sweep | None = None
    flags: dict[int, frozenset[str]] = field(default_factory=dict)
    raws: dict[int, bytes] = field(default_factory=dict)

    def look(self) -> None:
        self.mailbox.folders()
        try:
            look = self.mailbox.look(INBOX, self.bookmark, UidSet.of(self.flags), self.sweep)
        except StartOver:
            self.flags.clear()
            self.raws.clear()
            look = self.mailbox.look(INBOX, None, UidSet())
        self.mailbox.look(b"Sent", None, UidSet())
        new = {meta.uid: meta.flags for meta in self.mailbox.metas(INBOX, look.arrived)}
        assert UidSet.of(new) == look.arrived
        self.raws |= {message.uid: message.raw for message in self.mailbox.fetch(INBOX, look.arrived)}
        self.flags |= {**look.flags, **new}
        self.flags = {uid: flags for uid, flags in self.flags.items() if uid not in look.vanished}
        self.raws = {uid: raw for uid, raw in self.raws.items() if uid not in look.vanished}
        self.bookmark, self.sweep = look.bookmark, look.sweep

    def agrees(self, model: Model, *, newest: bool = True) -> None:
        """Both sides are the same; without the newest message where the server keeps its bytes to itself."""
        letters = model.truth.box(INBOX).letters
        lacks = 0 if newest else max(letters)
        assert self.flags == {uid: letter.flags for uid, letter in letters.items()}
        assert self.raws == {uid: letter.raw for uid, letter in letters.items() if uid != lacks}


def change(model: Model) -> None:
    model.truth.set_flags(3, frozenset({"\\Seen"}))
    model.truth.expunge(2, 6, 10)
    for number in (11, 12):
        model.truth.append(mail(number))


@pytest.fixture(params=["full", "gmailish", "exchange", "bare"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(kind: str) -> Callable[..., Model]:
    def make(*quirks: Quirk) -> Model:
        made = Model(kind, *quirks)
        for number in range(1, 11):
            made.truth.append(mail(number), when=LONG_AGO if number < 5 else NOW)
        return made

    return make


AGREEING = sorted(set(Quirk) - set(NEVER) - {Quirk.BYE_TOKEN}, key=list(Quirk).index)


@pytest.mark.parametrize("quirk", AGREEING, ids=lambda quirk: f"{quirk.hazard} {quirk.name.lower()}")
def test_what_is_found_is_what_is_there(model: Callable[..., Model], enter: Enter, quirk: Quirk) -> None:
    """Hazards 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25, 26, 28, 29, 30, 32, 34, 35, 36,
    39, 40, 43, 55, 58, 59, 60, 61, 63 and 65: whatever the server's habit, and whatever it can do.
    """
    with model(quirk) as server:
        # Who wants ID takes it.
        server.capabilities |= {"ID"} if quirk is Quirk.NEEDS_ID else set()
        mirror = Mirror(enter(server))
        mirror.look()
        mirror.agrees(server, newest=quirk not in ONE_LACKS)
        # A day earlier than meant, because the server's day is not ours.
        mirror.mailbox.look(b"Sent", None, UidSet())
        assert UidSet.span(5, 10) - mirror.mailbox.since(INBOX, (NOW - timedelta(days=1)).date()) == UidSet()
        change(server)
        mirror.look()
        mirror.agrees(server, newest=quirk not in ONE_LACKS)
        server.truth.expunge(11)
        server.truth.set_flags(4, frozenset({"\\Flagged"}))
        mirror.mailbox = enter(server)
        mirror.look()
        mirror.agrees(server, newest=quirk not in ONE_LACKS)


@pytest.mark.parametrize("quirk", NEVER, ids=lambda quirk: f"{quirk.hazard} {quirk.name.lower()}")
def test_what_cannot_be_read_is_said(model: Callable[..., Model], enter: Enter, quirk: Quirk) -> None:
    """Hazards 54 and 62: nothing but the errors of the contract, and nothing of it is evidence that mail is gone."""
    with model(quirk) as server, pytest.raises(ProviderError) as failure:
        Mirror(enter(server)).look()

    assert type(failure.value) is NEVER[quirk]
    if isinstance(failure.value, Refused) and quirk is Quirk.LITERAL_HUGE:
        assert failure.value.uid == 10


def test_a_session_that_ran_out_is_opened_again_at_once(model: Callable[..., Model], enter: Enter) -> None:
    """Hazard 62: BYE AccessTokenExpired is no trouble."""
    with model(Quirk.BYE_TOKEN) as server:
        mailbox = enter(server)
        first = mailbox.look(INBOX, None, UidSet())
        with pytest.raises(TryLater) as failure:
            mailbox.look(b"Sent", None, UidSet())
        change(server)
        look = enter(server).look(INBOX, first.bookmark, first.arrived)

    assert failure.value.after == 0.0
    assert (str(look.arrived), str(look.vanished)) == ("11:12", "2,6,10")
