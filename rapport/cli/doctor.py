"""``rapport doctor``: is everything in place?"""

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import django
from django.conf import settings
from django.db import connection

from rapport.cli.say import Commands, Failed, Told, give, plural, say
from rapport.connect import keys, opening
from rapport.connect.models import Secret
from rapport.database import ready
from rapport.mail.models import Account, Message
from rapport.mime.child import Parsers
from rapport.mime.message import Unreadable
from rapport.people.models import User

ENOUGH = 2 * 1024**3
"""Octets of free disk below which it warns (R64)."""


class Wrong(Exception):
    """Something is not in order; the text says what to do."""


def add_to(commands: Commands) -> None:
    """Offer the command."""
    doctor = commands.add_parser("doctor", help="check that everything is in place")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=_doctor)


def _doctor(told: Told) -> None:
    found = [(name, *_look(check)) for name, check in CHECKS.items()]
    if told.json:
        give([{"check": name, "ok": ok, "words": words} for name, ok, words in found])
    for name, ok, words in found:
        say(f"{'ok ' if ok else 'NOT'} {name}: {words}")
    if not all(ok for _, ok, _ in found):
        raise Failed("Not everything is in order; see above.")


def _look(check: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, check()
    except (Wrong, OSError, keys.CannotOpen, ready.NotReady, Unreadable) as error:
        return False, str(error)


def _python() -> str:
    return f"Python {sys.version.split()[0]}, Django {django.get_version()}"


def _home() -> str:
    home = Path(settings.HOME)
    if not os.access(home, os.W_OK):
        raise Wrong(f"{home} cannot be written. Give it to the user that runs Rapport.")
    for private in (Path(settings.KEYS_FILE), home / "secret_key"):
        if private.exists() and stat.S_IMODE(private.stat().st_mode) & 0o077:
            raise Wrong(f"{private} can be read by others. chmod 600 it.")
    return str(home)


def _disk() -> str:
    free = shutil.disk_usage(settings.HOME).free
    if free < ENOUGH:
        raise Wrong(f"Only {free / 1024**3:.1f} GB are free. Fetching mail needs room.")
    return f"{free / 1024**3:.0f} GB free"


def _database() -> str:
    held = f"{plural(Message.objects.count(), 'email')}, {plural(User.objects.count(), 'user')}"
    return f"{_postgresql() if connection.vendor == 'postgresql' else _sqlite()}, {held}"


def _sqlite() -> str:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA quick_check")
        answer = str(cursor.fetchone()[0])
    if answer != "ok":
        raise Wrong(f"SQLite says: {answer}. Restore a backup.")
    return f"SQLite {sqlite3.sqlite_version}"


def _postgresql() -> str:
    ready.check()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        version, size = cursor.fetchone()
    return f"PostgreSQL {version.split()[0]}, {size / 1024**2:,.0f} MB"


def _secrets() -> str:
    for secret in Secret.objects.select_related("account"):
        keys.unseal(bytes(secret.sealed), opening.place(secret.account))
    return f"{plural(Secret.objects.count(), 'password')} can be opened"


def _parser() -> str:
    with Parsers(1) as parsers:
        parsers.parse(b"Subject: hello\r\n\r\nhello\r\n")
    return "the mail parser's child process answers"


def _mailboxes() -> str:
    ill = Account.objects.exclude(trouble="").order_by("address")
    if ill:
        raise Wrong("; ".join(f"{account.address}: {account.trouble}" for account in ill))
    return f"{plural(Account.objects.count(), 'mailbox', 'mailboxes')}, no trouble"


CHECKS: dict[str, Callable[[], str]] = {
    "versions": _python,
    "home": _home,
    "disk": _disk,
    "database": _database,
    "secrets": _secrets,
    "parser": _parser,
    "mailboxes": _mailboxes,
}
