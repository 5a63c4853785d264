"""One at a time, where two transactions that do not see each other would both miss something."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

KEY = (1918988400, 1)
"""``rapp``, and which lock. The trigger on events takes the same one (``events/migrations/0002_wake.py``)."""


@contextmanager
def alone() -> Iterator[None]:
    """A transaction that has its turn from the start."""
    with transaction.atomic():
        take()
        yield


def take() -> None:
    """Until this transaction ends, nobody else associates mail with records, or changes their addresses and names.

    Mail stored and a contact made at the same moment would not see each other, and never be linked (D6). Take it
    before any row that others want too: else two could wait for each other. SQLite has one writer at a time by itself.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", KEY)
