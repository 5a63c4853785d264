"""``rapport demo``: a made-up firm with a living mailbox, in a home of its own.

Everything goes the way it goes for real: a mail server is started on loopback, the hosts are allowed, the mailboxes
are tested and connected, and the engine reads and associates. Only the records are typed in beforehand.
"""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from rapport.cli import processes
from rapport.cli.say import Commands, Failed, Told, say
from rapport.cli.serve import run_both, start_pages
from rapport.connect import add, test
from rapport.connect.models import AllowedHost
from rapport.connect.test import Settings
from rapport.crm import verbs as crm
from rapport.crm.models import Contact
from rapport.demo import firm
from rapport.mail.models import Account
from rapport.people import verbs as people
from rapport.people.models import User

LIVING = 90
"""Seconds between two new emails, about."""
LOOPBACK = "127.0.0.1"
KINDS = {firm.SALES: "shared", firm.INFO: "shared", firm.MARA: "personal", firm.TOMASZ: "personal"}
PERIOD = "6m"


def add_to(commands: Commands) -> None:
    """Offer the command."""
    demo = commands.add_parser("demo", help="try Rapport with a made-up firm and its mail")
    demo.add_argument("--port", type=int, default=8000, help="port for the pages (8000)")
    demo.set_defaults(run=_demo)


def _demo(told: Told) -> int:
    # Told to stop while it starts, it stops what runs already.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    _refuse_busy(told.port)
    _people()
    ports = _ports()
    # The pages start while the mail server does: both take a second.
    running = [start_pages(LOOPBACK, told.port)]
    try:
        running.append(_mail_server(ports))
        _records()
        _mailboxes(ports)
    except BaseException:
        for process in running:
            processes.stop(process)
        raise
    address, password = _sign_in()
    ready = (
        f"The demo is at {settings.URL}\n  Sign in as {address} with {password} (filled in for you).\n"
        "  New mail arrives now and then. Stop it with Ctrl+C; its mail is kept for the next time."
    )
    return run_both(*running, ready=ready)


def _sign_in() -> tuple[str, str]:
    """The demo's user. Raises Failed outside of the demo's own home."""
    if settings.DEMO_SIGN_IN is None:
        raise Failed("The demo has a home of its own: start it with bin/demo.", code=2)
    return settings.DEMO_SIGN_IN


def _refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise Failed(f"Port {port} is in use. Choose another: bin/demo --port {port + 1}") from error


def _people() -> None:
    _, password = _sign_in()
    for person in firm.people():
        if not User.objects.filter(address=person.address).exists():
            people.add(person.address, name=person.name, password=password, admin=person.admin)


def _records() -> None:
    """What an administrator of that firm would have typed in. Which mail is about whom, the rules find out."""
    if Contact.objects.exists():
        return
    companies, contacts = firm.records()
    for company in companies:
        _once(crm.add_company, company.name, company.domains)
    for contact in contacts:
        _once(
            crm.add_contact,
            contact.name,
            contact.addresses,
            title=contact.title,
            phone=contact.phone,
            company=contact.company,
        )


def _once(make: object, name: str, keys: Sequence[str], **more: str) -> None:
    try:
        make(name, list(keys), by=None, **more)  # type: ignore[operator]  # one of two verbs with the same opening
    except crm.AlreadyThere:
        return


def _ports() -> tuple[int, int]:
    """The mail server's ports: those of the last time where they are still free."""
    path = Path(settings.HOME) / "demo.json"
    saved = json.loads(path.read_text()) if path.exists() else [0, 0]
    imap, smtp = (port if port and _free(port) else _any_port() for port in saved)
    path.write_text(json.dumps([imap, smtp]))
    return imap, smtp


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _any_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as probe:
        return int(probe.getsockname()[1])


def _mail_server(ports: tuple[int, int]) -> "subprocess.Popen[bytes]":
    """The demo's own mail server, listening when this returns. Raises Failed."""
    say("Starting the demo’s mail server …")
    home = Path(settings.HOME) / "mailserver"
    command = ["--home", str(home), "--imap-port", str(ports[0]), "--smtp-port", str(ports[1]), "--living", str(LIVING)]
    server = processes.start("rapport.demo.server", *command, output=subprocess.PIPE)
    if server.stdout is None or server.stdout.readline().strip() != b"ready":
        server.kill()
        raise Failed("The demo’s mail server did not start; see above.")
    return server


def _mailboxes(ports: tuple[int, int]) -> None:
    """Connect the firm's mailboxes as anybody's: tested first, at hosts that an administrator allowed."""
    for port in ports:
        AllowedHost.objects.get_or_create(host=LOOPBACK, port=port, account=None)
    for address, kind in KINDS.items():
        known = Account.objects.filter(address=address)
        if not known.update(incoming_port=ports[0], outgoing_port=ports[1]):
            _connect(address, kind, ports)


def _connect(address: str, kind: str, ports: tuple[int, int]) -> None:
    incoming, outgoing = (test.server(f"{LOOPBACK}:{port}/none") for port in ports)
    wanted = Settings(address=address, kind=kind, username="", incoming=incoming, outgoing=outgoing)
    result = test.try_out(wanted, firm.PASSWORD)
    if not result.passed:
        raise Failed(f"The demo’s mailbox {address} cannot be connected: {result.incoming or result.outgoing}")
    owner = User.objects.get(address=address if kind == "personal" else _sign_in()[0])
    active = [folder.wire for folder in result.folders if folder.role not in ("trash", "spam")]
    add.account_from(
        wanted, firm.PASSWORD, result.folders, owner=owner, period=PERIOD, create_contacts=True, folders=active
    )
