"""Whether the database can be used, and every reason why not in a sentence for people."""

import re
from typing import Any

from django.db import connection

from rapport.database.address import VARIABLE

OLDEST = 15
"""The first PostgreSQL that the tests run on."""
_NO_DATABASE = re.compile(r'database "(.*)" does not exist')
_REFUSED = re.compile(
    r"password authentication failed|role .* does not exist|no password supplied|authentication failed"
)


class NotReady(Exception):
    """The database cannot be used; the text says why and what to do."""


def check() -> None:
    """Look whether the database is there and fit for us. Raises NotReady.

    On a connection of its own: the pool would wait, and then say only that it waited. SQLite is made when it is missing.
    """
    if connection.vendor != "postgresql":
        return
    parameters = connection.get_connection_params()
    psycopg: Any = connection.Database  # type: ignore[attr-defined]  # Any: a module; imported by PostgreSQL's backend only
    try:
        with psycopg.connect(**parameters) as line:
            version = line.info.server_version
            encoding = line.info.parameter_status("server_encoding") or ""
    except psycopg.OperationalError as error:
        raise NotReady(refusal(str(error), where(parameters))) from error
    unfit = unfitness(version, encoding, str(parameters["dbname"]))
    if unfit:
        raise NotReady(unfit)


def where(parameters: dict[str, Any]) -> str:  # Any: libpq's parameters
    """The server, in words."""
    host = str(parameters.get("host", ""))
    if not host:
        return "on this machine"
    if host.startswith("/"):
        return f"at the socket in {host}"
    return f"at {host}, port {parameters.get('port', 5432)}"


def unfitness(version: int, encoding: str, name: str) -> str:
    """Why this server is none for us; empty when it is one. ``version`` as libpq has it: 150018 is 15.18."""
    if version < OLDEST * 10_000:
        return f"This is PostgreSQL {version // 10_000}, and Rapport needs {OLDEST} or later."
    if encoding != "UTF8":
        return (
            f"The database “{name}” keeps text as {encoding}, and mail needs UTF8. "
            f"Make another: createdb --encoding UTF8 --template template0 {name}2"
        )
    return ""


def refusal(said: str, place: str) -> str:
    """What libpq said, as a sentence with the next step. It never holds the password."""
    missing = _NO_DATABASE.search(said)
    if missing:
        return f"There is no database “{missing[1]}” on the PostgreSQL {place}. Make it: createdb {missing[1]}"
    if _REFUSED.search(said):
        return f"The PostgreSQL {place} refused the sign-in. Check the user and the password in {VARIABLE}."
    if "Connection refused" in said or "No such file or directory" in said:
        return f"No PostgreSQL listens {place}. Start it, or correct {VARIABLE}."
    if re.search(r"resolve host|translate host name|Name or service not known", said):
        return f"There is no server of that name: PostgreSQL {place}. Correct {VARIABLE}."
    if "timeout" in said:
        return f"The PostgreSQL {place} does not answer. Is it running, and does a firewall let us through?"
    if "too many clients" in said or "connection slots" in said:
        return f"The PostgreSQL {place} has no connection left. Raise its max_connections."
    last = said.strip().splitlines()[-1] if said.strip() else "nothing"
    return f"The PostgreSQL {place} cannot be used. It said: {last}"
