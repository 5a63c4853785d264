"""Whoever waits hears of another connection's commit, on either database."""

from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from rapport.database import wake
from rapport.events.models import Event
from tests.conftest import OwnDatabase


def test_anothers_commit_is_heard_once_and_ones_own_look_is_not(transactional_db: None) -> None:
    ear = wake.listen()
    assert ear.wait(0), "nobody knows what happened before"
    assert not ear.wait(0)

    with ThreadPoolExecutor(1) as other:
        other.submit(_write).result()

    assert ear.wait(1.0)
    assert not ear.wait(0)
    assert Event.objects.count() == 1
    assert not ear.wait(0)
    ear.close()
    assert ear.wait(0), "closed is as good as never listened"
    ear.close()


def test_what_is_started_by_a_test_has_a_database_of_its_own(own_database: OwnDatabase) -> None:
    with own_database() as first, own_database() as second:
        assert bool(first) == (connection.vendor == "postgresql")
        assert not first or first != second


def _write() -> None:
    try:
        Event.objects.create(kind=Event.Kind.CONTACT, about=1)
    finally:
        connection.close()
