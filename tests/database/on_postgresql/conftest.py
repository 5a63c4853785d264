"""Another worker at the same time: a thread with a database connection of its own."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection

from tests.servers.postgres import Postgres

T = TypeVar("T")
PATIENCE = 20.0
"""Seconds until something that should happen at once counts as not happening."""


class Others:
    """What goes on beside the test's own connection."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def do(self, act: Callable[[], T]) -> "Future[T]":
        """Begin it now, on another connection."""
        return self._pool.submit(self._alone, act)

    def until_one_waits(self) -> None:
        """Return when another connection waits for what this one holds."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
                )
                if cursor.fetchone():
                    return
            time.sleep(0.01)
        pytest.fail("Nobody waits.")

    def _alone(self, act: Callable[[], T]) -> T:
        try:
            return act()
        finally:
            connection.close()


@pytest.fixture
def others(transactional_db: None) -> Iterator[Others]:
    with ThreadPoolExecutor(4) as pool:
        yield Others(pool)


@pytest.fixture(scope="session")
def own_cluster() -> Iterator[Postgres]:
    """A PostgreSQL that a test may restart."""
    with Postgres() as server:
        yield server
