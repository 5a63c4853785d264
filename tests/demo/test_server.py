"""The demo's mail server is a real one: IMAP and SMTP that keep what they are given."""

import hashlib
import imaplib
import json
import re
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from rapport.demo.firm import INFO, PASSWORD, SALES, Letter, letters
from rapport.demo.maildirs import write

LOOPBACK = "127.0.0.1"
MAIL = b"From: somebody@world.example\r\nSubject: Hello\r\nX-Fold: a\r\n  b\r\n\r\nFrom here on\r\n.dot\r\n"
Kept = dict[int, tuple[bytes, str, datetime]]
"""By UID: the flags, the sum of the bytes, and when it came."""


@dataclass(frozen=True)
class Running:
    """A server at work."""

    home: Path
    imap: int
    smtp: int
    process: "subprocess.Popen[str]"
    seconds: float

    @contextmanager
    def signed_in(self, mailbox: str = SALES) -> Iterator[imaplib.IMAP4]:
        """An IMAP session, hung up without a goodbye: a test may end it in the middle of IDLE."""
        client = imaplib.IMAP4(LOOPBACK, self.imap, timeout=10)
        try:
            client.login(mailbox, PASSWORD)
            yield client
        finally:
            client.shutdown()

    @contextmanager
    def submitting(self, mailbox: str = SALES) -> Iterator[smtplib.SMTP]:
        """An SMTP session."""
        with smtplib.SMTP(LOOPBACK, self.smtp, timeout=10) as client:
            client.login(mailbox, PASSWORD)
            yield client


def _command(home: Path, imap: int, smtp: int, *more: str) -> list[str]:
    ports = ["--imap-port", str(imap), "--smtp-port", str(smtp)]
    return [sys.executable, "-m", "rapport.demo.server", "--home", str(home), *ports, *more]


