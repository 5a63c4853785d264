r"""A private, real PostgreSQL on loopback: a free port, its own folder, gone without a trace afterwards.

    with Postgres() as server:
        server.create("shop")
        ...server.url("shop")

It promises no durability (fsync off), and lets everybody on this machine in without a password, but for ``LOCKED``.
PostgreSQL refuses to run as root: then it runs as ``postgres``, or ``nobody`` where there is no such user.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

START_SECONDS = 20.0
OWNER = "rapport"
LOCKED = "locked"
"""A role that needs the password ``secret``."""
FAST = ("fsync=off", "full_page_writes=off", "max_connections=150", "shared_buffers=64MB", "jit=off")


class Postgres:
    """One running cluster."""

    def __init__(self) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._count = count(1)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @classmethod
    def at(cls, port: int) -> "Postgres":
        """One that another process of this test run has started, and will stop."""
        found = cls()
        found.port = port
        return found

    # Running it.

    def start(self) -> None:
        """Returns when it answers. The port is a free one; somebody else may be faster, so it is tried three times."""
        self._binaries = _binaries()
        self._owner = _ordinary_user()
        # Short, because a socket's path may have 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        if self._owner:
            shutil.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
        self._run("initdb", "--pgdata", str(self._data), "--username", OWNER, "--auth", "trust", "--no-sync", *LOCALE)
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"host all {LOCKED} 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        for _ in range(3):
            if self._try():
                with self.connect() as line:
                    line.execute("CREATE ROLE locked LOGIN PASSWORD 'secret'")
                return
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log()}")

    def stop(self) -> None:
        """End it at once, and remove all of it."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        """As an administrator would, with everybody's connections cut; on the same port."""
        self._end()
        if not self._listen():
            raise RuntimeError(f"PostgreSQL did not start again:\n{self.log()}")

    def log(self) -> str:
        """What it wrote."""
        found = self.folder / "log"
        return found.read_text(errors="replace") if found.exists() else ""

    # What is in it.

    def url(self, name: str, *, user: str = OWNER, password: str = "") -> str:
        """The address of a database of it, as Rapport is told."""
        told = f"{user}:{password}" if password else user
        return f"postgresql://{told}@{self.host}:{self.port}/{name}"

    def create(self, name: str = "", *, template: str = "", encoding: str = "") -> str:
        """A database, empty or a copy of another; its name."""
        name = name or f"made_{os.getpid()}_{next(self._count)}"
        words: list[sql.Composable] = [sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))]
        if template or encoding:
            words.append(sql.SQL("TEMPLATE {}").format(sql.Identifier(template or "template0")))
        if encoding:
            words.append(sql.SQL("ENCODING {} LOCALE 'C'").format(sql.Literal(encoding)))
        with self.connect() as line:
            line.execute(sql.SQL(" ").join(words))
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is in it."""
        with self.connect() as line:
            line.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def connect(self, name: str = "postgres") -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection of one's own, in autocommit."""
        return psycopg.connect(self.url(name), autocommit=True)

    # The parts of starting.

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, command: str, *words: str) -> None:
        done = subprocess.run(
            [self._binaries / command, *words], capture_output=True, text=True, check=False, **self._as_owner()
        )
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")

    def _as_owner(self) -> dict[str, Any]:  # Any: subprocess's own arguments
        told: dict[str, Any] = {"cwd": self.folder, "stdin": subprocess.DEVNULL}
        if self._owner:
            told |= {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        return told

    def _try(self) -> bool:
        with socket.create_server((self.host, 0)) as probe:
            self.port = int(probe.getsockname()[1])
        return self._listen()

    def _listen(self) -> bool:
        told = [*FAST, f"port={self.port}", f"listen_addresses={self.host}", f"unix_socket_directories={self.folder}"]
        command = [str(self._binaries / "postgres"), "-D", str(self._data), *(f"--{one}" for one in told)]
        with (self.folder / "log").open("ab") as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, **self._as_owner()
            )
        self._process = process
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self._answers():
                return True
            time.sleep(0.05)
        self._end()
        return False

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _end(self) -> None:
        """Every connection is cut (SIGQUIT, PostgreSQL manual, 19.5): there is nothing to keep."""
        if self._process:
            self._process.send_signal(3)
            self._process.wait()
            self._process = None


LOCALE = ("--encoding", "UTF8", "--locale", "C.UTF-8", "--lc-messages", "C")


def _binaries() -> Path:
    """Where PostgreSQL's programs are: Debian keeps them out of the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = [*debian[-1:], *filter(None, [_in_path()])]
    if not found:
        raise RuntimeError("These tests start a real PostgreSQL: apt-get install postgresql")
    return found[0].parent


def _in_path() -> Path | None:
    found = shutil.which("initdb")
    return Path(found).resolve() if found else None


def _ordinary_user() -> pwd.struct_passwd | None:
    """Who it runs as, when we are root."""
    if os.getuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return pwd.getpwnam("postgres" if "postgres" in names else "nobody")
