"""What only a real server can show: TLS as it is, round trips, signals of changes, large folders."""

import selectors
import time
from collections.abc import Iterator

import pytest

from rapport import net
from rapport.providers.contract import Endpoint, Login, Security
from rapport.providers.errors import Refused, SignInAgain, StartOver, Unreachable
from rapport.providers.imap import Mailbox, mailbox, sign_in
from rapport.providers.uids import UidSet
from tests.servers.dovecot import Dovecot

RAW = b"Subject: hello\r\n\r\nhello\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with Dovecot() as running:
        yield running


@pytest.fixture
def user(server: Dovecot) -> str:
    return server.new_user()


def enter(
    server: Dovecot, user: str, password: str = "secret", security: Security = Security.NONE, pinned: str = ""
) -> Mailbox:
    port = server.tls_port if security is Security.SSL else server.port
    policy = net.Policy.allowing((server.host, port))
    return sign_in(Endpoint(server.host, port, security, pinned), Login(user, password), policy=policy, timeout=10)


@pytest.fixture
def ana(server: Dovecot, user: str) -> Iterator[Mailbox]:
    opened = enter(server, user)
    yield opened
    opened.close()


@pytest.mark.parametrize("security", [Security.SSL, Security.STARTTLS])
def test_a_certificate_nobody_vouches_for_can_be_allowed(server: Dovecot, user: str, security: Security) -> None:
    with pytest.raises(Unreachable) as failure:
        enter(server, user, security=security)
    certificate = failure.value.certificate

    assert (failure.value.cause, failure.value.detail) == ("certificate", "self-signed")
    assert certificate
    assert certificate.names == ("localhost", "127.0.0.1")
    opened = enter(server, user, security=security, pinned=certificate.sha256)
    assert opened.look(b"INBOX", None, UidSet()).exists == 0
    opened.close()
    with pytest.raises(Unreachable) as failure:
        enter(server, user, security=security, pinned="0" * 64)
    assert failure.value.detail == "changed"


def test_a_wrong_password_is_refused_in_words(server: Dovecot, user: str) -> None:
    with pytest.raises(SignInAgain) as failure:
        enter(server, user, "wrong")

    assert failure.value.cause == "password"
    assert failure.value.said == "Authentication failed."


def test_the_kind_of_port_is_found_out(server: Dovecot, user: str) -> None:
    policy = net.Policy.allowing((server.host, server.port), (server.host, server.tls_port))
    causes = {}
    for port, security in ((server.port, Security.SSL), (server.tls_port, Security.NONE)):
        with pytest.raises(Unreachable) as failure:
            sign_in(Endpoint(server.host, port, security), Login(user, "secret"), policy=policy, timeout=0.5)
        causes[port] = failure.value.cause

    assert causes == {server.port: "speaks-plain", server.tls_port: "speaks-tls"}


def test_from_sign_in_to_the_newest_fifty_is_five_round_trips(server: Dovecot, user: str, ana: Mailbox) -> None:
    server.deliver(user, [RAW] * 120)
    before = ana.session.wire.waits

    folders = ana.folders()
    look = ana.look(b"INBOX", None, UidSet())
    newest = look.arrived.newest(50)
    metas = list(ana.metas(b"INBOX", newest))
    bodies = list(ana.fetch(b"INBOX", newest))

    assert (len(folders), len(metas), len(bodies)) == (6, 50, 50)
    assert ana.session.wire.waits - before <= 5


def test_an_unchanged_folder_is_one_round_trip(server: Dovecot, user: str, ana: Mailbox) -> None:
    server.deliver(user, [RAW] * 3)
    first = ana.look(b"INBOX", None, UidSet())
    before = ana.session.wire.waits

    again = ana.look(b"INBOX", first.bookmark, first.arrived)

    assert ana.session.wire.waits - before == 1
    assert (again.flags, again.arrived) == ({}, UidSet())
    assert first.bookmark.modseq


def test_folders_say_their_state_and_status_says_the_same(server: Dovecot, user: str, ana: Mailbox) -> None:
    server.deliver(user, [RAW] * 3)

    states = {folder.wire: folder.state for folder in ana.folders()}
    asked = ana.states([b"INBOX", b"Sent", b"Nowhere"])

    assert asked == {b"INBOX": states[b"INBOX"], b"Sent": states[b"Sent"]}
    assert asked[b"INBOX"].exists == 3


def test_a_folder_rebuilt_between_look_and_fetch_gives_nothing(server: Dovecot, user: str, ana: Mailbox) -> None:
    server.deliver(user, [RAW])
    ana.look(b"INBOX", None, UidSet())
    ana.look(b"Sent", None, UidSet())
    server.set_uidvalidity(user, server.uidvalidity(user) + 1)

    with pytest.raises(StartOver):
        list(ana.fetch(b"INBOX", UidSet.of([1])))


def test_idle_tells_of_news(server: Dovecot, user: str, ana: Mailbox) -> None:
    server.deliver(user, [RAW])
    idle = ana.idle()
    idle.start()
    assert not idle.changed()

    server.deliver(user, [RAW])
    with selectors.DefaultSelector() as waiting:
        waiting.register(idle, selectors.EVENT_READ)
        assert wait_for(waiting, idle.changed)
        assert not idle.changed()
        idle.renew()
        server.flag(user, 1, "\\Seen")
        assert wait_for(waiting, idle.changed)

    idle.stop()
    assert ana.look(b"INBOX", None, UidSet()).exists == 2


def wait_for(waiting: selectors.BaseSelector, happened: "object") -> bool:
    """Until it happened, waiting on the socket alone."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        waiting.select(0.2)
        if callable(happened) and happened():
            return True
    return False


def test_idle_under_tls_tells_of_news_too(server: Dovecot, user: str) -> None:
    with pytest.raises(Unreachable) as failure:
        enter(server, user, security=Security.SSL)
    assert failure.value.certificate
    opened = enter(server, user, security=Security.SSL, pinned=failure.value.certificate.sha256)
    idle = opened.idle()
    idle.start()
    server.deliver(user, [RAW])

    with selectors.DefaultSelector() as waiting:
        waiting.register(idle, selectors.EVENT_READ)
        assert wait_for(waiting, idle.changed)
    idle.stop()
    opened.close()


def test_a_server_without_idle_refuses(user: str, ana: Mailbox) -> None:
    ana.session.client.capabilities -= {"IDLE"}

    with pytest.raises(Refused):
        ana.idle()


def test_a_large_folder_is_listed_in_slices(
    server: Dovecot, user: str, ana: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "SLICE", 100)
    server.deliver(user, [RAW] * 450)
    look = ana.look(b"INBOX", None, UidSet())
    server.expunge(user, range(2, 440, 2))

    again = ana.look(b"INBOX", look.bookmark, look.arrived)

    assert again.vanished == UidSet.of(range(2, 440, 2))
    assert ana.listed(b"INBOX") == UidSet.of(server.uids(user))


def test_a_scattered_set_is_asked_for_in_lines_that_servers_take(server: Dovecot, user: str, ana: Mailbox) -> None:
    server.deliver(user, [RAW] * 2500)
    odd = UidSet.of(range(1, 2500, 2))

    assert {meta.uid for meta in ana.metas(b"INBOX", odd)} == set(odd)
    assert sum(1 for _ in ana.fetch(b"INBOX", odd)) == 1250
