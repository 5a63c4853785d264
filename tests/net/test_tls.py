"""Which certificates are accepted, and what is told of those that are not (R57, R58)."""

import hashlib
import ssl
from pathlib import Path

import pytest

from rapport import net
from rapport.net import tls
from rapport.net.errors import BadCertificate, Lost, NetError, NoAnswer, SpeaksPlain
from tests.servers.scripted import Peer, Scripted, certificate

HOST = "127.0.0.1"


def hello(peer: Peer) -> None:
    peer.say(b"* OK hello\r\n")
    peer.line()


def dial(server: Scripted, host: str = HOST, pinned: str = "") -> ssl.SSLSocket:
    plain = net.connect(host, server.port, policy=net.Policy.allowing((host, server.port)), timeout=3)
    return tls.secure(plain, host, pinned=pinned)


def fingerprint(file: Path) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read_text())).hexdigest()


def trust(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=str(file))
    monkeypatch.setattr(tls, "_verifying", lambda: context)


def test_a_self_signed_certificate_is_refused_and_shown(tmp_path: Path) -> None:
    files = certificate(tmp_path, "mail.example.test", HOST)
    with Scripted(hello, files) as server:
        with pytest.raises(BadCertificate) as failure:
            dial(server)

        assert server.heard == []
    shown = failure.value.shown
    assert failure.value.detail == "self-signed"
    assert shown
    assert shown.self_signed
    assert shown.sha256 == fingerprint(files[0])
    assert shown.names == ("mail.example.test", HOST)
    assert shown.issuer == "CN=mail.example.test"
    assert shown.not_after.endswith("+00:00")


def test_an_unknown_issuer_is_untrusted(tmp_path: Path) -> None:
    with (
        Scripted(hello, certificate(tmp_path, HOST, issuer="Somebody")) as server,
        pytest.raises(BadCertificate) as failure,
    ):
        dial(server)

    assert failure.value.detail == "untrusted"


@pytest.mark.parametrize(("names", "days", "detail"), [((HOST,), -1, "expired"), (("other.test",), 9, "other-name")])
def test_a_trusted_certificate_still_has_to_be_right(
    names: tuple[str, ...], days: int, detail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate(tmp_path, *names, days=days)
    trust(files[0], monkeypatch)
    with Scripted(hello, files) as server, pytest.raises(BadCertificate) as failure:
        dial(server)

    assert failure.value.detail == detail


def test_a_trusted_certificate_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = certificate(tmp_path, "localhost", HOST)
    trust(files[0], monkeypatch)
    with Scripted(hello, files) as server, dial(server) as secured:
        assert secured.recv(100) == b"* OK hello\r\n"
        assert secured.version() in ("TLSv1.2", "TLSv1.3")


def test_a_pinned_certificate_is_accepted_and_any_other_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed, other = certificate(tmp_path / "a", HOST), certificate(tmp_path / "b", HOST)
    with Scripted(hello, allowed) as server, dial(server, pinned=fingerprint(allowed[0]).upper()) as secured:
        assert secured.recv(4) == b"* OK"
    # Even a trusted one: a pin says exactly which.
    trust(other[0], monkeypatch)
    with Scripted(hello, other) as server, pytest.raises(BadCertificate) as failure:
        dial(server, pinned=fingerprint(allowed[0]))

    assert failure.value.detail == "changed"
    assert failure.value.shown
    assert failure.value.shown.sha256 == fingerprint(other[0])


def test_a_port_that_greets_in_plain_text_is_told_apart() -> None:
    with Scripted(hello) as server, pytest.raises(SpeaksPlain):
        dial(server)


def test_a_hang_up_and_a_silence_are_told_apart() -> None:
    def silent(peer: Peer) -> None:
        while True:
            peer.socket.recv(100)

    for script, error in ((lambda peer: peer.socket.recv(1), Lost), (silent, NoAnswer)):
        with Scripted(script) as server:
            plain = net.connect(HOST, server.port, policy=net.Policy.allowing((HOST, server.port)), timeout=0.3)
            with pytest.raises(NetError) as failure:
                tls.secure(plain, HOST)
        assert isinstance(failure.value, error)
