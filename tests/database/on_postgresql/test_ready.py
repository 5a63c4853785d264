"""A PostgreSQL that cannot be used: each reason has its own sentence, and none shows the password."""

import pytest
from django.conf import settings
from django.db import connection, connections

from rapport.database import address, ready
from tests.servers.postgres import LOCKED, OWNER, Postgres


@pytest.fixture
def somewhere(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Where our connections would go; a test changes it. The one that is open stays what it is."""
    told = dict(connection.settings_dict)
    monkeypatch.setattr(connections["default"], "settings_dict", told)
    return told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"NAME": "nowhere"}, "There is no database “nowhere” on the PostgreSQL at 127.0.0.1, port {port}. Make it"),
        ({"PORT": "1"}, "No PostgreSQL listens at 127.0.0.1, port 1."),
        ({"HOST": "/nowhere"}, "No PostgreSQL listens at the socket in /nowhere."),
        ({"HOST": "db.rapport.invalid"}, "There is no server of that name: PostgreSQL at db.rapport.invalid"),
        ({"USER": LOCKED, "PASSWORD": "hunter2"}, "refused the sign-in. Check the user and the password"),
        ({"USER": "nobody-known"}, "refused the sign-in. Check the user and the password"),
    ],
    ids=["database", "port", "socket", "name", "password", "user"],
)
def test_every_reason_has_its_own_sentence(somewhere: dict[str, object], change: dict[str, object], said: str) -> None:
    expected = said.format(port=somewhere["PORT"])
    somewhere |= change

    with pytest.raises(ready.NotReady) as error:
        ready.check()

    assert expected in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_good_one_passes(somewhere: dict[str, object]) -> None:
    ready.check()


def test_a_database_that_cannot_hold_every_letter_is_refused(
    somewhere: dict[str, object], own_cluster: Postgres
) -> None:
    name = own_cluster.create(encoding="LATIN1")
    somewhere |= {"NAME": name, "PORT": str(own_cluster.port), "USER": OWNER}

    with pytest.raises(ready.NotReady, match="keeps text as LATIN1, and mail needs UTF8"):
        ready.check()


def test_an_old_one_is_refused() -> None:
    assert ready.unfitness(140_012, "UTF8", "mail") == "This is PostgreSQL 14, and Rapport needs 15 or later."
    assert ready.unfitness(150_000, "UTF8", "mail") == ""


def test_other_words_are_passed_on() -> None:
    said = "connection failed: FATAL:  the database system is in recovery mode\n"

    assert ready.refusal(said, "at db, port 5432") == (
        "The PostgreSQL at db, port 5432 cannot be used. It said: "
        "connection failed: FATAL:  the database system is in recovery mode"
    )


def test_every_connection_keeps_what_it_was_told(db: None) -> None:
    """A commit is on the disk before anybody hears of it, whatever the server's default is; what is stuck ends."""
    with connection.cursor() as cursor:
        shown = {}
        for name in address.SESSION:
            cursor.execute("SELECT setting FROM pg_settings WHERE name = %s", [name])
            shown[name] = cursor.fetchone()[0]

    assert shown == {name: str(value) for name, value in address.SESSION.items()}
    assert settings.DATABASES["default"]["CONN_HEALTH_CHECKS"]
