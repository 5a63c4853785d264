"""The decisions of a pass."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.mail.models import Folder, Skipped
from rapport.providers.contract import Bookmark, FolderState, Look, RemoteFolder, RemoteMeta, Role
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


def test_only_what_is_nobody_elses_is_recognised() -> None:
    """Message-ID, date and size, unique on both sides; the rest is known by its bytes (sync.md B1)."""
    old = {plan.key("<a>", NOW, 1000): [7], plan.key("<b>", NOW, 1000): [8, 9]}
    metas = [_meta(1), _meta(2), _meta(3), _meta(4), _meta(5)]

    assert plan.recognise(plan.keys(metas, {1: "<a>", 2: "<b>", 3: "<c>", 4: "<c>", 5: ""}), old) == {1: 7}
    assert plan.recognise(plan.keys(metas, {1: "<a>", 2: "<a>"}), old) == {}


def test_a_renamed_folder_is_told_by_its_numbers() -> None:
    """sync.md B6: one candidate on each side, the same UIDVALIDITY, no lower UIDNEXT; never INBOX."""
    row = Folder(wire=b"Quotes", uidvalidity=7, uidnext=10)
    inbox = Folder(wire=b"INBOX", uidvalidity=7, uidnext=10, role="inbox")
    new = RemoteFolder(b"Offers", "Offers", "/", Role.NONE, selectable=True, state=FolderState(9, 11, 7))
    other = RemoteFolder(b"Else", "Else", "/", Role.NONE, selectable=True, state=FolderState(9, 11, 7))

    assert plan.renames([row], [new]) == [(row, new)]
    assert plan.renames([row], [new, other]) == []
    assert plan.renames([row], [replace(new, state=FolderState(9, 9, 7))]) == []
    assert plan.renames([inbox], [new]) == []
    assert plan.renames([row], [new, replace(new, wire=b"Quotes")]) == []


def test_a_folder_that_is_renumbered_all_day_is_read_once_an_hour() -> None:
    """sync.md hazard 3."""
    folder = Folder(rebuilds=plan.REBUILDS + 1, rebuilt_since=NOW, looked_at=NOW)

    assert plan.renumbers(folder, NOW + timedelta(hours=23))
    assert not plan.renumbers(folder, NOW + timedelta(hours=25))
    assert plan.is_fresh(folder, NOW + timedelta(minutes=59))
    assert not plan.is_fresh(folder, NOW + timedelta(minutes=61))
    assert not plan.renumbers(Folder(rebuilds=plan.REBUILDS, rebuilt_since=NOW, looked_at=NOW), NOW)


def test_much_that_vanishes_at_once_is_asked_again() -> None:
    known = UidSet.span(1, 200)

    assert plan.is_much(UidSet.span(1, 60), known)
    assert not plan.is_much(UidSet.span(1, 30), known)
    assert not plan.is_much(UidSet.span(1, 49), UidSet.span(1, 49))
    assert plan.without(
        replace(_look(UidSet()), vanished=UidSet.span(1, 9)), UidSet.span(1, 8)
    ).vanished == UidSet.span(9, 9)


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


def test_every_folder_gets_its_turn_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder waits for another to finish, and nothing is left out or asked twice."""
    monkeypatch.setattr(plan, "CHUNK", 200)
    pending = [UidSet.span(1, 450), UidSet(), UidSet.span(5, 7)]

    orders = list(plan.orders(pending))

    assert [(number, str(uids)) for number, uids in orders] == [
        (0, "251:450"),
        (2, "5:7"),
        (0, "51:250"),
        (0, "1:50"),
    ]
    assert list(plan.orders(pending, once=True)) == [(0, UidSet.span(401, 450))]
