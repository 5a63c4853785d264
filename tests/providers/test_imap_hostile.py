"""Servers that lie, break off, or mean harm: what comes out is one of ``providers.errors``, and nothing leaks."""

import base64
import contextlib
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import pytest

from rapport import net
from rapport.providers.contract import Bookmark, Endpoint, Login, Provider, Security
from rapport.providers.errors import ProviderError, Refused, SignInAgain, StartOver, TryLater, Unreachable
from rapport.providers.imap import opening, sign_in
from rapport.providers.profiles import Profile
from rapport.providers.uids import UidSet
from tests.servers.scripted import Peer, Script, Scripted, certificate, replies

ANA = Login("ana", "top secret")
SECRETS = (b"top secret", base64.b64encode(b"\0ana\0top secret"))
GREETING = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n"
SIGNED_IN = (b"AUTHENTICATE", b"TAG OK [CAPABILITY IMAP4rev1] in\r\n")
SELECTED = (
    b"SELECT",
    b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\nTAG OK [READ-WRITE] done\r\n",
)


def enter(
    server: Scripted, security: Security = Security.NONE, pinned: str = "", timeout: float = 3, login: Login = ANA
) -> Provider:
    endpoint = Endpoint(server.host, server.port, security, pinned)
    return sign_in(endpoint, login, policy=net.Policy.allowing((server.host, server.port)), timeout=timeout)


def mailbox(stack: contextlib.ExitStack, *answers: tuple[bytes, bytes]) -> tuple[Provider, Scripted]:
    server = stack.enter_context(Scripted(replies(GREETING, SIGNED_IN, *answers)))
    provider = enter(server)
    stack.callback(provider.close)
    return provider, server


def hang_up(peer: Peer) -> None:
    peer.say(b"")


def listen(peer: Peer) -> None:
    peer.line()


# Signing in.


@pytest.mark.parametrize(
    ("answer", "error", "cause"),
    [
        (b"NO [AUTHENTICATIONFAILED] Authentication failed.", SignInAgain, "password"),
        (b"NO LOGIN failed.", SignInAgain, "password"),
        (b"NO [AUTHENTICATIONFAILED] Too many simultaneous connections.", TryLater, ""),
        (b"NO [UNAVAILABLE] Temporary authentication failure.", TryLater, ""),
        (b"NO [ALERT] Application-specific password required: https://x.example", SignInAgain, "app-password"),
        (b"NO [WEBALERT https://x.example] Web login required.", SignInAgain, "app-password"),
        (b"NO [ALERT] Your account is not enabled for IMAP use.", SignInAgain, "imap-off"),
        (b"NO IMAP access is disabled for your account.", SignInAgain, "imap-off"),
        (b"NO User not found", SignInAgain, "username"),
        (b"BAD Request is throttled. Suggested Backoff Time: 2500 milliseconds", TryLater, ""),
    ],
)
def test_a_refused_sign_in_says_what_to_do(answer: bytes, error: type[ProviderError], cause: str) -> None:
    script = replies(GREETING, (b"AUTHENTICATE", b"TAG " + answer + b"\r\n"))
    with Scripted(script) as server, pytest.raises(ProviderError) as failure:
        enter(server)

    assert type(failure.value) is error
    assert getattr(failure.value, "cause", "") == cause
    assert "secret" not in str(failure.value)
    if b"2500" in answer:
        assert getattr(failure.value, "after", None) == 2.5


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (replies(b"* BYE too many connections\r\n"), None),
        (replies(GREETING, (b"AUTHENTICATE", b"* BYE come back later\r\n")), None),
        (replies(b"HTTP/1.1 400 Bad Request\r\n"), "protocol"),
        (replies(b"220 mail.example.test ESMTP\r\n"), "protocol"),
        (hang_up, "lost"),
        (replies(GREETING, (b"AUTHENTICATE", b"A99 OK for somebody else\r\n")), "protocol"),
        (replies(GREETING, (b"AUTHENTICATE", b"+ \r\n")), "protocol"),
    ],
)
def test_a_broken_greeting_is_no_sign_in(script: Script, cause: str | None) -> None:
    with Scripted(script) as server, pytest.raises(TryLater) as failure:
        enter(server)

    assert getattr(failure.value, "cause", None) == cause


