"""The decisions of a pass."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rapport.mail.models import Folder, Skipped
from rapport.providers.contract import Bookmark, FolderState, Look, RemoteMeta
from rapport.providers.uids import UidSet
from rapport.sync import plan
from rapport.sync.plan import Scope

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)


def _meta(uid: int, *, when: datetime = NOW, size: int = 1000) -> RemoteMeta:
    return RemoteMeta(uid, frozenset(), when, size)


def _look(arrived: UidSet) -> Look:
    return Look(Bookmark(1, 100), len(arrived), arrived, UidSet(), {})


def test_the_period_decides_by_the_exact_moment() -> None:
    """SEARCH SINCE knows days only; a message one second too old is left out (sync.md hazard 29)."""
    scope = Scope(SINCE, floor=100, observed=False)

    sorted_ = plan.sort([_meta(1, when=SINCE - timedelta(seconds=1)), _meta(2, when=SINCE)], scope)

    assert list(sorted_.fetch) == [2]
    assert sorted_.skip == {1: Skipped.Reason.PERIOD}


def test_what_came_after_us_is_wanted_whatever_its_date() -> None:
    """An old message that somebody moved here today is in scope (sync.md B3, 5)."""
    sorted_ = plan.sort([_meta(100, when=NOW - timedelta(days=4000))], Scope(SINCE, floor=100, observed=False))

    assert list(sorted_.fetch) == [100]


def test_trash_is_left_alone_and_then_followed() -> None:
    """S22."""
    scope = Scope(SINCE, floor=100, observed=True)

    sorted_ = plan.sort([_meta(99), _meta(100)], scope)

    assert sorted_.skip == {99: Skipped.Reason.OBSERVED}
    assert list(sorted_.fetch) == [100]
    assert not plan.first_window(_look(UidSet.span(1, 99)), None, scope)


def test_rebuilt_trash_takes_back_what_it_held() -> None:
    scope = Scope(SINCE, floor=100, observed=True, remembered={(NOW, 1000)})

    sorted_ = plan.sort([_meta(1), _meta(2, size=1001)], scope)

    assert list(sorted_.fetch) == [1]
    assert plan.first_window(_look(UidSet.span(1, 99)), None, scope) == UidSet.span(1, 99)


def test_a_message_that_is_too_large_is_named() -> None:
    sorted_ = plan.sort([_meta(1, size=plan.LARGEST + 1)], Scope(None, floor=1, observed=False))

    assert sorted_.skip == {1: Skipped.Reason.LARGE}


def test_the_search_begins_a_day_early() -> None:
    assert plan.search_from(datetime(2026, 11, 20, 0, 30, tzinfo=UTC)).isoformat() == "2026-11-19"  # type: ignore[union-attr]  # given one


def test_a_folder_is_clean_only_when_everything_agrees() -> None:
    folder = Folder(uidvalidity=1, uidnext=10, modseq=5, known="1:9", looked_at=NOW)

    assert plan.is_clean(folder, FolderState(9, 10, 1, 5), NOW)
    assert not plan.is_clean(folder, FolderState(8, 10, 1, 5), NOW)
    assert not plan.is_clean(folder, FolderState(9, 10, 1, 6), NOW)
    assert not plan.is_clean(folder, FolderState(9, 10, 1, None), NOW), "without mod-sequences flags may differ"
    assert not plan.is_clean(folder, None, NOW)
    assert not plan.is_clean(folder, FolderState(9, 10, 1, 5), NOW + plan.CLEAN_FOR), "a status may be stale"


@given(st.integers(0, 50), st.integers())
def test_waiting_grows_and_stays_bounded(attempts: int, seed: int) -> None:
    wait = plan.wait_after(attempts, None, random.Random(seed))

    assert timedelta(seconds=2) <= wait <= timedelta(minutes=15)


def test_a_server_that_names_a_time_is_given_it() -> None:
    assert plan.wait_after(0, 47.0, random.Random(1)) == timedelta(seconds=47)


def test_every_folder_gets_its_turn_newest_first() -> None:
    turns = plan.turns({1: UidSet.span(1, 1000), 2: UidSet(), 3: UidSet.span(5, 7)}, first=False)

    assert turns == [(1, UidSet.span(801, 1000)), (3, UidSet.span(5, 7))]
