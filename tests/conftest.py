"""What every test stands on: a home that is thrown away, no network but this machine's own, and the cast."""

import atexit
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import connections
from playwright.sync_api import Browser, sync_playwright

from tests.servers.dovecot import Dovecot
from tests.servers.postgres import Postgres

if TYPE_CHECKING:  # A model can only be imported once Django is set up, which is after this file.
    from rapport.people.models import User

# Before anything asks Django for a setting: each process has a home of its own, and nothing of the user's reaches in.
if settings.configured:
    pytest.exit("The settings were read too early, with your own home: unset DJANGO_SETTINGS_MODULE.", returncode=2)
HOME = Path(tempfile.mkdtemp(prefix="rapport-tests-"))
for name in [name for name in os.environ if name.startswith("RAPPORT_") and name != "RAPPORT_CORPORA"]:
    del os.environ[name]
ROOT = Path(__file__).parents[1]
TEMPLATE = "rapport"
"""The database with all tables and no rows, which every other one of the run is a copy of."""


def _cluster() -> Postgres | None:
    """With ``TESTS_ON=postgresql``, a private PostgreSQL: the first process of a run starts it, its workers share it."""
    if os.environ.get("TESTS_ON", "sqlite") == "sqlite":
        return None
    port = os.environ.get("TESTS_POSTGRESQL_PORT")
    if port:
        return Postgres.at(int(port))
    server = Postgres()
    atexit.register(server.stop)
    server.start()
    told = os.environ | {"RAPPORT_HOME": str(HOME), "RAPPORT_DATABASE_URL": server.url(server.create(TEMPLATE))}
    migrate = [sys.executable, "-m", "django", "migrate", "-v0", "--settings", "rapport.settings"]
    subprocess.run(migrate, cwd=ROOT, env=told, check=True)
    os.environ["TESTS_POSTGRESQL_PORT"] = str(server.port)
    return server


CLUSTER = _cluster()
os.environ |= {"RAPPORT_HOME": str(HOME), "DJANGO_SETTINGS_MODULE": "rapport.settings"}
if CLUSTER:
    os.environ["RAPPORT_DATABASE_URL"] = CLUSTER.url(TEMPLATE)
django.setup()
if CLUSTER:
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = TEMPLATE
    # A table that a migration made past the models is emptied with the one it refers to.
    _empty = connections["default"].ops.sql_flush
    connections["default"].ops.sql_flush = lambda *told, **more: _empty(*told, **more | {"allow_cascade": True})  # type: ignore[method-assign]
    del os.environ["RAPPORT_DATABASE_URL"]  # else what a test starts would use the template itself
del os.environ["DJANGO_SETTINGS_MODULE"]  # else the workers started from here would read the settings before this file
# What never asks a database runs once, on SQLite; what is about PostgreSQL itself, on PostgreSQL.
collect_ignore = ["architecture", "blobs", "mime", "net", "providers"] if CLUSTER else ["database/on_postgresql"]

PASSWORD = "correct horse battery"
CHROMIUM = Path("/usr/bin/chromium")


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(HOME, ignore_errors=True)


# The cast never changes.


@pytest.fixture
def ana(db: None) -> "User":
    """Ana owns: the administrator, with a personal mailbox where a test gives her one."""
    return _person("ana", "Ana Ortega", is_admin=True)


@pytest.fixture
def ben(db: None) -> "User":
    """Ben is on the team: he reads what is shared."""
    return _person("ben", "Ben Adeyemi")


@pytest.fixture
def cleo(db: None) -> "User":
    """Cleo is a stranger to Ana's personal mailbox: signed in, and nothing in it exists for her."""
    return _person("cleo", "Cleo Marchetti")


def _person(name: str, full_name: str, *, is_admin: bool = False) -> "User":
    return get_user_model().objects.create(
        address=f"{name}@rapport.test", name=full_name, is_admin=is_admin, password=_hashed()
    )


@cache
def _hashed() -> str:
    """Hashing is slow by design: once is enough."""
    return make_password(PASSWORD)


# Nothing reaches the Internet.


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """A test that speaks to another machine, or asks for a name that some server might know, fails."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded(self: socket.socket, address: Any) -> None:  # Any: sockets take what their family takes
        _stay_here(self, address)
        connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> int:  # Any: as above
        _stay_here(self, address)
        return connect_ex(self, address)

    def looked_up(host: bytes | str | None, *rest: Any, **named: Any) -> Any:  # Any: handed on as it came
        _ask_nobody(host)
        return getaddrinfo(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        patch.setattr(socket.socket, "connect_ex", guarded_ex)
        patch.setattr(socket, "getaddrinfo", looked_up)
        yield


def _stay_here(opened: socket.socket, address: Any) -> None:  # Any: as above
    if opened.family == socket.AF_UNIX:
        return
    host = ipaddress.ip_address(socket.getaddrinfo(address[0], None)[0][4][0])
    if not (host.is_loopback or host.is_unspecified):
        opened.close()
        pytest.fail(f"A test tried to reach {address}.")


def _ask_nobody(host: bytes | str | None) -> None:
    name = (host.decode() if isinstance(host, bytes) else host or "localhost").rstrip(".").lower()
    if name.endswith((".test", ".example", ".invalid")):
        # Names that no server knows (RFC 6761), answered without asking one.
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    if name != "localhost" and not name.endswith(".localhost") and not _is_an_address(name):
        pytest.fail(f"A test tried to look up {name}.")


def _is_an_address(name: str) -> bool:
    """Anything that the C library reads as an address without asking anybody, ``127.1`` and ``0x7f000001`` included."""
    try:
        socket_info = _GETADDRINFO(name, None, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        return False
    return bool(socket_info)


_GETADDRINFO = socket.getaddrinfo


# The real parts.


OwnDatabase = Callable[[], AbstractContextManager[dict[str, str]]]


@pytest.fixture(scope="session")
def own_database() -> OwnDatabase:
    """What a process with a home of its own is told besides, so that it has a database of its own on PostgreSQL too."""

    @contextmanager
    def made() -> Iterator[dict[str, str]]:
        if CLUSTER is None:
            yield {}
            return
        name = CLUSTER.create(template=TEMPLATE)
        try:
            yield {"RAPPORT_DATABASE_URL": CLUSTER.url(name)}
        finally:
            CLUSTER.drop(name)

    return made


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A real mail server. It is shared: a test that changes mail adds a user of its own with ``set_password``."""
    with Dovecot() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of one module.

    Not for a whole session: while Playwright's synchronous API is open its event loop runs in this thread, and then
    neither ``asyncio.run`` nor Django's database works for the tests that come after.
    """
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM if CHROMIUM.exists() else None,
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        yield chromium
        chromium.close()
