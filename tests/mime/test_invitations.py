"""Calendar entries: when they are, and that nothing in them makes us do more than read."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.mime.invitations import read_invitation
from rapport.mime.parse import parse

NEW_YORK = """BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
"""
INDIA = "BEGIN:VTIMEZONE\nTZID:IST\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE\n"


def calendar(event: str, zones: str = NEW_YORK + INDIA) -> bytes:
    return f"BEGIN:VCALENDAR\n{zones}BEGIN:VEVENT\n{event}\nEND:VEVENT\nEND:VCALENDAR\n".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("said", "instant"),
    [
        ("DTSTART:20240506T100000Z", "2024-05-06T10:00"),
        ("DTSTART;TZID=America/New_York:20240506T100000", "2024-05-06T14:00"),
        ("DTSTART;TZID=America/New_York:20240106T100000", "2024-01-06T15:00"),
        ("DTSTART;TZID=America/New_York:20240310T015900", "2024-03-10T06:59"),
        ("DTSTART;TZID=America/New_York:20240310T030000", "2024-03-10T07:00"),
        ("DTSTART;TZID=America/New_York:20241103T030000", "2024-11-03T08:00"),
        ("DTSTART;TZID=IST:20240506T100000", "2024-05-06T04:30"),
        ('DTSTART;TZID="IST":20240506T100060', "2024-05-06T04:30"),
    ],
)
def test_a_time_in_a_zone_is_an_instant(said: str, instant: str) -> None:
    read = read_invitation(calendar(said), "")

    assert read
    assert read.start
    assert read.start.astimezone(UTC).isoformat().startswith(instant)
    assert not read.floating
    assert not read.all_day


@pytest.mark.parametrize("said", ["DTSTART:20240506T100000", "DTSTART;TZID=Nowhere:20240506T100000"])
def test_a_time_in_no_known_zone_stays_a_clock_time(said: str) -> None:
    read = read_invitation(calendar(said), "")

    assert read
    assert (read.start, read.floating) == (datetime(2024, 5, 6, 10, tzinfo=UTC), True)


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("DTSTART;VALUE=DATE:20240506", "2024-05-07T00:00:00+00:00"),
        ("DTSTART;VALUE=DATE:20240506\nDTEND;VALUE=DATE:20240509", "2024-05-09T00:00:00+00:00"),
        ("DTSTART;VALUE=DATE:20240506\nDURATION:P2D", "2024-05-08T00:00:00+00:00"),
        ("DTSTART:20240506T100000Z\nDURATION:PT1H30M", "2024-05-06T11:30:00+00:00"),
    ],
)
def test_how_long_it_lasts(said: str, end: str) -> None:
    read = read_invitation(calendar(said), "")

    assert read
    assert read.end
    assert read.end.isoformat() == end


def test_an_answer_says_whose_it_is_and_what() -> None:
    said = "ATTENDEE;PARTSTAT=DECLINED;CN=Cleo:MAILTO:Cleo@Shop.example\nDTSTART:20240506T100000Z"

    read = read_invitation(calendar(said), "", "reply")

    assert read
    assert (read.method, read.answer, read.attendees[0].address) == ("REPLY", "DECLINED", "cleo@shop.example")


@pytest.mark.parametrize(
    "said", ["DTSTART:99999999T999999", "DTSTART:00010101T000000Z\nDURATION:P9999W", "DTSTART;VALUE=DATE:99991231", ""]
)
def test_a_time_that_makes_no_sense_is_none(said: str) -> None:
    read = read_invitation(calendar(said, NEW_YORK.replace("MONTH=3", "MONTH=99")), "")

    assert read


@pytest.mark.parametrize(
    "content",
    [
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" + b"BEGIN:X\n" * 60_000,
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY" + b";a=b" * 120_000,
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:" + b"x\n " * 160_000,
        calendar(
            "DTSTART;TZID=A:20240506T100000",
            "BEGIN:VTIMEZONE\nTZID:A\n" + "BEGIN:STANDARD\nEND:STANDARD\n" * 4_000 + "END:VTIMEZONE\n",
        ),
        calendar("ATTENDEE:mailto:a@b.example\n" * 15_000),
    ],
)
def test_a_huge_one_takes_little_time(content: bytes) -> None:
    started = time.process_time()

    read = read_invitation(content, "")

    assert time.process_time() - started < 1
    assert read
    assert len(read.attendees) <= 100
    assert len(read.summary) <= 2_000


PIECES = st.sampled_from(
    """BEGIN:VCALENDAR|END:VCALENDAR|BEGIN:VEVENT|END:VEVENT|BEGIN:VTIMEZONE|END:VTIMEZONE|BEGIN:STANDARD|END:STANDARD|TZID:A
    |DTSTART;TZID=A:20240101T000000|DTSTART:00010101T000000|DTSTART:99991231T235959Z|DTEND;TZID=A:99991231T000000|DURATION:-P1D
    |DURATION:PT99999999S|TZOFFSETTO:+2359|TZOFFSETTO:-9999|RRULE:FREQ=YEARLY;BYDAY=-9SU;BYMONTH=12|RRULE:FREQ=YEARLY;BYDAY=5MO
    |ORGANIZER;CN="a:b|ATTENDEE;CN=:|METHOD:\\n|SUMMARY:\\|UID:\0""".split("|")
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_any_lines_are_read(lines: list[str]) -> None:
    body = "\n".join(line.strip() for line in lines)

    parse(f"Content-Type: text/calendar; method=x\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\n{body}".encode())
