"""What Outlook packs into winmail.dat: taken apart whatever is wrong with it, and never more than it is."""

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.mime.message import Unreadable
from rapport.mime.parse import attachment, parse
from rapport.mime.rtf import decompressed, to_html_or_text
from rapport.mime.tnef import SIGNATURE, unpack
from tests.mime.packages import (
    BINARY,
    HELLO_WORLD,
    LONG,
    OBJECT,
    OVER_ITSELF,
    UNICODE,
    attribute,
    body,
    file,
    message,
    text,
    winmail,
)

PICTURE = file(b"LOGO.PNG", b"png", (UNICODE, 0x3707, text("logo of the firm.png")), (UNICODE, 0x3712, text("logo@1")))
PACKAGE = winmail(
    body(b"Hello"),
    message(
        (LONG, 0x0E17, b"\1\0\0\0"), (UNICODE, 0x8508, text("x")), (BINARY, 0x1013, b"<p>Hello <img src=cid:logo@1>")
    ),
    file(b"OFFER.PDF", b"%PDF-", (UNICODE, 0x370E, text("application/pdf"))),
    PICTURE,
    file(b"Pasted", b"", (OBJECT, 0x3701, b"\7" * 16 + b"object")),
)


def mail(package: bytes, *before: bytes) -> bytes:
    head = b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
    parts = [*before, head + base64.encodebytes(package)]
    return (
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"".join(b"--b\n" + part + b"\n" for part in parts)
        + b"--b--\n"
    )


def test_files_come_out_with_their_names_and_their_octets_can_be_asked_for() -> None:
    raw = mail(PACKAGE)

    files = parse(raw).attachments

    assert [(one.name, one.type, one.size, one.inline) for one in files] == [
        ("OFFER.PDF", "application/pdf", 5, False),
        ("logo of the firm.png", "image/png", 3, True),
        ("Pasted", "application/octet-stream", 6, False),
    ]
    assert [attachment(raw, one.position) for one in files] == [b"%PDF-", b"png", b"object"]
    with pytest.raises(Unreadable, match="no part"):
        attachment(raw, files[-1].position + 1)


def test_its_words_are_shown_where_the_message_has_no_others() -> None:
    alone = parse(mail(PACKAGE))
    beside = parse(mail(PACKAGE, b"\nWritten outside."))

    assert (alone.text, alone.html) == ("Hello", "<p>Hello <img src=cid:logo@1>")
    assert (beside.text.strip(), beside.html) == ("Written outside.", "")


def test_rich_text_is_read_as_what_it_was_made_of() -> None:
    html = rb"{\rtf1\ansi\fromhtml1{\fonttbl{\f0 Arial;}}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 1 < 2 \'e9\u8364?{\*\htmltag84 &amp;}}}"

    assert to_html_or_text(html) == ("<p>1 &lt; 2 é€&amp;", "")
    assert to_html_or_text(decompressed(HELLO_WORLD)) == ("", "hello world")
    assert decompressed(OVER_ITSELF) == rb"{\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert parse(mail(winmail(message((BINARY, 0x1009, HELLO_WORLD))))).text == "hello world"


def test_one_cut_short_gives_what_is_there_and_stays_a_file() -> None:
    read = parse(mail(PACKAGE[: PACKAGE.index(b"Pasted") - 20]))

    assert [one.name for one in read.attachments] == ["winmail.dat", "OFFER.PDF", "logo of the firm.png"]
    assert read.partly == ("What Outlook packed into winmail.dat could not be read whole.",)


@pytest.mark.parametrize(
    "package",
    [
        # Lengths that would lead nowhere, back, or around for ever (CVE-2026-62641, CVE-2026-62642).
        SIGNATURE + b"\0\0" + b"\1\x0c\x80\2\0\xff\xff\xff\xff",
        winmail(*[attribute(2, 0x00069002, b"")] * 200_000),
        winmail(
            attribute(1, 0x00069003, b"\xff\xff\xff\xff" + b"\x1f\x10\0\x10" + b"\xff\xff\xff\xff" + b"\0" * 2_000_000)
        ),
        winmail(attribute(1, 0x00069003, b"\xff\xff\xff\xff" + b"\2\0\0\x10\0\0\0\0" * 300_000)),
        winmail(message((BINARY, 0x1009, b"\0\0\0\0\xff\xff\xff\xffLZFu\0\0\0\0" + b"\xff" + b"\x00\x0f" * 1_000_000))),
        winmail(message((BINARY, 0x1009, b"\0\0\0\0\xff\xff\xff\x7fMELA\0\0\0\0{\\rtf1" + b"{" * 2_000_000))),
    ],
)
def test_a_size_or_a_loop_in_it_costs_nothing(package: bytes) -> None:
    started = time.process_time()

    found = unpack(package)

    assert time.process_time() - started < 2
    assert len(found.files) <= 500
    assert len(found.text) + len(found.html) <= 4_000_000


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(PACKAGE)), st.integers(0, 8))
def test_any_octets_in_it_are_read(noise: bytes, at: int, gone: int) -> None:
    read = parse(mail(PACKAGE[:at] + noise + PACKAGE[at + gone :]))

    assert sum(one.size for one in read.attachments) <= 2 * (len(PACKAGE) + 100)
