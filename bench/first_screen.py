"""How soon a newcomer sees mail: connect a 10,000-message mailbox in the browser, then watch new mail arrive.

python -m bench.first_screen [COUNT]

A real Dovecot, both processes of ``rapport serve``, Chromium. Ceilings of the issue: 50 emails on screen within 1 s
of Connect, new mail on the open page within 2 s (Dovecot itself waits 0.5 s before it tells a client).
"""

import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

from bench.letters import letters
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Sink

ROOT = Path(__file__).parents[1]
CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "correct horse battery"  # for this run
ARRIVALS = 9


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as home, Dovecot() as dovecot, Sink() as sink:
        user, other = dovecot.new_user(), dovecot.new_user()
        for raw, when in letters(count):
            dovecot.deliver(user, [raw], when=when.timestamp())
        dovecot.uids(user)  # Dovecot's own index is made before the clock starts, as on any living server
        port = _free_port()
        _prepare(home, dovecot, sink, other)
        served = _start(home, port)
        try:
            _measure(port, count, dovecot, sink, user)
            print(f"of which until they were stored: {_stored(home):.2f} s")
        finally:
            served.terminate()
            served.wait(20)


def _measure(port: int, count: int, dovecot: Dovecot, sink: Sink, user: str) -> None:
    url = f"http://127.0.0.1:{port}"
    _wait_for(f"{url}/sign-in")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM if CHROMIUM.exists() else None,
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        seconds = _connect(page, url, dovecot, sink, user)
        print(f"50 emails on screen {seconds:.2f} s after Connect ({count:,} in the mailbox)")
        began = time.monotonic()
        page.locator(".syncing").wait_for(state="detached", timeout=600_000)
        print(f"the whole first sync, with the pages open: {seconds + time.monotonic() - began:.1f} s")
        waits = [_arrival(page, dovecot, user, number) for number in range(ARRIVALS)]
        print(f"new mail on the open page: median {statistics.median(waits):.2f} s, worst {max(waits):.2f} s")
        browser.close()


def _connect(page: Page, url: str, dovecot: Dovecot, sink: Sink, user: str) -> float:
    page.goto(f"{url}/sign-in")
    page.get_by_label("Email").fill("ana@rapport.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/**")
    page.goto(f"{url}/connect/shared/sign-in")
    page.get_by_label("Email address").fill("sales@rapport.test")
    page.get_by_label("Password", exact=True).fill("secret")
    page.get_by_label("Username").fill(user)
    for protocol, port in (("IMAP", dovecot.port), ("SMTP", sink.port)):
        page.get_by_label(f"{protocol} encryption").select_option("None")
        page.get_by_label(f"{protocol} server").fill("127.0.0.1")
        page.get_by_label(f"{protocol} port").fill(str(port))
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("Choose folders").click()
    page.get_by_text("6 months ago").click()
    button = page.get_by_role("button", name="Connect and start syncing")
    button.wait_for()
    began = time.monotonic()
    button.click()
    page.locator(".row").nth(49).wait_for(timeout=60_000)
    return time.monotonic() - began


def _arrival(page: Page, dovecot: Dovecot, user: str, number: int) -> float:
    time.sleep(1.0)
    subject = f"Just arrived {number}"
    began = time.monotonic()
    dovecot.deliver(user, [f"From: new@firm.test\r\nSubject: {subject}\r\n\r\nHello.\r\n".encode()])
    page.get_by_text(subject).first.wait_for(timeout=30_000)
    return time.monotonic() - began


def _stored(home: str) -> float:
    """Seconds from the account's row to the first emails' commit, by the database's own times."""
    with sqlite3.connect(Path(home) / "rapport.sqlite3") as database:
        (connected,) = database.execute("SELECT max(connected_at) FROM mail_account").fetchone()
        (first,) = database.execute("SELECT min(at) FROM events_event WHERE kind = 'thread'").fetchone()
    return (datetime.fromisoformat(first) - datetime.fromisoformat(connected)).total_seconds()


def _prepare(home: str, dovecot: Dovecot, sink: Sink, other: str) -> None:
    _run(home, "user", "add", "ana@rapport.test", "--name", "Ana", "--admin", "--password-stdin", stdin=PASSWORD)
    for port in (dovecot.port, sink.port):
        _run(home, "host", "allow", f"127.0.0.1:{port}")
    servers = {"--incoming": dovecot.port, "--outgoing": sink.port}
    words = [word for name, port in servers.items() for word in (name, f"127.0.0.1:{port}/none")]
    fixed = ["--kind", "shared", "--type", "imap", "--sync-from", "now", "--folders", "all", "--username", other]
    _run(home, "account", "connect", "info@rapport.test", "--password-stdin", *fixed, *words, stdin="secret")


def _run(home: str, *words: str, stdin: str = "") -> None:
    command = [sys.executable, "-m", "rapport.cli", *words]
    subprocess.run(command, cwd=ROOT, env=_environment(home), input=stdin, text=True, check=True, capture_output=True)


def _start(home: str, port: int) -> "subprocess.Popen[bytes]":
    told = _environment(home) | {"RAPPORT_URL": f"http://127.0.0.1:{port}"}
    command = [sys.executable, "-m", "rapport.cli", "serve", "--port", str(port)]
    return subprocess.Popen(command, cwd=ROOT, env=told, stderr=subprocess.DEVNULL)


def _environment(home: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "RAPPORT_HOME": home}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            with urlopen(url, timeout=2):  # noqa: S310  # our own server
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer")


if __name__ == "__main__":
    main()
