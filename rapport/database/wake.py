"""Hearing that somebody has committed, so that nobody has to ask all the time.

A wake-up only ever says *look again*: one that is lost costs a moment, one too many costs a look.
"""

import time
from abc import ABC, abstractmethod
from typing import Any

from django.db import connection

CHANNEL = "rapport"
"""What the triggers of ``work`` and ``events`` notify on PostgreSQL."""
SURE = 5.0
"""Seconds after which somebody looks though nothing was heard: a pooler between us and PostgreSQL swallows LISTEN."""


class Wake(ABC):
    """One listener's ear. It belongs to the thread that listens."""

    @abstractmethod
    def wait(self, seconds: float) -> bool:
        """Wait at most this long; whether another connection may have committed since the last call.

        The first call says yes at once. Raises django.db.Error when the database is away; ask again later.
        """

    @abstractmethod
    def close(self) -> None:
        """Listen no more."""


def listen() -> Wake:
    """An ear for this installation's database."""
    return _Notified() if connection.vendor == "postgresql" else _Counted()


class _Counted(Wake):
    """SQLite counts other connections' commits (https://sqlite.org/pragma.html#pragma_data_version); a look is 3 µs."""

    def __init__(self) -> None:
        self._seen: int | None = None

    def wait(self, seconds: float) -> bool:
        if self._seen is not None:
            time.sleep(seconds)
        before, self._seen = self._seen, self._count()
        return self._seen != before

    def close(self) -> None:
        self._seen = None

    def _count(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            return int(cursor.fetchone()[0])


class _Notified(Wake):
    """PostgreSQL tells whoever listens, at the commit (LISTEN, NOTIFY), on a connection of its own."""

    def __init__(self) -> None:
        # Django's own hold of psycopg: importing it costs every command of a SQLite installation a tenth of a second.
        self._psycopg: Any = connection.Database  # type: ignore[attr-defined]  # Any: a module, and each backend's own
        self._line: Any = None  # Any: as above
        self._said = 0.0

    def wait(self, seconds: float) -> bool:
        with connection.wrap_database_errors:
            try:
                changed = self._heard(seconds)
            except self._psycopg.Error:
                self.close()
                raise
        changed = changed or time.monotonic() - self._said >= SURE
        if changed:
            self._said = time.monotonic()
        return changed

    def close(self) -> None:
        if self._line:
            self._line.close()
        self._line = None

    def _heard(self, seconds: float) -> bool:
        if self._line is None:
            # Nobody knows what was missed until now, so that counts as heard.
            self._line = self._psycopg.connect(**connection.get_connection_params(), autocommit=True)
            self._line.execute(f"LISTEN {CHANNEL}")
            return True
        return bool(list(self._line.notifies(timeout=seconds, stop_after=1)))
