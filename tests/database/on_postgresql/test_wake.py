"""Hearing of commits: at once, from whoever writes, over restarts of the server."""

import time
from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, connections, transaction

from rapport.database import wake
from rapport.database.wake import Wake
from rapport.events.models import Event
from rapport.work.models import ask
from tests.database.on_postgresql.conftest import PATIENCE, Others
from tests.servers.postgres import OWNER, Postgres


@pytest.fixture
def ear(transactional_db: None) -> Iterator[Wake]:
    """Listening, and told already that it did not listen before."""
    ear = wake.listen()
    assert ear.wait(0)
    yield ear
    ear.close()


def event() -> None:
    Event.objects.create(kind=Event.Kind.CONTACT, about=1)


def test_an_event_or_work_is_heard_at_its_commit(ear: Wake, others: Others) -> None:
    assert not ear.wait(0)

    for write in (event, lambda: ask("relink", 1), lambda: ask("relink", 1)):
        began = time.monotonic()
        others.do(write).result()
        assert ear.wait(PATIENCE), "it was not heard"
        assert time.monotonic() - began < 1.0, "it was the clock that was heard, not the commit"
        assert not ear.wait(0)


def test_what_is_undone_is_not_heard(ear: Wake, others: Others) -> None:
    with transaction.atomic():
        event()
        assert not ear.wait(0)
        transaction.set_rollback(True)

    assert not ear.wait(0)


def test_a_lost_notice_costs_a_moment(ear: Wake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pooler that hands every transaction another connection swallows LISTEN."""
    assert not ear.wait(0)

    monkeypatch.setattr(wake, "SURE", 0.0)

    assert ear.wait(0)


def test_a_server_that_restarts_is_heard_again(
    own_cluster: Postgres, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = dict(connection.settings_dict) | {"PORT": str(own_cluster.port), "NAME": "postgres", "USER": OWNER}
    monkeypatch.setattr(connections["default"], "settings_dict", told)
    ear = wake.listen()
    assert ear.wait(0)
    assert not ear.wait(0)

    own_cluster.restart()

    with pytest.raises(DatabaseError):
        ear.wait(PATIENCE)
    assert ear.wait(0), "nobody knows what was missed meanwhile"
    with own_cluster.connect() as other:
        other.execute("NOTIFY rapport")
    assert ear.wait(PATIENCE)
    ear.close()
