"""The address of a database, as an administrator writes it, and what Django is told. Pure."""

from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

VARIABLE = "RAPPORT_DATABASE_URL"
EXAMPLE = "postgresql://user:password@host:5432/name"
CONNECTIONS = 16
"""At most, for each process: the engine's six passes and its loop, or as many pages at once."""
ALLOWED = ("host", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name")
"""What may follow the question mark, named and meant as in libpq (PostgreSQL manual, 34.1.2)."""
SESSION = {
    # A commit is on the disk before we tell anybody of it, whatever the server's own default is.
    "synchronous_commit": "on",
    # Nothing of ours takes that long; what does is stuck. Milliseconds.
    "statement_timeout": 300_000,
    "lock_timeout": 30_000,
    "idle_in_transaction_session_timeout": 300_000,
}


def settings(url: str) -> dict[str, object]:
    """Django's settings for the database at this address. Raises ImproperlyConfigured with a sentence for people."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(parts)
    if parts.scheme in ("postgresql", "postgres"):
        return _postgresql(parts)
    begins = f"begins with “{parts.scheme}”" if parts.scheme else "has no scheme"
    raise ImproperlyConfigured(f"{VARIABLE} {begins}. It is sqlite:///path or {EXAMPLE}.")


def _sqlite(parts: SplitResult) -> dict[str, object]:
    """``sqlite:///relative`` or ``sqlite:////absolute``."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": unquote(parts.path)[1:],
        "OPTIONS": {
            # A writer takes its lock at the start, so that two writers wait for each other instead of failing halfway.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;",
        },
        "TEST": {"NAME": None},
    }


def _postgresql(parts: SplitResult) -> dict[str, object]:
    """``postgresql://user:password@host:port/name``; a socket's folder stands as ``?host=`` or, encoded, as the host."""
    name = unquote(parts.path)[1:]
    if not name or "/" in name:
        raise ImproperlyConfigured(f"{VARIABLE} names no database. It is {EXAMPLE}.")
    options = _options(parts.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", "") or _host(parts),
        "PORT": _port(parts),
        # Requests and passes come and go on short-lived threads, so connections are kept in a pool and not by thread.
        "CONN_MAX_AGE": 0,
        # One that died while nobody used it is found out when it is handed out.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "pool": {"min_size": 0, "max_size": CONNECTIONS, "timeout": 20, "max_idle": 300},
            "connect_timeout": 10,
            "application_name": "rapport",
            # A server that vanished without a word is noticed within a minute or two, not after TCP's two hours.
            "keepalives_idle": 60,
            "tcp_user_timeout": 60_000,
            "options": " ".join(f"-c {key}={value}" for key, value in SESSION.items()),
            **options,
        },
    }


def _options(query: str) -> dict[str, str]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(given) - set(ALLOWED))
    if unknown:
        raise ImproperlyConfigured(
            f"{VARIABLE} has {', '.join(unknown)} after the question mark. What may stand there is {', '.join(ALLOWED)}."
        )
    return given


def _host(parts: SplitResult) -> str:
    """As it is written: ``hostname`` would make a socket's path lower case."""
    place = parts.netloc.rpartition("@")[2]
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return unquote(place.partition(":")[0])


def _port(parts: SplitResult) -> str:
    try:
        return str(parts.port or "")
    except ValueError as error:
        raise ImproperlyConfigured(f"{VARIABLE} has a port that is no number. It is {EXAMPLE}.") from error
