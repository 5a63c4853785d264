"""Checking that mail could be sent, without sending any."""

import base64
from pathlib import Path

import pytest

from rapport import net
from rapport.providers import smtp
from rapport.providers.contract import Endpoint, Login, Security
from rapport.providers.errors import ProviderError, SignInAgain, TryLater, Unreachable
from tests.servers.scripted import Peer, Script, Scripted, certificate

ANA = Login("ana", "top secret")
PLAIN = base64.b64encode(b"\0ana\0top secret")
OFFER = b"250-mail\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1000\r\n"
STARTTLS = b"250-mail\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"


def talk(*answers: tuple[bytes, bytes], greeting: bytes = b"220 mail ESMTP\r\n") -> Script:
    def script(peer: Peer) -> None:
        peer.say(greeting)
        while True:
            line = peer.line()
            answer = next((text for word, text in answers if line.upper().startswith(word.upper())), b"250 fine\r\n")
            peer.say(answer)

    return script


def starttls(files: tuple[Path, Path], inside: Script) -> Script:
    def script(peer: Peer) -> None:
        peer.say(b"220 mail\r\n")
        peer.line()
        peer.say(STARTTLS)
        peer.line()
        peer.say(b"220 go\r\n")
        peer.secure(files)
        inside(peer)

    return script


def check(server: Scripted, security: Security = Security.NONE, pinned: str = "", timeout: float = 3) -> None:
    endpoint = Endpoint(server.host, server.port, security, pinned)
    smtp.check(endpoint, ANA, policy=net.Policy.allowing((server.host, server.port)), timeout=timeout)


def test_a_check_signs_in_and_sends_nothing() -> None:
    with Scripted(talk((b"EHLO", OFFER), (b"AUTH", b"235 in\r\n"))) as server:
        check(server)

    assert server.heard == [b"ehlo [127.0.0.1]", b"AUTH PLAIN " + PLAIN, b"noop", b"quit"]


def test_login_is_the_second_way_in() -> None:
    answers = ((b"EHLO", b"250-x\r\n250 AUTH LOGIN\r\n"), (b"AUTH", b"334 UGFzc3dvcmQ6\r\n"), (b"dG9w", b"235 in\r\n"))
    with Scripted(talk(*answers)) as server:
        check(server)

    assert server.heard[1:3] == [b"AUTH LOGIN YW5h", b"dG9wIHNlY3JldA=="]


@pytest.mark.parametrize(
    ("answer", "error", "cause"),
    [
        (b"535 5.7.8 Error: authentication failed", SignInAgain, "password"),
        (b"534 5.7.9 Application-specific password required", SignInAgain, "app-password"),
        (b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", SignInAgain, "smtp-off"),
        (b"454 4.7.0 Temporary authentication failure", TryLater, ""),
        (b"421 4.3.2 closing", TryLater, ""),
        (b"535 too many login attempts, try again later", TryLater, ""),
    ],
)
def test_a_refused_sign_in_says_what_to_do(answer: bytes, error: type[ProviderError], cause: str) -> None:
    with (
        Scripted(talk((b"EHLO", OFFER), (b"AUTH", answer + b"\r\n"))) as server,
        pytest.raises(ProviderError) as failure,
    ):
        check(server)

    assert type(failure.value) is error
    assert getattr(failure.value, "cause", "") == cause


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (talk((b"EHLO", OFFER)), "no-starttls"),
        (talk((b"EHLO", STARTTLS), (b"STARTTLS", b"454 not now\r\n")), "no-starttls"),
        (talk((b"EHLO", STARTTLS), (b"STARTTLS", b"220 go\r\n250 AUTH PLAIN\r\n")), "protocol"),
        (talk(greeting=b"* OK [CAPABILITY IMAP4rev1] hi\r\n"), "protocol"),
        (talk((b"EHLO", b"250-more\r\n" * 5000)), "protocol"),
    ],
    ids=["stripped", "refused", "injected", "imap", "endless"],
)
def test_without_tls_no_password_is_said(script: Script, cause: str) -> None:
    with Scripted(script) as server:
        with pytest.raises(Unreachable) as failure:
            check(server, Security.STARTTLS)

        assert failure.value.cause == cause
        assert not any(PLAIN in line for line in server.heard)


def test_an_allowed_certificate_lets_starttls_go_on(tmp_path: Path) -> None:
    inside = talk((b"EHLO", OFFER), (b"AUTH", b"235 in\r\n"), greeting=b"")
    with Scripted(starttls(certificate(tmp_path, "localhost"), inside)) as server:
        with pytest.raises(Unreachable) as failure:
            check(server, Security.STARTTLS)
        assert (failure.value.cause, failure.value.detail) == ("certificate", "self-signed")
        assert failure.value.certificate
        check(server, Security.STARTTLS, failure.value.certificate.sha256)

    assert server.heard[-3:] == [b"AUTH PLAIN " + PLAIN, b"noop", b"quit"]


def test_the_kind_of_port_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "GREETING_PATIENCE", 0.1)
    causes = []
    with Scripted(talk()) as plain, Scripted(talk(), certificate(tmp_path, "localhost")) as secured:
        for server, security in ((plain, Security.SSL), (secured, Security.NONE)):
            with pytest.raises(Unreachable) as failure:
                check(server, security)
            causes.append(failure.value.cause)

    assert causes == ["speaks-plain", "speaks-tls"]


def test_no_connection_says_why() -> None:
    causes = []
    with Scripted(talk()) as server:
        pass
    for policy in (net.Policy.allowing((server.host, server.port)), net.Policy()):
        with pytest.raises(Unreachable) as failure:
            smtp.check(Endpoint(server.host, server.port, Security.NONE), ANA, policy=policy)
        causes.append(failure.value.cause)

    assert causes == ["refused", "forbidden"]
