"""``rapport account``: mailboxes."""

import argparse
import ipaddress
import sys
from collections.abc import Sequence
from dataclasses import replace

from rapport.audit.models import note
from rapport.cli.say import Commands, Failed, Told, give, password, plural, say
from rapport.connect import add, keys, opening, remove, test
from rapport.connect.test import Endpoint, FoundFolder, Result, Settings
from rapport.connect.words import Words
from rapport.mail.models import Account, Message
from rapport.net import Policy
from rapport.people.models import User


def add_to(commands: Commands) -> None:
    """Offer the commands."""
    group = commands.add_parser("account", help="mailboxes").add_subparsers(dest="verb", metavar="VERB", required=True)
    _offer_connect(group)
    for name, run, words in (
        ("show", _show, "one mailbox in full"),
        ("test", _test, "sign in to both of its servers now"),
        ("delete", _delete, "forget a mailbox and all local copies; the server is not touched"),
    ):
        one = group.add_parser(name, help=words)
        one.add_argument("address")
        one.add_argument("--json", action="store_true")
        one.set_defaults(run=run)
    back = group.add_parser("reconnect", help="bring a mailbox back with a new password")
    back.add_argument("address")
    back.add_argument("--password-stdin", action="store_true", required=True, help="read the password from stdin")
    back.add_argument("--json", action="store_true")
    back.set_defaults(run=_reconnect)
    every = group.add_parser("list", help="all mailboxes")
    every.add_argument("--json", action="store_true")
    every.set_defaults(run=_list)


def find(address: str) -> Account:
    """The account of this address. Raises Failed."""
    account = Account.objects.filter(address=address.strip().lower()).first()
    if account is None:
        raise Failed(f"No mailbox {address} is connected.")
    return account


def _offer_connect(group: Commands) -> None:
    connect = group.add_parser("connect", help="test a mailbox's servers and connect it")
    connect.add_argument("address")
    connect.add_argument("--kind", required=True, choices=["shared", "personal"])
    connect.add_argument("--owner", help="whose mailbox it is (personal), or who connects it (shared)")
    connect.add_argument("--type", required=True, choices=["imap"])
    connect.add_argument("--incoming", required=True, type=_server, metavar="HOST:PORT/ssl|starttls|none")
    connect.add_argument("--outgoing", required=True, type=_server, metavar="HOST:PORT/ssl|starttls|none")
    connect.add_argument("--username", default="", help="only where it differs from the address")
    connect.add_argument("--password-stdin", action="store_true", required=True, help="read the password from stdin")
    connect.add_argument("--sync-from", required=True, choices=["now", "1m", "3m", "6m", "all"])
    connect.add_argument("--folders", required=True, metavar='all|default|"INBOX,Sent"')
    connect.add_argument("--create-contacts", action="store_true", help="make contacts of unknown senders")
    connect.add_argument(
        "--allow-certificate", action="append", default=[], metavar="SHA256", help="allow this untrusted certificate"
    )
    connect.add_argument("--allow-plain", action="store_true", help="allow 'none' beyond loopback")
    connect.add_argument("--json", action="store_true")
    connect.set_defaults(run=_connect)


