"""The commands on a PostgreSQL: what an administrator sees of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.conftest import CLUSTER, OwnDatabase


@pytest.fixture
def installed(tmp_path: Path, own_database: OwnDatabase) -> Iterator[Shell]:
    """A home, and an empty database that has its tables."""
    with own_database() as told:
        yield Shell(tmp_path / "home", told)


def test_doctor_says_which_server_and_how_large(installed: Shell) -> None:
    found = {one["check"]: one for one in installed.json("doctor")}  # type: ignore[attr-defined]  # a list

    assert found["database"]["ok"]
    assert found["database"]["words"].startswith("PostgreSQL 1")
    assert "MB, 0 emails, 0 users" in found["database"]["words"]


def test_tables_are_made_in_an_empty_database(tmp_path: Path) -> None:
    assert CLUSTER is not None
    name = CLUSTER.create()

    Shell(tmp_path, {"RAPPORT_DATABASE_URL": CLUSTER.url(name)}).run("account", "list")

    CLUSTER.drop(name)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://ana:hunter2@127.0.0.1:1/mail",
            "No PostgreSQL listens at 127.0.0.1, port 1. Start it, or correct",
        ),
        ("mysql://ana:hunter2@127.0.0.1/mail", "RAPPORT_DATABASE_URL begins with “mysql”."),
    ],
)
def test_a_database_that_cannot_be_used_is_said_in_one_sentence(tmp_path: Path, url: str, said: str) -> None:
    failed = Shell(tmp_path, {"RAPPORT_DATABASE_URL": url}).run("account", "list", code=1)

    assert said in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1
    assert "hunter2" not in failed.stderr
