"""A shell: a home of its own, and the commands in it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import OwnDatabase
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Sink

ROOT = Path(__file__).parents[2]


@dataclass
class Shell:
    """A home of its own, and the commands in it."""

    home: Path
    database: dict[str, str]
    """Nothing on SQLite, which lies in the home; else where its own database is."""

    @property
    def environment(self) -> dict[str, str]:
        """Nothing is set but the home, and a database that is not in it."""
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "RAPPORT_HOME": str(self.home), **self.database}

    def start(self, *words: str, **more: str) -> "subprocess.Popen[str]":
        """A command that goes on; its words can be read."""
        return subprocess.Popen(
            [sys.executable, "-m", "rapport.cli", *words],
            env=self.environment | more,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        """One command; its exit code has to be this."""
        done = subprocess.run(
            [sys.executable, "-m", "rapport.cli", *words],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"
        return done

    def json(self, *words: str, stdin: str = "", code: int = 0) -> object:
        """What it prints on standard output is one JSON value."""
        return json.loads(self.run(*words, "--json", stdin=stdin, code=code).stdout)


@pytest.fixture
def shell(tmp_path: Path, own_database: OwnDatabase) -> Iterator[Shell]:
    with own_database() as told:
        yield Shell(tmp_path / "home", told)


@pytest.fixture(scope="module")
def smtp() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def connecting(user: str, dovecot: Dovecot, smtp: Sink, **change: str) -> list[str]:
    """The words that connect somebody's mailbox."""
    told = {
        "--username": user,
        "--kind": "shared",
        "--type": "imap",
        "--incoming": f"127.0.0.1:{dovecot.port}/none",
        "--outgoing": f"127.0.0.1:{smtp.port}/none",
        "--sync-from": "all",
        "--folders": "all",
    } | {f"--{name}": value for name, value in change.items()}
    words = [word for pair in told.items() for word in pair]
    return ["account", "connect", "sales@rapport.test", "--password-stdin", *words]