def _server(text: str) -> Endpoint:
    try:
        return test.server(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _connect(told: Told) -> None:
    settings = Settings(
        address=told.address.strip().lower(),
        kind=told.kind,
        username=told.username,
        incoming=told.incoming,
        outgoing=told.outgoing,
    )
    owner = _owner(told)
    _refuse_plain(settings, allowed=told.allow_plain)
    if Account.objects.filter(address=settings.address).exists():
        raise Failed(f"{settings.address} is already connected.")
    secret = password()
    targets = [(server.host, server.port) for server in (settings.incoming, settings.outgoing)]
    settings, result = _tested(settings, secret, Policy.allowing(*targets), told.allow_certificate)
    active = _active(told.folders, result.folders)
    try:
        account = add.account_from(
            settings,
            secret,
            result.folders,
            owner=owner,
            period=told.sync_from,
            create_contacts=told.create_contacts,
            folders=active,
        )
    except add.CannotConnect as error:
        raise Failed(str(error)) from error
    add.allow(account, *targets)
    note("account connected", f"{account.address} ({account.kind})", by=None)
    if told.json:
        give(_described(account))
    else:
        say(f"{account.address} is connected with {plural(len(active), 'folder')}. Next: rapport sync --once")


def _owner(told: Told) -> User | None:
    if not told.owner:
        if told.kind == "personal":
            raise Failed("A personal mailbox belongs to somebody: say whose with --owner ADDRESS.", code=2)
        return None
    owner = User.objects.filter(address=told.owner.strip().lower()).first()
    if owner is None:
        raise Failed(f"There is no user {told.owner}. Add them first: rapport user add {told.owner} --name …")
    return owner


def _refuse_plain(settings: Settings, *, allowed: bool) -> None:
    for server in (settings.incoming, settings.outgoing):
        if server.in_clear and not allowed and not _is_loopback(server.host):
            raise Failed(
                f"Without encryption the password would travel to {server.host} in clear text. "
                "Use ssl or starttls; or say --allow-plain if this network is yours alone.",
                code=2,
            )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _tested(settings: Settings, secret: str, policy: Policy, allowed: Sequence[str]) -> tuple[Settings, Result]:
    """Test both servers; pin what was allowed where a server shows exactly that. Raises Failed."""
    prints = {one.replace(":", "").strip().lower() for one in allowed}
    result = test.try_out(settings, secret, policy=policy)
    pinned = replace(
        settings,
        incoming=_pinned(settings.incoming, result.incoming, prints),
        outgoing=_pinned(settings.outgoing, result.outgoing, prints),
    )
    if pinned != settings:
        settings, result = pinned, test.try_out(pinned, secret, policy=policy)
    if not result.passed:
        raise Failed("\n".join(_told(words) for words in (result.incoming, result.outgoing) if words))
    return settings, result


def _pinned(server: Endpoint, failure: Words | None, prints: set[str]) -> Endpoint:
    shown = failure.certificate if failure else None
    return replace(server, pinned=shown.sha256) if shown and shown.sha256 in prints else server


def _told(failure: Words) -> str:
    said = f"\n  The server said: {failure.said}" if failure.said else ""
    shown = failure.certificate
    print_ = f"\n  Allow it with --allow-certificate {shown.sha256}" if shown else ""
    return f"{failure}{said}{print_}"


def _active(choice: str, found: Sequence[FoundFolder]) -> list[str]:
    """The wires of the folders that were chosen. Raises Failed."""
    open_ = [folder for folder in found if folder.selectable]
    if choice == "all":
        return [folder.wire for folder in open_]
    if choice == "default":
        return [folder.wire for folder in open_ if folder.role in test.DEFAULT_ROLES]
    by_name = {folder.name: folder.wire for folder in open_}
    wanted = [name.strip() for name in choice.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in by_name]
    if unknown or not wanted:
        raise Failed(f"No such folder: {', '.join(unknown) or choice}. There are: {', '.join(by_name)}.")
    return [by_name[name] for name in wanted]


def _list(told: Told) -> None:
    accounts = list(Account.objects.order_by("pk"))
    if told.json:
        give([_described(account) for account in accounts])
        return
    for account in accounts:
        print(f"{account.address}\t{account.kind}\t{account.state}\t{account.trouble}".rstrip())
    if not accounts:
        say("No mailbox is connected yet. Connect one: rapport account connect --help")


def _show(told: Told) -> None:
    shown = _described(find(told.address))
    if told.json:
        give(shown)
        return
    for key, value in shown.items():
        if key != "folders":
            print(f"{key}: {value}")
    for folder in find(told.address).folders.order_by("name"):
        mark = "active" if folder.active else "not active"
        print(f"folder: {folder.name} ({folder.role or 'folder'}, {mark}, {folder.left} still to fetch)")


def _described(account: Account) -> dict[str, object]:
    """An account without anything secret."""
    return {
        "id": str(account.uuid),
        "address": account.address,
        "kind": account.kind,
        "owner": account.owner.address if account.owner else None,
        "type": "imap",
        "incoming": f"{account.incoming_host}:{account.incoming_port}/{account.incoming_security}",
        "outgoing": f"{account.outgoing_host}:{account.outgoing_port}/{account.outgoing_security}",
        "username": account.username or account.address,
        "sync_from": account.sync_from.isoformat() if account.sync_from else None,
        "create_contacts": account.create_contacts,
        "state": account.state,
        "trouble": account.trouble,
        "synced_at": account.synced_at.isoformat() if account.synced_at else None,
        "emails": Message.objects.filter(account=account, gone_since=None).count(),
        "folders": list(account.folders.filter(gone_at=None).order_by("name").values("name", "role", "active", "left")),
    }


def _test(told: Told) -> None:
    account = find(told.address)
    settings = Settings(
        account.address, account.kind, account.username, opening.incoming(account), opening.outgoing(account)
    )
    try:
        secret = opening.login(account).password
    except keys.CannotOpen as error:
        raise Failed(str(error)) from error
    result = test.try_out(settings, secret, policy=opening.policy(account))
    if told.json:
        give(
            {
                "incoming": str(result.incoming) if result.incoming else "ok",
                "outgoing": str(result.outgoing) if result.outgoing else "ok",
            }
        )
    if not result.passed:
        raise Failed("\n".join(_told(words) for words in (result.incoming, result.outgoing) if words))
    say(f"Both servers accepted the sign-in of {account.address} ({sum(result.milliseconds)} ms).")


def _reconnect(told: Told) -> None:
    account = find(told.address)
    result = add.reconnect(account, password())
    if not result.passed:
        raise Failed("\n".join(_told(words) for words in (result.incoming, result.outgoing) if words))
    note("account reconnected", account.address, by=None)
    if told.json:
        give(_described(find(told.address)))
    else:
        say(f"{account.address} is connected again. What arrived meanwhile comes in at the next sync.")


def _delete(told: Told) -> None:
    account = find(told.address)
    count = Message.objects.filter(account=account).count()
    if sys.stdin.isatty():
        say(f"This deletes the local copies of {plural(count, 'email')}; the server keeps its own.")
        say(f"Type {account.address} to go on:")
        if sys.stdin.readline().strip().lower() != account.address:
            raise Failed("Nothing was deleted.")
    try:
        remove.account(account)
    except remove.InUse as error:
        raise Failed(str(error)) from error
    note("account deleted", account.address, by=None)
    say(f"{account.address} and {plural(count, 'local copy', 'local copies')} are deleted. The server was not touched.")
    if told.json:
        give({"address": account.address, "emails": count})
