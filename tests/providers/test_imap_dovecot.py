"""What only a real server can show: TLS as it is, round trips, signals of changes, large folders."""

import selectors
import time
from collections.abc import Iterator
from datetime import date

import pytest

from rapport import net
from rapport.providers.contract import Endpoint, Login, Security
from rapport.providers.errors import Refused, SignInAgain, StartOver, Unreachable
from rapport.providers.imap import Mailbox, hearing, sign_in
from rapport.providers.profiles import Profile
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
    server: Dovecot,
    user: str,
    password: str = "secret",
    *,
    security: Security = Security.NONE,
    pinned: str = "",
    profile: Profile | None = None,
) -> Mailbox:
    port = server.tls_port if security is Security.SSL else server.port
    policy, endpoint = net.Policy.allowing((server.host, port)), Endpoint(server.host, port, security, pinned)
    return sign_in(endpoint, Login(user, password), policy=policy, timeout=10, profile=profile)


@pytest.fixture
def ana(server: Dovecot, user: str) -> Iterator[Mailbox]:
    opened = enter(server, user)
    yield opened
    opened.close()


@pytest.mark.parametrize("security", [Security.SSL, Security.STARTTLS])
def test_a_certificate_nobody_vouches_for_can_be_allowed(server: Dovecot, user: str, security: Security) -> None:
    """Hazard 66: by a person, for this one certificate; never silently."""
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
    """Hazard 4."""
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


def test_idle_tells_of_what_vanished(server: Dovecot, user: str, ana: Mailbox) -> None:
    """Hazard 27: with QRESYNC an expunge is a VANISHED."""
    server.deliver(user, [RAW] * 3)
    ana.folders()
    first = ana.look(b"INBOX", None, UidSet())
    idle = ana.idle()
    idle.start()
    assert not idle.changed()

    server.expunge(user, [2])
    with selectors.DefaultSelector() as waiting:
        waiting.register(idle, selectors.EVENT_READ)
        assert wait_for(waiting, idle.changed)
    idle.stop()

    assert "QRESYNC" in ana.session.client.enabled
    assert ana.session.exists == 2
    assert str(ana.look(b"INBOX", first.bookmark, first.arrived).vanished) == "2"


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


def test_a_provider_that_forgets_early_says_how_early(server: Dovecot, user: str) -> None:
    """Hazards 59 and 63: whoever listens renews before that."""
    ana = enter(server, user, profile=Profile(keepalive=180))

    assert ana.idle().keepalive == 180
    ana.close()


def test_a_server_without_idle_refuses(user: str, ana: Mailbox) -> None:
    ana.session.client.capabilities -= {"IDLE"}

    with pytest.raises(Refused):
        ana.idle()


def test_what_changed_in_a_folder_is_one_round_trip(server: Dovecot, user: str, ana: Mailbox) -> None:
    """QRESYNC (RFC 7162): flags and what vanished come with the answer to SELECT."""
    server.deliver(user, [RAW] * 50)
    ana.folders()
    first = ana.look(b"INBOX", None, UidSet())
    server.expunge(user, [3, 4, 50])
    server.flag(user, 7, "\\Seen")
    before = ana.session.wire.waits

    look = ana.look(b"INBOX", first.bookmark, first.arrived)

    assert ana.session.wire.waits - before == 1
    assert (str(look.vanished), look.exists) == ("3:4,50", 47)
    assert look.flags == {7: frozenset({"\\Seen"})}
    assert look.bookmark.doubts == 0


def test_a_connection_that_begins_with_a_look_is_told_too(server: Dovecot, user: str, ana: Mailbox) -> None:
    """What a watcher's pass does: ENABLE goes out with the SELECT, so what vanished is asked for afterwards."""
    server.deliver(user, [RAW] * 5)
    first = ana.look(b"INBOX", None, UidSet())
    server.expunge(user, [5])
    server.deliver(user, [RAW])
    fresh = enter(server, user)
    before = fresh.session.wire.waits

    look = fresh.look(b"INBOX", first.bookmark, first.arrived)

    assert fresh.session.wire.waits - before == 2
    assert (str(look.vanished), str(look.arrived)) == ("5", "6")
    fresh.close()