@contextmanager
def _running(home: Path, *more: str) -> Iterator[Running]:
    (imap, smtp), started = _free_ports(), monotonic()
    process = subprocess.Popen(_command(home, imap, smtp, *more), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline() == "ready\n"
        try:
            yield Running(home, imap, smtp, process, monotonic() - started)
        finally:
            process.terminate()
            process.wait(10)


def _free_ports() -> tuple[int, int]:
    with socket.create_server((LOOPBACK, 0)) as one, socket.create_server((LOOPBACK, 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for the tests of this file: each looks at what it put there itself."""
    with _running(tmp_path_factory.mktemp("demo")) as running:
        yield running


def _kept(client: imaplib.IMAP4, folder: str) -> Kept:
    client.select(folder, readonly=True)
    _, answers = client.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
    return dict(_told(answer[0], answer[1]) for answer in answers if isinstance(answer, tuple))


def _told(head: bytes, raw: bytes) -> tuple[int, tuple[bytes, str, datetime]]:
    found = re.search(rb"UID (?P<uid>\d+)", head)
    flags, date = re.search(rb"FLAGS \((.*?)\)", head), re.search(rb'INTERNALDATE "(.*?)"', head)
    assert found
    assert flags
    assert date
    when = datetime.strptime(date[1].decode(), "%d-%b-%Y %H:%M:%S %z")
    return int(found["uid"]), (flags[1], hashlib.sha256(raw).hexdigest(), when)


def _written(home: Path, mailbox: str) -> list[Letter]:
    born = datetime.fromisoformat((home / "mail" / "born").read_text())
    return [letter for letter in letters(born) if letter.mailbox == mailbox]


def test_every_letter_comes_back_byte_for_byte_with_its_date_and_flags(server: Running) -> None:
    letters_of_info = _written(server.home, INFO)

    with server.signed_in(INFO) as client:
        for folder in ("Archive", "Sent", "Drafts", "Junk", "Quotes"):
            expected = [letter for letter in letters_of_info if letter.folder == folder]
            kept = _kept(client, folder)

            assert list(kept) == list(range(1, len(expected) + 1))
            assert [sums for _, sums, _ in kept.values()] == [
                hashlib.sha256(letter.raw).hexdigest() for letter in expected
            ]
            assert [when for *_, when in kept.values()] == [
                letter.internal_date.replace(microsecond=0) for letter in expected
            ]
            assert [set(flags.decode().split()) - {"\\Recent"} for flags, *_ in kept.values()] == [
                set(letter.flags) for letter in expected
            ]


def test_it_has_the_folders_every_mailbox_has(server: Running) -> None:
    with server.signed_in() as client:
        _, listed = client.list()

    names = {line.rsplit(b" ", 1)[-1].decode() for line in listed if isinstance(line, bytes)}
    assert names == {"INBOX", "Archive", "Drafts", "Junk", "Quotes", "Sent", "Trash"}


def test_a_search_since_a_day_finds_what_came_since(server: Running) -> None:
    day = datetime.fromisoformat((server.home / "mail" / "born").read_text()) - timedelta(days=30)

    with server.signed_in(INFO) as client:
        kept = _kept(client, "Sent")
        _, found = client.uid("SEARCH", "SINCE", day.strftime("%d-%b-%Y"))

    assert [int(uid) for uid in found[0].split()] == [
        uid for uid, (*_, when) in kept.items() if when.date() >= day.date()
    ]


def test_a_wrong_password_is_refused(server: Running) -> None:
    with imaplib.IMAP4(LOOPBACK, server.imap, timeout=10) as client, pytest.raises(imaplib.IMAP4.error):
        client.login(SALES, "something else")
    with smtplib.SMTP(LOOPBACK, server.smtp, timeout=10) as sender, pytest.raises(smtplib.SMTPAuthenticationError):
        sender.login(SALES, "something else")


def test_who_waits_hears_of_a_delivery_within_two_seconds(server: Running) -> None:
    with server.signed_in() as client, server.submitting() as sender:
        client.select("INBOX")
        client.send(b"a1 IDLE\r\n")
        client.readline()
        sent = monotonic()
        sender.sendmail(SALES, [SALES], MAIL)
        heard = client.readline()
        waited = monotonic() - sent

    assert re.fullmatch(rb"\* \d+ EXISTS\r\n", heard)
    assert waited < 3  # two, and one for a busy machine


def test_a_delivered_mail_keeps_its_bytes(server: Running) -> None:
    with server.submitting() as sender:
        sender.sendmail(SALES, [INFO], MAIL.replace(b"Hello", b"Once"))

    with server.signed_in(INFO) as client:
        client.select("INBOX", readonly=True)
        _, found = client.uid("SEARCH", "SUBJECT", "Once")
        _, fetched = client.uid("FETCH", found[0].decode(), "(BODY.PEEK[])")
    assert isinstance(fetched[0], tuple)
    assert fetched[0][1].endswith(MAIL.replace(b"Hello", b"Once"))


def test_appended_copied_and_moved_mail_keeps_its_bytes(server: Running) -> None:
    with server.signed_in() as client:
        client.append("Sent", "(\\Seen)", None, MAIL)  # type: ignore[arg-type]  # typeshed wants a date, IMAP does not
        last = max(_kept(client, "Sent"))
        client.select("Sent")
        client.uid("COPY", str(last), "Trash")
        client.uid("MOVE", str(last), "Junk")
        kept = [list(_kept(client, folder).values())[-1] for folder in ("Trash", "Junk")]
        gone = last not in _kept(client, "Sent")

    assert [sums for _, sums, _ in kept] == [hashlib.sha256(MAIL).hexdigest()] * 2
    assert gone


def test_mail_to_the_world_is_written_down_and_kept_nowhere(server: Running) -> None:
    with server.submitting() as sender:
        sender.sendmail(SALES, ["ines.carvalho@lumenstudio.example"], MAIL)

    entries = (server.home / "sent-to-the-world.log").read_text().splitlines()
    assert json.loads(entries[-1])["to"] == ["ines.carvalho@lumenstudio.example"]


def test_an_address_that_does_not_exist_is_refused(server: Running) -> None:
    with server.submitting() as sender:
        refused = [
            sender.docmd("MAIL FROM:<sales@alderfinch.example>"),
            sender.docmd("RCPT TO:<kwame@osei-construct.example>"),
        ]

    assert refused[1][0] == 550


def test_who_is_not_signed_in_may_not_write_to_the_world(server: Running) -> None:
    with smtplib.SMTP(LOOPBACK, server.smtp, timeout=10) as sender:
        sender.ehlo()
        sender.mail("somebody@world.example")

        assert sender.rcpt("ines.carvalho@lumenstudio.example")[0] == 530
        assert sender.rcpt(SALES)[0] == 250


def test_a_port_in_use_is_refused_in_one_sentence(server: Running, tmp_path: Path) -> None:
    _, free = _free_ports()

    told = subprocess.run(_command(tmp_path, server.imap, free), capture_output=True, text=True, check=False)

    assert told.returncode == 1
    assert told.stderr == f"Port {server.imap} is in use: stop what uses it, or choose another with --imap-port.\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A home with a handful of letters, which starts at once."""
    now = datetime.now().astimezone()
    letter = Letter(SALES, "INBOX", ("\\Seen",), now - timedelta(hours=1), MAIL)
    write(tmp_path / "mail", [letter, replace(letter, raw=MAIL + b"again\r\n", flags=())])
    (tmp_path / "mail" / "born").write_text(now.isoformat())
    return tmp_path


def test_flags_and_uids_survive_a_restart(small: Path) -> None:
    with _running(small) as first, first.signed_in() as client:
        client.select("INBOX")
        client.uid("STORE", "1", "+FLAGS", "(\\Flagged)")
        before, validity = _kept(client, "INBOX"), client.response("UIDVALIDITY")
        waiting = first.process

    with _running(small) as second, second.signed_in() as client:
        after = _kept(client, "INBOX")

        assert b"\\Flagged" in after[1][0]
        assert after == before
        assert client.response("UIDVALIDITY") == validity
    assert waiting.returncode == 0


def test_a_living_mailbox_gets_mail_by_itself_and_stops_at_once(small: Path) -> None:
    with _running(small, "--living", "0.3") as running, running.signed_in() as client:
        client.select("INBOX")
        client.send(b"a1 IDLE\r\n")
        client.readline()
        heard = client.readline()
        started = monotonic()
        running.process.send_signal(signal.SIGINT)

        assert running.process.wait(5) == 0
        assert monotonic() - started < 4
        assert b"EXISTS" in heard
