"""What an administrator writes into RAPPORT_DATABASE_URL, and what comes of it."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from rapport.database import address

WHERE = ("NAME", "USER", "PASSWORD", "HOST", "PORT")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ana:secret@db.rapport.test:6543/mail", ("mail", "ana", "secret", "db.rapport.test", "6543")),
        ("postgres://ana@db/mail", ("mail", "ana", "", "db", "")),
        ("postgresql://a%40na:p%2F%3A%23%25@[::1]:5432/ma%20il", ("ma il", "a@na", "p/:#%", "::1", "5432")),
        ("postgresql:///mail", ("mail", "", "", "", "")),
        ("postgresql:///mail?host=/run/PostgreSQL", ("mail", "", "", "/run/PostgreSQL", "")),
        ("postgresql://ana@%2Frun%2FPostgreSQL:5433/mail", ("mail", "ana", "", "/run/PostgreSQL", "5433")),
    ],
)
def test_an_address_of_postgresql(url: str, expected: tuple[str, ...]) -> None:
    told = address.settings(url)

    assert tuple(told[name] for name in WHERE) == expected


def test_what_follows_the_question_mark_is_handed_on() -> None:
    told = address.settings("postgresql://db/mail?sslmode=verify-full&sslrootcert=system")

    options = told["OPTIONS"]
    assert isinstance(options, dict)
    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", "system")
    assert "synchronous_commit=on" in options["options"]


@pytest.mark.parametrize(
    ("url", "name"),
    [("sqlite:///home/x.sqlite3", "home/x.sqlite3"), ("sqlite:////var/lib/a%20b.sqlite3", "/var/lib/a b.sqlite3")],
)
def test_an_address_of_sqlite(url: str, name: str) -> None:
    assert address.settings(url)["NAME"] == name


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://db/mail", "begins with “mysql”. It is sqlite:///path or"),
        ("mail.sqlite3", "has no scheme"),
        ("postgresql://ana:hunter2@db", "names no database"),
        ("postgresql://ana:hunter2@db:port/mail", "port that is no number"),
        ("postgresql://ana:hunter2@db/mail?user=x&frobnicate=1", "has frobnicate, user after the question mark"),
    ],
)
def test_a_wrong_address_is_said_in_a_sentence_without_the_password(url: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        address.settings(url)

    assert said in str(error.value)
    assert "hunter2" not in str(error.value)
