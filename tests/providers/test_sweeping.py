"""Which flags are asked for in a folder without mod-sequences, and when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.providers import sweeping
from rapport.providers.contract import Sweep
from rapport.providers.uids import UidSet

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
JUST_DONE = Sweep(NOON, NOON)


def test_a_thorough_look_asks_for_everything() -> None:
    due = sweeping.due(None, UidSet.span(1, 100_000), NOON)

    assert (str(due.uids), due.sweep) == ("1:100000", JUST_DONE)


@pytest.mark.parametrize(
    ("sweep", "uids"),
    [
        (JUST_DONE, "99801:100000"),
        (Sweep(NOON - 5 * MINUTE, NOON), "98001:100000"),
        (Sweep(NOON, NOON - 60 * MINUTE), "95001:100000"),
        (Sweep(NOON, NOON - MINUTE, 40_001), "35001:40000,99801:100000"),
        (Sweep(NOON, NOON - MINUTE, 1_001), "1:1000,99801:100000"),
        (Sweep(NOON, NOON - 360 * MINUTE, 40_001), "1:40000,99801:100000"),
        (Sweep(), "95001:100000"),
        (Sweep(NOON + MINUTE, NOON + MINUTE), "95001:100000"),
    ],
    ids=["newest", "recent", "whole begins", "whole goes on", "whole ends", "whole took too long", "never", "clock"],
)
def test_the_newest_always_the_rest_in_turn(sweep: Sweep, uids: str) -> None:
    assert str(sweeping.due(sweep, UidSet.span(1, 100_000), NOON).uids) == uids


def test_a_small_folder_is_asked_for_whole_at_every_look() -> None:
    due = sweeping.due(JUST_DONE, UidSet.span(5, 150), NOON)

    assert (str(due.uids), due.sweep) == ("5:150", JUST_DONE)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 9_000)), max_size=6), st.integers(5, 120))
@settings(deadline=None, max_examples=50)
def test_within_six_hours_every_message_was_asked_for(spans: list[tuple[int, int]], minutes: int) -> None:
    """And never more than a slice and the recent ones at one look, while there is time."""
    known = UidSet() | UidSet(tuple((low, low + length) for low, length in spans))
    sweep, asked, at = JUST_DONE, UidSet(), NOON
    while at - NOON <= sweeping.WHOLE_EVERY + sweeping.WHOLE_WITHIN + timedelta(minutes=minutes):
        at += timedelta(minutes=minutes)
        due = sweeping.due(sweep, known, at)
        sweep, asked = due.sweep, asked | due.uids
        if at - NOON < sweeping.WHOLE_WITHIN:
            assert len(due.uids) <= sweeping.SLICE + sweeping.RECENT

    assert asked == known
