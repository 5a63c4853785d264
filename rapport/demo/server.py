"""The server is the demo's own mail server: IMAP and SMTP on loopback, without root, with the firm's mail in it.

python -m rapport.demo.server --home DIR --imap-port N --smtp-port N [--living SECONDS]
"""

import argparse
import asyncio
import errno
import fcntl
import json
import logging
import random
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from proxyprotocol.reader import ProxyProtocolReader
from pymap.imap import IMAPServer

from rapport.demo import maildirs
from rapport.demo.cast import DOMAIN, MAILBOXES, ours, voices
from rapport.demo.firm import PASSWORD, letters, newcomers

LOOPBACK = "127.0.0.1"
FIRST_ARRIVAL = 20.0
# The one address that does not exist, so that a mail which cannot be sent can be seen.
NOBODY = "kwame@osei-construct.example"


class Refused(Exception):
    """The server cannot start, and says why in one sentence."""


def main() -> None:
    """Serve until told to stop."""
    settings = _settings()
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of what it does itself
    try:
        asyncio.run(serve(settings.home, settings.imap_port, settings.smtp_port, settings.living))
    except Refused as refused:
        sys.exit(str(refused))


def _settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rapport.demo.server", description="The demo's mail server.")
    parser.add_argument("--home", type=Path, required=True, help="the directory that keeps its mail")
    parser.add_argument("--imap-port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--living", type=float, metavar="SECONDS", help="deliver a new mail about this often")
    return parser.parse_args()


async def serve(home: Path, imap_port: int, smtp_port: int, living: float | None) -> None:
    """Open the ports, settle the mail, and keep going until a signal comes."""
    stopped = _stop_on_signals()
    doors = _open_port(imap_port, "--imap-port"), _open_port(smtp_port, "--smtp-port")
    with _only_one(home):
        born = _settle(home)
        maildirs.correct(home)
        servers = [await _imap(home, doors[0]), await _smtp(home, doors[1])]
        if living:
            arriving = asyncio.create_task(_live(home, born, living))
            arriving.add_done_callback(_say_what_broke)
        print("ready", flush=True)  # whoever started us waits for it
        await stopped.wait()
        await _close(servers)


def _stop_on_signals() -> asyncio.Event:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped


def _open_port(port: int, option: str) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused(f"Port {port} is in use: stop what uses it, or choose another with {option}.") from error
        raise Refused(f"Port {port} cannot be opened ({error.strerror}): choose another with {option}.") from error


def _only_one(home: Path) -> IO[str]:
    """Hold the home, for as long as the file is open."""
    home.mkdir(parents=True, exist_ok=True)
    held = (home / "in-use").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Refused(f"Another demo mail server is at work in {home}: stop it first.") from error
    return held


def _settle(home: Path) -> datetime:
    """Find the firm's mail, or write it; say when it was written."""
    birthday = home / "mail" / "born"
    if not birthday.exists():
        _write_all(home, datetime.now().astimezone())
    return datetime.fromisoformat(birthday.read_text())


def _write_all(home: Path, now: datetime) -> None:
    """Write everything beside its place and then move it there, so that half of it is never taken for all."""
    unfinished = home / "mail.unfinished"
    for leftover in (unfinished, home / "mail"):
        shutil.rmtree(leftover, ignore_errors=True)
    maildirs.write(unfinished, letters(now))
    (unfinished / "born").write_text(now.isoformat())
    unfinished.rename(home / "mail")


# IMAP


async def _imap(home: Path, door: socket.socket) -> asyncio.Server:
    backend, config = maildirs.backend(home)
    config.apply_context()
    reader = ProxyProtocolReader(config.proxy_protocol)
    return await asyncio.start_server(reader.get_callback(IMAPServer(backend.login, config)), sock=door)


# SMTP


async def _smtp(home: Path, door: socket.socket) -> asyncio.Server:
    office = PostOffice(home)

    def answer() -> SMTP:
        # A demo on loopback needs no TLS; whoever is not signed in may write to the firm only, as anywhere.
        return SMTP(office, hostname=f"mx.{DOMAIN}", authenticator=_signed_in, auth_require_tls=False, ident="Demo")

    return await asyncio.get_running_loop().create_server(answer, sock=door)


def _signed_in(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
    known = isinstance(given, LoginPassword) and given.login.decode().lower() in MAILBOXES
    right = isinstance(given, LoginPassword) and given.password.decode() == PASSWORD
    return AuthResult(success=known and right, handled=False)


class PostOffice:
    """Takes mail: what is for the firm goes into its mailboxes, what is for the world is written down and forgotten."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Say whether there is such an address, the way a server out there would."""
        there = address.lower()
        if there == NOBODY or (there.endswith(f"@{DOMAIN}") and there not in _local()):
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        if not there.endswith(f"@{DOMAIN}") and not session.authenticated:
            return "530 5.7.0 Sign in before you write to the world"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Deliver."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        received = datetime.now().astimezone()
        for mailbox in sorted({address.lower() for address in envelope.rcpt_tos} & set(MAILBOXES)):
            await maildirs.deliver(self._home, mailbox, _stamped(raw, envelope.mail_from or "", received), received)
        self._write_down(envelope, raw, received)
        return "250 2.0.0 Ok: delivered"

    def _write_down(self, envelope: Envelope, raw: bytes, when: datetime) -> None:
        away = [address for address in envelope.rcpt_tos if address.lower() not in MAILBOXES]
        entry = {"at": when.isoformat(), "from": envelope.mail_from, "to": away, "bytes": len(raw)}
        if away:
            with (self._home / "sent-to-the-world.log").open("a") as log:
                log.write(json.dumps(entry) + "\n")


def _local() -> frozenset[str]:
    return frozenset({voice.address for voice in voices().values() if ours(voice)} | set(MAILBOXES))


def _stamped(raw: bytes, sender: str, when: datetime) -> bytes:
    received = f"Received: from demo by mx.{DOMAIN} with ESMTP; {when:%d} {when.strftime('%b %Y %H:%M:%S %z')}"
    return f"Return-Path: <{sender}>\r\n{received}\r\n".encode("ascii", "replace") + raw


# New mail


async def _live(home: Path, born: datetime, every: float) -> None:
    """Let a mail arrive soon, and then one now and then."""
    rng = random.Random()
    arriving = newcomers(born, lambda: datetime.now().astimezone())
    _skip_some(arriving, rng)
    await asyncio.sleep(min(FIRST_ARRIVAL, every))
    for letter in arriving:
        await maildirs.deliver(home, letter.mailbox, letter.raw, letter.internal_date)
        await asyncio.sleep(every * rng.uniform(0.6, 1.4))


def _skip_some(arriving: Iterator[object], rng: random.Random) -> None:
    """Not every start begins with the same mail."""
    for _ in range(rng.randrange(3)):
        next(arriving)


def _say_what_broke(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception():
        print(f"No more new mail arrives: {task.exception()}", file=sys.stderr, flush=True)  # as above


# The end


async def _close(servers: list[asyncio.Server]) -> None:
    """Stop listening, then end every conversation still open; a client that is idling would wait for ever."""
    for server in servers:
        server.close()
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.gather(*rest, return_exceptions=True)


if __name__ == "__main__":
    main()
