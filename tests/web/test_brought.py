"""What an email brings besides its text: cards and lines out of what the parser kept."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils.timezone import override

from rapport.mime.message import Address, Delivery, Invitation, Report
from rapport.web import brought

TEN = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
ELEVEN = TEN.replace(hour=11)


def kept(value: Invitation | Report) -> dict[str, Any]:
    """As the engine keeps it in the database."""
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in asdict(value).items()}


def card(method: str = "REQUEST", **more: Any) -> brought.Invitation:  # Any: the fields of an invitation
    told: dict[str, Any] = {
        "summary": "Site visit",
        "start": TEN,
        "end": ELEVEN,
        "organiser": Address("Paulo Nunes", "p@x.test"),
    } | more
    found = brought.invitation(kept(Invitation(method, **told)), "Inês Carvalho")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("method", "answer", "title"),
    [
        ("REQUEST", "", "Paulo Nunes invites you"),
        ("CANCEL", "", "Paulo Nunes cancelled this"),
        ("COUNTER", "", "Paulo Nunes proposes another time"),
        ("REPLY", "ACCEPTED", "Inês Carvalho accepts"),
        ("REPLY", "DECLINED", "Inês Carvalho declines"),
        ("REPLY", "SOMETHING", "Inês Carvalho answered"),
        ("UNHEARD-OF {who}", "", "Paulo Nunes"),
    ],
)
def test_it_says_who_does_what(method: str, answer: str, title: str) -> None:
    assert card(method, answer=answer).title == title


@pytest.mark.parametrize(
    ("more", "when"),
    [
        ({}, "Tuesday 24 November 2026, 10:00 – 11:00"),
        ({"end": None}, "Tuesday 24 November 2026, 10:00"),
        ({"end": ELEVEN.replace(day=25)}, "Tuesday 24 November 2026, 10:00 – Wednesday 25 November 2026, 11:00"),
        ({"recurring": True}, "Tuesday 24 November 2026, 10:00 – 11:00, repeating"),
        ({"start": None, "end": None}, ""),
    ],
)
def test_it_says_when(more: dict[str, Any], when: str) -> None:
    assert card(**more).when == when


def test_a_whole_day_ends_before_the_midnight_it_names() -> None:
    first, after = TEN.replace(hour=0), TEN.replace(day=26, hour=0)

    assert card(start=first, end=first.replace(day=25), all_day=True).when == "Tuesday 24 November 2026"
    assert card(start=first, end=after, all_day=True).when == "Tuesday 24 November 2026 – Wednesday 25 November 2026"


def test_a_time_is_told_by_the_readers_clock_unless_nobody_knows_its_zone() -> None:
    with override("Asia/Tokyo"):
        assert card().when == "Tuesday 24 November 2026, 19:00 – 20:00"
        assert card(floating=True).when == "Tuesday 24 November 2026, 10:00 – 11:00, at the local time there"


def test_a_few_people_are_named_and_the_rest_counted() -> None:
    people = tuple(Address(name, f"{name}@x.test") for name in ("Ana", "Ben", "", "Cleo", "Dan"))

    assert card(attendees=people).people == "Ana, Ben, @x.test and 2 more"


def test_a_report_says_what_became_of_each_copy() -> None:
    report = Report(
        "dsn",
        (
            Delivery("kwame@osei.test", "failed", "5.1.1", "User unknown"),
            Delivery("ines@lumen.test", "delayed"),
            Delivery("", "{odd}"),
        ),
    )

    lines = brought.outcomes(kept(report))

    assert [line.text for line in lines] == [
        "Not delivered to kwame@osei.test",
        "Not delivered to ines@lumen.test yet; their server goes on trying",
        "a recipient: {odd}",
    ]
    assert [line.bad for line in lines] == [True, False, False]
    assert lines[0].reason == "5.1.1 User unknown"


def test_most_emails_bring_nothing() -> None:
    assert brought.invitation(None, "Inês") is None
    assert brought.outcomes(None) == ()