def test_a_silent_port_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "GREETING_PATIENCE", 0.1)
    with Scripted(listen) as server, pytest.raises(Unreachable) as failure:
        enter(server, timeout=0.3)

    assert failure.value.cause in ("timeout", "lost")


def test_a_port_that_wants_tls_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "GREETING_PATIENCE", 0.1)
    with (
        Scripted(replies(GREETING), certificate(tmp_path, "localhost")) as server,
        pytest.raises(Unreachable) as failure,
    ):
        enter(server)

    assert failure.value.cause == "speaks-tls"


def test_a_port_that_speaks_plain_says_so() -> None:
    with Scripted(replies(GREETING)) as server, pytest.raises(Unreachable) as failure:
        enter(server, Security.SSL)

    assert failure.value.cause == "speaks-plain"


def test_login_disabled_is_respected() -> None:
    with Scripted(replies(b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS] hi\r\n")) as server:
        with pytest.raises(SignInAgain):
            enter(server)

        assert server.heard == []


def test_without_sasl_ir_the_password_waits_to_be_asked_for() -> None:
    def script(peer: Peer) -> None:
        peer.say(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n")
        tag, _ = peer.ask()
        peer.say(b"+ \r\n")
        peer.line()
        peer.say(tag + b" OK [CAPABILITY IMAP4rev1] in\r\n")
        peer.line()

    with Scripted(script) as server:
        enter(server).close()

    assert server.heard[:2] == [b"A1 AUTHENTICATE PLAIN", SECRETS[1]]


def test_a_password_beyond_ascii_goes_as_a_literal() -> None:
    def script(peer: Peer) -> None:
        peer.say(b"* OK [CAPABILITY IMAP4rev1] hi\r\n")
        tag, _ = peer.ask()
        peer.say(b"+ go\r\n")
        peer.line()
        peer.say(tag + b" OK [CAPABILITY IMAP4rev1] in\r\n")
        peer.line()

    with Scripted(script) as server:
        enter(server, login=Login("ana", "pässwort")).close()

    assert server.heard[:2] == [b'A1 LOGIN "ana" {9}', "pässwort".encode()]


@pytest.mark.parametrize("login", [Login("ana\0", "x"), Login("ana", "x\0y")])
def test_a_nul_never_reaches_the_socket(login: Login) -> None:
    with Scripted(replies(GREETING)) as server:
        with pytest.raises(Refused):
            enter(server, login=login)

        assert server.heard == []


def test_a_shared_mailbox_is_signed_in_to_by_its_own_spelling() -> None:
    """Hazard 64: a user name with a slash or a backslash arrives as it was typed."""
    for username in ("ana@corp.test/shared", "corp.test\\ana\\shared"):
        with Scripted(replies(GREETING, SIGNED_IN)) as server:
            enter(server, login=Login(username, "x")).close()

        assert server.heard[0] == b"A1 AUTHENTICATE PLAIN " + base64.b64encode(f"\0{username}\0x".encode())


# STARTTLS (R59).

OFFER = b"* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR] hi\r\n"


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (replies(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"), "no-starttls"),
        (replies(b"* OK hi\r\n", (b"CAPABILITY", b"* CAPABILITY IMAP4rev1\r\nTAG OK\r\n")), "no-starttls"),
        (replies(OFFER, (b"STARTTLS", b"TAG NO not now\r\n")), "no-starttls"),
        (replies(OFFER, (b"STARTTLS", b"TAG BAD what\r\n")), "no-starttls"),
        (replies(b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n"), "no-starttls"),
        (replies(OFFER, (b"STARTTLS", b"TAG OK go\r\n* OK [ALERT] injected\r\n")), "protocol"),
        (replies(OFFER, (b"STARTTLS", b"TAG OK go\r\nA2 OK [CAPABILITY X] injected\r\n")), "protocol"),
        (replies(OFFER, (b"STARTTLS", b"TAG OK go\r\n* CAPA")), "protocol"),
        (replies(OFFER, (b"STARTTLS", b"* BYE [ALERT] call this number\r\n")), None),
        (replies(OFFER, (b"STARTTLS", b"TAG OK go\r\nnot a handshake at all\r\n")), "protocol"),
    ],
)
def test_without_tls_no_password_is_said(script: Script, cause: str | None) -> None:
    with Scripted(script) as server:
        with pytest.raises(TryLater) as failure:
            enter(server, Security.STARTTLS)

        assert getattr(failure.value, "cause", None) == cause
        assert not any(secret in line for line in server.heard for secret in SECRETS)


def _starttls(files: tuple[Path, Path], before: bytes, after: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.say(before)
        tag, _ = peer.ask()
        peer.say(tag + b" OK go\r\n")
        peer.secure(files)
        replies(b"", (b"CAPABILITY", b"* CAPABILITY " + after + b"\r\nTAG OK\r\n"), SIGNED_IN)(peer)

    return script


def test_what_was_said_before_tls_is_forgotten(tmp_path: Path) -> None:
    """Hazard 65."""
    files = certificate(tmp_path, "localhost")
    script = _starttls(files, OFFER, b"IMAP4rev1 LOGINDISABLED")
    with Scripted(script) as server:
        with pytest.raises(Unreachable) as failure:
            enter(server, Security.STARTTLS)
        shown = failure.value.certificate
        assert shown
        with pytest.raises(SignInAgain):
            enter(server, Security.STARTTLS, shown.sha256)

    assert (failure.value.cause, failure.value.detail) == ("certificate", "self-signed")
    assert {line.partition(b" ")[2] for line in server.heard} == {b"STARTTLS", b"CAPABILITY"}


def test_starttls_signs_in_under_the_certificate_that_was_allowed(tmp_path: Path) -> None:
    files = certificate(tmp_path, "localhost")
    with Scripted(_starttls(files, OFFER, b"IMAP4rev1 AUTH=PLAIN SASL-IR")) as server:
        with pytest.raises(Unreachable) as failure:
            enter(server, Security.STARTTLS)
        shown = failure.value.certificate
        assert shown
        enter(server, Security.STARTTLS, shown.sha256).close()

    assert any(SECRETS[1] in line for line in server.heard)


# Folders and messages.


@pytest.mark.parametrize("name", [b"x\r\nA9 DELETE y", b"x\ny", b"x\ry", b"x\0y", b"x" * 9000])
def test_a_folder_name_cannot_smuggle_a_command(name: bytes) -> None:
    with contextlib.ExitStack() as stack:
        provider, server = mailbox(stack)
        with pytest.raises(Refused):
            provider.look(name, None, UidSet())

        assert len(server.heard) == 1


def test_several_lines_about_a_message_are_one_and_gossip_is_ignored() -> None:
    """Hazards 16 and 19: what nobody asked for comes in between, even an EXPUNGE."""
    fetched = (
        b"* 1 FETCH (FLAGS (\\Answered))\r\n* 9 FETCH (UID 99 FLAGS (\\Seen))\r\n"
        b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n* 4 EXISTS\r\n* 3 EXPUNGE\r\n"
        b'* 2 FETCH (UID 2 RFC822.SIZE 12 INTERNALDATE "1-Jan-2024 00:00:00 +0000")\r\nTAG OK\r\n'
    )
    with contextlib.ExitStack() as stack:
        provider, _ = mailbox(stack, SELECTED, (b"UID FETCH", fetched))
        [meta] = provider.metas(b"INBOX", UidSet.of([2]))

    assert (meta.uid, meta.size, meta.internal_date.year) == (2, 12, 2024)
    assert meta.flags == {"\\Seen"}


@pytest.mark.parametrize("validity", [b"", b"* OK [UIDVALIDITY 0] x\r\n", b"* OK [UIDVALIDITY 6] x\r\n"])
def test_a_uidvalidity_that_is_missing_zero_or_smaller_starts_over(validity: bytes) -> None:
    """Hazard 2."""
    with contextlib.ExitStack() as stack:
        provider, _ = mailbox(stack, (b"SELECT", b"* 0 EXISTS\r\n" + validity + b"TAG OK\r\n"))
        with pytest.raises(StartOver):
            provider.look(b"INBOX", Bookmark(7, 4), UidSet())


def test_without_uidnext_the_search_says_where_to_go_on() -> None:
    """Hazards 5 and 7."""
    select = (b"SELECT", b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\nTAG OK\r\n")
    with contextlib.ExitStack() as stack:
        provider, server = mailbox(
            stack, select, (b"UID SEARCH", b"* SEARCH 4 6\r\nTAG OK\r\n"),
            (b"UID FETCH", b"* 1 FETCH (UID 4 FLAGS (\\Seen))\r\nTAG OK\r\n"),
        )  # fmt: skip
        look = provider.look(b"INBOX", Bookmark(7, 5), UidSet.of([3, 4]))

    assert (look.bookmark.uidnext, str(look.arrived), look.vanished) == (7, "6", UidSet())
    assert not any(b"*" in line for line in server.heard)


@pytest.mark.parametrize("answer", [b"TAG OK\r\n", b"* SEARCH 1\r\nTAG OK\r\n"])
def test_silence_is_no_evidence_that_anything_vanished(answer: bytes) -> None:
    with contextlib.ExitStack() as stack:
        provider, _ = mailbox(stack, SELECTED, (b"UID SEARCH", answer), (b"UID FETCH", b"TAG OK\r\n"))
        look = provider.look(b"INBOX", Bookmark(7, 4), UidSet.span(1, 2))

    assert (look.vanished, look.flags) == (UidSet(), {})


@pytest.mark.parametrize("answer", [b"TAG NO cannot\r\n", b"TAG BAD what\r\n"])
def test_a_look_that_was_not_answered_is_no_look(answer: bytes) -> None:
    with contextlib.ExitStack() as stack:
        provider, _ = mailbox(stack, SELECTED, (b"UID SEARCH", answer), (b"UID FETCH", answer))
        with pytest.raises(Refused):
            provider.look(b"INBOX", Bookmark(7, 4), UidSet.span(1, 2))


def test_one_message_the_server_cannot_give_does_not_take_the_others_along() -> None:
    def script(peer: Peer) -> None:
        peer.say(GREETING)
        while True:
            tag, rest = peer.ask()
            if rest.startswith(b"UID FETCH 1:3"):
                peer.say(b"* 1 FETCH (UID 1 BODY[] {1}\r\na)\r\n" + tag + b" NO some could not be read\r\n")
            elif rest.startswith(b"UID FETCH 3"):
                peer.say(b"* 3 FETCH (UID 3 BODY[] {1}\r\nc)\r\n" + tag + b" OK\r\n")
            elif rest.startswith(b"UID FETCH"):
                peer.say(tag + b" NO broken\r\n")
            else:
                wire = SIGNED_IN if rest.startswith(b"AUTH") else SELECTED
                peer.say(wire[1].replace(b"TAG", tag))

    with Scripted(script) as server:
        provider = enter(server)
        got = {message.uid: message.raw for message in provider.fetch(b"INBOX", UidSet.span(1, 3))}
        provider.close()

    assert got == {1: b"a", 3: b"c"}


def test_a_goodbye_in_the_middle_means_later() -> None:
    with contextlib.ExitStack() as stack:
        provider, _ = mailbox(stack, SELECTED, (b"UID SEARCH", b"* SEARCH 1 2\r\n* BYE AccessTokenExpired\r\n"))
        with pytest.raises(TryLater) as failure:
            provider.look(b"INBOX", None, UidSet())
        with pytest.raises(Unreachable):
            provider.look(b"INBOX", None, UidSet())

    assert failure.value.said == "AccessTokenExpired"


def too_large(line: bytes) -> Script:
    """A message that is small until it comes."""

    def play(peer: Peer) -> None:
        peer.say(GREETING)
        while True:
            tag, rest = peer.ask()
            if rest.startswith(b"UID FETCH") and b"BODY" in rest:
                peer.say(b"* 1 FETCH (UID 1 BODY[] {1}\r\na)\r\n" + line)
            elif rest.startswith(b"UID FETCH"):
                for uid in (1, 2, 3):
                    date = b'"01-Jan-2024 00:00:00 +0000"'
                    peer.say(b"* %d FETCH (UID %d FLAGS () INTERNALDATE %b RFC822.SIZE 9)\r\n" % (uid, 10 + uid, date))
                peer.say(tag + b" OK\r\n")
            else:
                wire = SIGNED_IN if rest.startswith(b"AUTH") else SELECTED
                peer.say(wire[1].replace(b"TAG", tag))

    return play


@pytest.mark.parametrize(
    "line",
    [b"* 2 FETCH (UID 12 BODY[] {4000000000}\r\n", b"* 2 FETCH (BODY[] {4000000000}\r\n"],
    ids=["uid", "position"],
)
def test_a_message_that_is_larger_than_it_was_said_to_be_is_named(line: bytes) -> None:
    """Hazard 58: so that it alone is left out. A server may say the UID after the bytes, which never come to an end."""
    with Scripted(too_large(line)) as server:
        provider = enter(server)
        metas = list(provider.metas(b"INBOX", UidSet.span(11, 13)))
        with pytest.raises(Refused) as failure:
            list(provider.fetch(b"INBOX", UidSet.span(11, 13)))

    assert [meta.size for meta in metas] == [9, 9, 9]
    assert failure.value.uid == 12


def test_asked_for_alone_a_message_that_is_too_large_needs_no_name() -> None:
    """Hazard 58."""
    with Scripted(too_large(b"* 2 FETCH (BODY[] {4000000000}\r\n")) as server, pytest.raises(Refused) as failure:
        list(enter(server).fetch(b"INBOX", UidSet.of([12])))

    assert failure.value.uid == 12


def test_a_server_that_sends_a_little_at_a_time_is_given_up() -> None:
    """Hazard 59: every octet comes within the timeout, and the answer never."""

    def script(peer: Peer) -> None:
        peer.say(GREETING)
        tag, _ = peer.ask()
        peer.say(SIGNED_IN[1].replace(b"TAG", tag))
        peer.line()
        for _ in range(1000):
            peer.say(b"*")
            peer.socket.settimeout(0.02)
            with contextlib.suppress(TimeoutError):
                peer.line()

    with Scripted(script) as server:
        provider = enter(server, timeout=0.05)
        with pytest.raises(Unreachable) as failure:
            provider.look(b"INBOX", None, UidSet())

    assert failure.value.cause == "timeout"


def test_some_want_to_know_who_is_there_before_anything_else() -> None:
    """Hazard 63: ID is said though it is not offered, and its answer awaited."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            Scripted(
                replies(
                    GREETING, SIGNED_IN, (b"ID", b"* ID NIL\r\nTAG OK\r\n"), SELECTED, (b"UID FETCH", b"TAG OK\r\n")
                )
            )
        )
        endpoint, policy = (
            Endpoint(server.host, server.port, Security.NONE),
            net.Policy.allowing((server.host, server.port)),
        )
        provider = sign_in(endpoint, ANA, policy=policy, timeout=3, profile=Profile(id_first=True, keepalive=180))
        stack.callback(provider.close)
        provider.look(b"INBOX", Bookmark(7, 4), UidSet.span(1, 3))

    assert [line.split()[1] for line in server.heard[1:3]] == [b"ID", b"SELECT"]


def test_a_list_without_inbox_has_one_and_a_server_that_cannot_extend_it_lists_plainly() -> None:
    """Hazards 35, 36 and 39: no delimiter, a folder that only holds others, one that is not there."""
    listing = b'* LIST (\\NonExistent) NIL Gone\r\n* LIST (\\Noselect) NIL Box\r\n* LIST () NIL "a/b"\r\nTAG OK\r\n'
    signed_in = (b"AUTHENTICATE", b"TAG OK [CAPABILITY IMAP4rev1 LIST-EXTENDED LIST-STATUS SPECIAL-USE] in\r\n")
    answers = [(b'LIST "" "*" RETURN', b"TAG BAD what\r\n"), (b"LIST", listing)]
    with Scripted(replies(GREETING, signed_in, *answers)) as server:
        provider = enter(server)
        folders = {folder.wire: folder for folder in provider.folders()}
        provider.close()

    assert set(folders) == {b"INBOX", b"Gone", b"Box", b"a/b"}
    assert {wire for wire, folder in folders.items() if folder.selectable} == {b"INBOX", b"a/b"}
    assert {folder.delimiter for folder in folders.values()} == {""}
    assert folders[b"INBOX"].role.value == "inbox"


@pytest.mark.parametrize(
    ("enabled", "spelled"),
    [(b"* ENABLED UTF8=ACCEPT\r\n", "Entwürfe".encode()), (b"", b"Entw&APw-rfe")],
    ids=["echoed", "not"],
)
def test_names_are_utf8_where_the_server_says_so_and_the_key_stays(enabled: bytes, spelled: bytes) -> None:
    """Hazard 37: ENABLE says what is wanted, ENABLED what there is."""
    signed_in = (b"AUTHENTICATE", b"TAG OK [CAPABILITY IMAP4rev1 ENABLE UTF8=ACCEPT] in\r\n")
    enable = (b"ENABLE UTF8=ACCEPT", enabled + b"TAG OK\r\n")
    listing = (b"LIST", b'* LIST () "/" "%b"\r\nTAG OK\r\n' % spelled)
    with Scripted(
        replies(GREETING, signed_in, enable, listing, SELECTED, (b"UID", b"* SEARCH 1 2 3\r\nTAG OK\r\n"))
    ) as server:
        provider = enter(server)
        folder = next(folder for folder in provider.folders() if folder.wire != b"INBOX")
        provider.look(folder.wire, None, UidSet())
        provider.close()

    assert (folder.wire, folder.name) == (b"Entw&APw-rfe", "Entwürfe")
    selected = next(line for line in server.heard if b"SELECT" in line)
    assert selected.endswith(b"SELECT " + (b'"%b"' % spelled if enabled else spelled))


QRESYNC = (b"AUTHENTICATE", b"TAG OK [CAPABILITY IMAP4rev1 ENABLE CONDSTORE QRESYNC] in\r\n")
ENABLED = (b"ENABLE", b"* ENABLED CONDSTORE QRESYNC\r\nTAG OK\r\n")
NUMBERS = b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n* OK [HIGHESTMODSEQ 9] x\r\nTAG OK done\r\n"
EMPTY_LIST = (b"LIST", b"TAG OK\r\n")


def test_a_server_that_does_not_understand_its_own_extension_is_asked_plainly() -> None:
    """Hazard 26: ENABLED, and BAD when it is used; once is enough for a connection."""
    answers = [QRESYNC, ENABLED, EMPTY_LIST, (b"SELECT INBOX (QRESYNC", b"TAG BAD what\r\n"), (b"SELECT", NUMBERS % 3)]
    with Scripted(replies(GREETING, *answers, (b"UID FETCH", b"TAG OK\r\n"))) as server:
        provider = enter(server)
        provider.folders()
        looks = [provider.look(b"INBOX", Bookmark(7, 4, 8), UidSet.span(1, 3)) for _ in range(2)]
        provider.close()

    assert [look.bookmark for look in looks] == [Bookmark(7, 4, 9)] * 2
    assert [line.split(b" ", 1)[1] for line in server.heard if b"SELECT" in line] == [
        b"SELECT INBOX (QRESYNC (7 8 1:3))", b"SELECT INBOX (CONDSTORE)", b"SELECT INBOX (CONDSTORE)"
    ]  # fmt: skip


def test_wrong_tales_of_what_vanished_are_found_out_and_soon_not_listened_to() -> None:
    """The coverage equation: two messages are gone, one is told of; the second time the connection is believed no more."""
    select = (b"SELECT INBOX (QRESYNC", b"* VANISHED (EARLIER) 1,77\r\n" + NUMBERS % 1)
    answers = [
        QRESYNC,
        ENABLED,
        EMPTY_LIST,
        select,
        (b"SELECT", NUMBERS % 1),
        (b"UID SEARCH", b"* SEARCH 3\r\nTAG OK\r\n"),
    ]
    with Scripted(replies(GREETING, *answers, (b"UID FETCH", b"TAG OK\r\n"))) as server:
        provider = enter(server)
        provider.folders()
        first = provider.look(b"INBOX", Bookmark(7, 4, 8), UidSet.span(1, 3))
        second = provider.look(b"INBOX", Bookmark(7, 4, 8, first.bookmark.doubts), UidSet.span(1, 3))
        third = provider.look(b"INBOX", Bookmark(7, 4, 8), UidSet.span(1, 3))
        provider.close()

    assert {str(look.vanished) for look in (first, second, third)} == {"1:2"}
    assert [look.bookmark.doubts for look in (first, second, third)] == [1, 2, 0]
    assert [b"QRESYNC" in line for line in server.heard if b"SELECT" in line] == [True, True, False]


def test_what_is_said_of_the_folder_before_is_not_about_this_one() -> None:
    """RFC 7162, 3.2.11: up to CLOSED, everything is about the folder that was open."""
    late = b"* 1 FETCH (UID 1 FLAGS (\\Deleted))\r\n* OK [CLOSED] x\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n"
    answers = [QRESYNC, ENABLED, EMPTY_LIST, (b"SELECT INBOX (QRESYNC", late + NUMBERS % 3), (b"SELECT", NUMBERS % 0)]
    with Scripted(replies(GREETING, *answers)) as server:
        provider = enter(server)
        provider.folders()
        provider.look(b"Sent", None, UidSet())
        look = provider.look(b"INBOX", Bookmark(7, 4, 8), UidSet.span(1, 3))
        provider.close()

    assert look.flags == {2: frozenset({"\\Seen"})}


def test_other_peoples_folders_stay_out_of_every_list() -> None:
    """Hazards 35 and 43: NAMESPACE is asked once; a prefix is one without its delimiter too, and no mere beginning."""
    listing = (
        b'* LIST () "/" INBOX\r\n* LIST (\\Noselect) "/" user\r\n* LIST () "/" user/boss\r\n* LIST () "/" username\r\n'
        b'* LIST () "." "#shared.all"\r\nTAG OK\r\n'
    )
    namespace = (b"NAMESPACE", b'* NAMESPACE (("" "/")) (("user/" "/")) (("#shared." "."))\r\nTAG OK\r\n')
    signed_in = (b"AUTHENTICATE", b"TAG OK [CAPABILITY IMAP4rev1 NAMESPACE] in\r\n")
    with Scripted(replies(GREETING, signed_in, namespace, (b"LIST", listing))) as server:
        provider = enter(server)
        lists = [[folder.name for folder in provider.folders()] for _ in range(2)]
        provider.close()

    assert lists == [["INBOX", "username"]] * 2


def test_other_peoples_folders_stay_out_and_a_role_is_given_once() -> None:
    listing = (
        b'* LIST () "." inbox\r\n* LIST (\\Sent) "." "INBOX.Gesendet"\r\n* LIST () "." INBOX.Sent\r\n'
        b'* LIST (\\Noselect) "." INBOX.&AMQ-rger\r\n* LIST () "." "INBOX.Entw&APw-rfe"\r\n'
        b'* LIST () "." shared.boss.Sent\r\n* LIST () "." {9}\r\nINBOX.a b\r\nTAG OK\r\n'
    )
    namespace = (b"NAMESPACE", b'* NAMESPACE (("INBOX." ".")) NIL (("shared." "."))\r\nTAG OK\r\n')
    signed_in = (b"AUTHENTICATE", b"TAG OK [CAPABILITY IMAP4rev1 NAMESPACE] in\r\n")
    with Scripted(replies(GREETING, signed_in, namespace, (b"LIST", listing))) as server:
        provider = enter(server)
        folders = {folder.name: folder for folder in provider.folders()}
        provider.close()

    assert {name: folder.role.value for name, folder in folders.items()} == {
        "INBOX": "inbox", "INBOX.Gesendet": "sent", "INBOX.Sent": "", "INBOX.Ärger": "", "INBOX.Entwürfe": "drafts",
        "INBOX.a b": "",
    }  # fmt: skip
    assert folders["INBOX"].wire == b"INBOX"
    assert not folders["INBOX.Ärger"].selectable


# Memory.

VICTIM = """
    import resource, sys
    from rapport import net
    from rapport.providers.contract import Endpoint, Login, Pace, Security
    from rapport.providers.errors import ProviderError
    from rapport.providers.imap import sign_in
    from rapport.providers.uids import UidSet

    port = int(sys.argv[1])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mailbox = None
    try:
        policy = net.Policy.allowing(("127.0.0.1", port))
        here, slow = Endpoint("127.0.0.1", port, Security.NONE), Pace(10_000_000, 10.0)
        mailbox = sign_in(here, Login("ana", "x"), policy=policy, timeout=10, pace=slow)
        for _ in mailbox.fetch(b"INBOX", UidSet.span(1, 5000)):
            pass
    except ProviderError as error:
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        print(type(error).__name__, grown // 1024)
"""


def _flood(peer: Peer, chunk: bytes) -> None:
    for _ in range(300):
        peer.say(chunk)


def _after_select(body: bytes, flood: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.say(GREETING)
        for _, answer in (SIGNED_IN, SELECTED):
            tag, _ = peer.ask()
            peer.say(answer.replace(b"TAG", tag))
        peer.line()
        peer.say(body)
        _flood(peer, flood)

    return script


def _copies(peer: Peer) -> None:
    """One message of a megabyte, under hundreds of UIDs."""
    _after_select(b"", b"")(peer)
    for uid in range(1, 301):
        peer.say(b"* %d FETCH (UID %d BODY[] {1000000}\r\n" % (uid, uid) + b"x" * 1_000_000 + b")\r\n")
    peer.say(b"* BYE enough\r\n")


def _bomb(peer: Peer) -> None:
    """A few kilobytes that are 300 MB of one line, once both sides pack."""
    peer.say(GREETING)
    tag, _ = peer.ask()
    peer.say(tag + b" OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] in\r\n")
    tag, _ = peer.ask()
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(b"* OK ") + b"".join(packer.compress(b"x" * 1_000_000) for _ in range(300))
    peer.say(tag + b" OK go\r\n" + packed + packer.flush(zlib.Z_SYNC_FLUSH))
    peer.line()


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (_copies, "TryLater"),
        (_bomb, "Unreachable"),
        (lambda peer: _flood(peer, b"* OK " + b"x" * 1_000_000), "Unreachable"),
        (_after_select(b"* 1 FETCH (UID 1 BODY[] {2000000000}\r\n", b"x" * 1_000_000), "Refused"),
        (_after_select(b"* LIST () NIL {2000000000}\r\n", b"x" * 1_000_000), "Unreachable"),
        (_after_select(b"* SEARCH ", b"1 22 333 " * 100_000), "Unreachable"),
        (_after_select(b"* 1 FETCH (", b"(" * 1_000_000), "Unreachable"),
    ],
    ids=["copies", "bomb", "line", "message", "literal", "search", "nesting"],
)
def test_memory_stays_small_whatever_is_sent(script: Script, error: str) -> None:
    """Hazards 20 and 54."""
    with Scripted(script) as server:
        command = [sys.executable, "-c", textwrap.dedent(VICTIM), str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, cwd=Path.cwd())

    name, grown = done.stdout.split()
    assert name == error
    assert int(grown) < 30
