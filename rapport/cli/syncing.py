"""``rapport sync`` and ``rapport verify``: bringing mail in, and proving that it is here."""

import time
from collections.abc import Sequence

from rapport.cli.account import find
from rapport.cli.jobs import JOBS
from rapport.cli.say import Commands, Failed, Told, give, plural, say
from rapport.mail.models import Account, Folder, Message
from rapport.mime.child import Parsers
from rapport.sync import hold, verify, worker
from rapport.sync.reparse import reparse
from rapport.sync.verify import Report, as_json
from rapport.work.loop import run_due

PATIENCE = 60.0
"""Seconds to wait for another process that holds the account."""


def add_to(commands: Commands) -> None:
    """Offer the commands."""
    sync = commands.add_parser("sync", help="bring mail in until nothing is left to do now")
    sync.add_argument("addresses", nargs="*", metavar="ADDRESS", help="which mailboxes (all)")
    sync.add_argument("--once", action="store_true", required=True, help="stop when done (serve keeps going)")
    sync.add_argument("--large", action="store_true", help="also what is too large to come by itself")
    sync.add_argument("--json", action="store_true")
    sync.set_defaults(run=_sync)
    check = commands.add_parser("verify", help="compare what is here with the servers, now")
    check.add_argument("addresses", nargs="*", metavar="ADDRESS", help="which mailboxes (all)")
    check.add_argument("--deep", action="store_true", help="fetch every email again and compare its bytes")
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=_verify)
    _offer_reparse(commands)


def _offer_reparse(commands: Commands) -> None:
    again = commands.add_parser("reparse", help="read old mail again with the newest parser")
    again.add_argument("addresses", nargs="*", metavar="ADDRESS", help="which mailboxes (all)")
    again.add_argument("--json", action="store_true")
    again.set_defaults(run=_reparse)


def _reparse(told: Told) -> None:
    done = []
    with Parsers(2) as parsers:
        for account in _chosen(told.addresses):
            try:
                count = reparse(account, parsers, tell=lambda so_far: say(f"  {so_far:,} …"))
            except (hold.Lost, worker.Busy) as error:
                raise Failed(f"{account.address}: another process is syncing it; try again later.") from error
            done.append({"account": account.address, "emails": count})
            say(f"{account.address}: {plural(count, 'email')} read again.")
    if told.json:
        give(done)


def _sync(told: Told) -> None:
    accounts = _chosen(told.addresses)
    parsers = Parsers(2)
    failures = []
    try:
        for account in accounts:
            try:
                _until_done(account, parsers)
                if told.large:
                    worker.fetch_large(account, parsers)
            except worker.Trouble as error:
                failures.append(f"{account.address}: {error}")
            except (hold.Lost, worker.Busy):
                failures.append(f"{account.address}: another process is syncing it; try again later.")
    finally:
        parsers.close()
    while run_due(JOBS):
        pass
    if told.json:
        give([_counted(account) for account in accounts])
    if failures:
        raise Failed("\n".join(failures))
    for account in accounts:
        count = Message.objects.filter(account=account, gone_since=None).count()
        say(f"{account.address}: {plural(count, 'email')} here, nothing left to fetch.")


def _chosen(addresses: Sequence[str]) -> list[Account]:
    return [find(address) for address in addresses] or list(Account.objects.order_by("pk"))


def _until_done(account: Account, parsers: Parsers) -> None:
    """Passes until one changes nothing. The last one has asked the server about every folder."""
    patience = time.monotonic() + PATIENCE
    more = True
    while more:
        try:
            more = worker.sync(Account.objects.get(pk=account.pk), parsers, thorough=True)
        except worker.Busy:
            if time.monotonic() > patience:
                raise
            time.sleep(0.2)


def _counted(account: Account) -> dict[str, object]:
    folders = Folder.objects.filter(account=account, gone_at=None)
    return {
        "account": account.address,
        "emails": Message.objects.filter(account=account, gone_since=None).count(),
        "left": sum(folders.values_list("left", flat=True)),
    }


def _verify(told: Told) -> int:
    reports: list[Report] = []
    failures = []
    for account in _chosen(told.addresses):
        try:
            reports += verify.check(account, deep=told.deep)
        except worker.Trouble as error:
            failures.append(f"{account.address}: {error}")
    if told.json:
        give(as_json(reports))
    for report in reports:
        say(_line(report))
    if failures:
        raise Failed("\n".join(failures))
    return 0 if all(report.clean for report in reports) else 1


def _line(report: Report) -> str:
    skipped = ", ".join(f"{count:,} {reason}" for reason, count in sorted(report.skipped.items())) or "none"
    return (
        f"{report.account} {report.folder}: {report.on_server:,} on the server, {report.here:,} here, "
        f"skipped: {skipped}; {report.missing:,} missing, {report.extra:,} extra"
    )
