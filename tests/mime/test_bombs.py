"""One hostile sender never stops a mailbox (R61, R62): every bomb within its limits, and the next mail right after it."""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from rapport.mime.child import Parsers
from rapport.mime.message import Unreadable
from tests.mime.bombs import BOMBS

HUGE = b"\n" + bytes(49_000_000)
MAIL = b"From: ana@rapport.test\r\nSubject: Next\r\n\r\nHello.\r\n"


@pytest.fixture(scope="module")
def parsers() -> Iterator[Parsers]:
    with Parsers(1) as running:
        yield running


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_in_little_time(name: str, parsers: Parsers) -> None:
    started = time.monotonic()

    parsers.parse(BOMBS[name])

    assert time.monotonic() - started < 8


def test_what_was_cut_is_said(parsers: Parsers) -> None:
    read = parsers.parse(BOMBS["flat parts"])

    assert read.partly == ("Only the first 1000 parts were read.",)


def test_the_octets_of_an_attachment_come_back(parsers: Parsers) -> None:
    raw = b"Content-Type: application/zip\nContent-Transfer-Encoding: base64\n\n" + b"QUJD" * 400_000

    assert parsers.attachment(raw, 0) == b"ABC" * 400_000
    with pytest.raises(Unreadable, match="no part 7"):
        parsers.attachment(raw, 7)


def test_a_child_that_takes_too_long_is_replaced_at_once() -> None:
    with Parsers(1, wall=0.05) as hasty:
        hasty.parse(MAIL)
        with pytest.raises(Unreadable, match="longer than"):
            hasty.parse(BOMBS["unclosed fonts"])
        started = time.monotonic()

        read = hasty.parse(MAIL)

    assert read.subject == "Next"
    assert time.monotonic() - started < 5


def test_a_child_that_wants_too_much_memory_is_replaced() -> None:
    with Parsers(1, memory=60_000_000) as parsers:
        with pytest.raises(Unreadable, match="memory"):
            parsers.parse(HUGE)

        assert parsers.parse(MAIL).subject == "Next"


def test_one_mail_that_fails_among_many_takes_none_of_them_with_it() -> None:
    mails = [MAIL.replace(b"Next", b"Mail %d" % i) for i in range(10)]

    with Parsers(2, memory=60_000_000) as parsers:
        read = list(parsers.parse_all([*mails[:5], HUGE, *mails[5:]]))

    assert [one.subject if not isinstance(one, Unreadable) else str(one) for one in read] == [
        *[f"Mail {i}" for i in range(5)],
        "Reading it needed too much memory.",
        *[f"Mail {i}" for i in range(5, 10)],
    ]


def test_the_largest_mail_is_read_in_the_memory_there_is(parsers: Parsers) -> None:
    head = b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"

    read = parsers.parse(head + (b"QUJD" * 18 + b"\r\n") * 700_000)

    assert read.partly == ("Only the first 50 MB were read.",)
    assert read.attachments[0].size > 36_000_000


def test_a_child_ends_when_nobody_is_left_to_ask_it() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "rapport.mime.reader"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert child.stdin

    child.stdin.close()

    assert child.wait(20) == 0


def test_many_mails_come_back_in_order_and_trouble_in_its_place() -> None:
    mails = [MAIL.replace(b"Next", b"Mail %d" % i) for i in range(100)]

    with Parsers(2) as parsers:
        read = list(parsers.parse_all(mails))

    assert [one.subject for one in read if not isinstance(one, Unreadable)] == [f"Mail {i}" for i in range(100)]
