"""COMPRESS=DEFLATE (RFC 4978) with a real Dovecot, and the stream by itself."""

import random
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport import net
from rapport.providers.contract import Endpoint, Login, Pace, RemoteMessage, Security
from rapport.providers.imap import Mailbox, sign_in
from rapport.providers.imap.deflate import Corrupt, Packed
from rapport.providers.profiles import Profile
from rapport.providers.uids import UidSet
from tests.servers.dovecot import Dovecot
from tests.servers.model import Model

SLOW, FAST = Pace(10_000_000, 10.0), Pace(10_000_000, 0.01)
RAWS = [f"Subject: {number}\r\n\r\n".encode() + b"the same line again\r\n" * 5000 for number in range(20)]


class Packing(Dovecot):
    """Dovecot 2.3 packs with a plugin; later ones by themselves."""

    def _classic(self) -> list[str]:
        return [*super()._classic(), "protocol imap {\n  mail_plugins = imap_zlib\n}"]


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with Packing() as running:
        yield running


def enter(server: Dovecot | Model, user: str, pace: Pace, profile: Profile | None = None) -> Mailbox:
    policy, endpoint = (
        net.Policy.allowing((server.host, server.port)),
        Endpoint(server.host, server.port, Security.NONE),
    )
    return sign_in(endpoint, Login(user, "secret"), policy=policy, timeout=10, pace=pace, profile=profile)


@pytest.mark.parametrize("pace", [SLOW, FAST], ids=["slow", "fast"])
def test_on_slow_ways_everything_is_packed_and_nothing_else_is_different(server: Dovecot, pace: Pace) -> None:
    user = server.new_user()
    server.deliver(user, RAWS)
    ana = enter(server, user, pace)

    ana.folders()
    look = ana.look(b"INBOX", None, UidSet())
    got = list(ana.fetch(b"INBOX", look.arrived))
    idle = ana.idle()
    idle.start()
    changed = idle.changed()
    idle.stop()
    ana.close()

    assert sorted(got, key=lambda one: one.uid) == [RemoteMessage(uid, raw) for uid, raw in enumerate(RAWS, 1)]
    assert not changed
    assert ana.session.wire.packed is (pace is SLOW)
    assert (ana.session.wire.received < 100_000) is (pace is SLOW)


def test_what_a_connection_learns_is_for_the_next_one(server: Dovecot) -> None:
    """Loopback is fast; a few octets teach nothing."""
    user = server.new_user()
    dice = random.Random(1)
    server.deliver(user, [dice.randbytes(500_000).hex().encode() + b"\r\n" for _ in range(8)])
    ana = enter(server, user, SLOW, Profile(compress=False))
    ana.look(b"INBOX", None, UidSet())
    before = ana.pace

    sum(len(message.raw) for message in ana.fetch(b"INBOX", UidSet.span(1, 8)))

    assert before == SLOW
    assert ana.pace.octets > 1_000_000
    assert ana.pace.octets / ana.pace.seconds > SLOW.octets / SLOW.seconds
    ana.close()


def test_nothing_is_packed_before_the_sign_in() -> None:
    """A password is never packed together with what somebody else could choose."""
    with Model() as model:
        ana = enter(model, model.user, SLOW)
        ana.folders()
        ana.close()

    assert [verb for _, verb in model.heard][:2] == ["AUTHENTICATE", "COMPRESS"]


def test_a_server_that_declines_is_asked_once() -> None:
    with Model() as model:
        model.capabilities.discard("COMPRESS=DEFLATE")
        ana = enter(model, model.user, SLOW)
        # It says so and does not mean it.
        ana.session.client.capabilities |= {"COMPRESS=DEFLATE"}
        ana.folders()
        list(ana.fetch(b"INBOX", UidSet.of([1])))
        ana.close()

    assert model.count("COMPRESS") == 1
    assert not ana.session.wire.packed


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(1, 50))
def test_what_is_packed_is_unpacked_in_small_pieces(said: list[bytes], at_once: int) -> None:
    ours, theirs = Packed(at_once), Packed(at_once)
    got = b""
    for data in said:
        theirs.feed(ours.pack(data))
        while piece := theirs.take():
            assert len(piece) <= at_once
            got += piece

    assert got == b"".join(said)


def test_a_bomb_comes_out_in_pieces() -> None:
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
    packed = Packed(1000)
    packed.feed(bomb)

    assert len(bomb) < 20_000
    assert [len(packed.take()) for _ in range(3)] == [1000, 1000, 1000]


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", zlib.compressobj(wbits=-15).flush() + b"more"])
def test_what_was_not_packed_as_agreed_is_an_error(data: bytes) -> None:
    packed = Packed(1000)
    packed.feed(data)

    with pytest.raises(Corrupt):
        packed.take()
