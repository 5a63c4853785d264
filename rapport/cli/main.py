"""The commands: data to standard output, words to standard error.

Exit codes: 0 done, 1 not done or not clean (the reason is said), 2 wrong use, 3 fate unknown.
"""

import argparse
import os
import sys
from collections.abc import Sequence

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rapport.settings")
try:
    django.setup()
except ImproperlyConfigured as error:
    sys.exit(str(error))

from rapport.cli import account, demo, doctor, export, host, records, serve, syncing, user  # needs Django
from rapport.cli.say import Failed, say
from rapport.connect import keys
from rapport.database import ready

GROUPS = (user, account, syncing, export, records, host, serve, doctor, demo)


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(prog="rapport", description="The email inbox of a CRM, from the command line.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for group in GROUPS:
        group.add_to(commands)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    os.umask(0o077)
    told = parser().parse_args(arguments)
    try:
        prepare()
        return int(told.run(told) or 0)
    except Failed as failure:
        say(str(failure))
        return failure.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has left (``| head``): that is their business, not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def prepare() -> None:
    """Make what is missing in the home: the database, its tables, the keys."""
    try:
        ready.check()
    except ready.NotReady as error:
        raise Failed(str(error)) from error
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    keys.ready()