def test_an_idle_pass_over_twenty_folders_is_one_round_trip(server: Dovecot, user: str, ana: Mailbox) -> None:
    """The list says of every folder what its bookmark says, so none has to be opened."""
    for number in range(14):
        server.create(user, f"Project {number}")
    server.deliver(user, [RAW] * 3)
    bookmarks = {folder.wire: ana.look(folder.wire, None, UidSet()).bookmark for folder in ana.folders()}
    before = ana.session.wire.waits

    states = {folder.wire: folder.state for folder in ana.folders()}

    assert len(bookmarks) == 20
    assert ana.session.wire.waits - before == 1
    assert {wire: (state.uidvalidity, state.uidnext, state.modseq) for wire, state in states.items() if state} == {
        wire: (bookmark.uidvalidity, bookmark.uidnext, bookmark.modseq) for wire, bookmark in bookmarks.items()
    }


def test_without_list_status_an_idle_pass_is_three_round_trips(server: Dovecot, user: str) -> None:
    """LIST, every STATUS in one go, and a SELECT of the folder that is open: STATUS of that one is not believed."""
    for number in range(14):
        server.create(user, f"Project {number}")
    ana = enter(server, user, profile=Profile(list_status=False))
    wires = [folder.wire for folder in ana.folders()]
    bookmarks = {wire: ana.look(wire, None, UidSet()).bookmark for wire in wires}
    before = ana.session.wire.waits

    folders = ana.folders()
    states = ana.states(wires)
    looks = [ana.look(wire, bookmarks[wire], UidSet()) for wire in wires if wire not in states]

    assert ana.session.wire.waits - before == 3
    assert (len(wires), len(states), len(looks)) == (20, 19, 1)
    assert all(folder.state is None for folder in folders)
    assert all(states[wire].uidnext == bookmarks[wire].uidnext for wire in states)
    ana.close()


def test_the_folder_that_is_open_is_looked_at_again_once_it_changed(server: Dovecot, user: str, ana: Mailbox) -> None:
    """Hazard 23."""
    ana.look(b"INBOX", None, UidSet())
    assert {folder.wire: folder.state for folder in ana.folders()}[b"INBOX"]

    server.deliver(user, [RAW])

    states = {folder.wire: folder.state for folder in ana.folders()}
    assert states[b"INBOX"] is None
    assert states[b"Sent"]


def test_a_whole_folder_is_listed_in_a_line(server: Dovecot, user: str, ana: Mailbox) -> None:
    """ESEARCH (RFC 4731): ranges, not numbers."""
    server.deliver(user, [RAW] * 2000)
    ana.folders()
    plainly = enter(server, user, profile=Profile(esearch=False))
    octets = []
    for opened in (ana, plainly):
        opened.listed(b"INBOX")
        before = opened.session.wire.received
        assert str(opened.listed(b"INBOX")) == "1:2000"
        octets.append(opened.session.wire.received - before)
    plainly.close()

    assert octets[0] < 200
    assert octets[1] > 8000


def test_without_search_everything_is_found_all_the_same(server: Dovecot, user: str) -> None:
    """Hazard 30: a provider whose SEARCH leaves messages out."""
    long_ago = 1_500_000_000.0
    server.deliver(user, [RAW] * 3, when=long_ago)
    server.deliver(user, [RAW] * 3)
    ana = enter(server, user, profile=Profile(search=False))

    first = ana.look(b"INBOX", None, UidSet())
    server.deliver(user, [RAW])
    server.expunge(user, [2])
    look = ana.look(b"INBOX", first.bookmark, first.arrived)

    assert (str(first.arrived), str(look.arrived), str(look.vanished)) == ("1:6", "7", "2")
    assert str(ana.since(b"INBOX", date(2024, 1, 1))) == "4:7"
    assert str(ana.listed(b"INBOX")) == "1,3:7"
    ana.close()


@pytest.mark.parametrize("esearch", [True, False])
def test_a_large_folder_is_listed_in_slices(
    server: Dovecot, user: str, esearch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "SLICE", 100)
    ana = enter(server, user, profile=Profile(esearch=esearch, qresync=False))
    server.deliver(user, [RAW] * 450)
    look = ana.look(b"INBOX", None, UidSet())
    server.expunge(user, range(2, 440, 2))

    again = ana.look(b"INBOX", look.bookmark, look.arrived)

    assert again.vanished == UidSet.of(range(2, 440, 2))
    assert ana.listed(b"INBOX") == UidSet.of(server.uids(user))
    ana.close()


def test_a_scattered_set_is_asked_for_in_lines_that_servers_take(server: Dovecot, user: str, ana: Mailbox) -> None:
    """Hazard 32."""
    server.deliver(user, [RAW] * 2500)
    odd = UidSet.of(range(1, 2500, 2))

    assert {meta.uid for meta in ana.metas(b"INBOX", odd)} == set(odd)
    assert sum(1 for _ in ana.fetch(b"INBOX", odd)) == 1250
