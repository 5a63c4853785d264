"""Every page as it is, photographed, and beside the design's picture of it.

python -m bench.screens OUT [--shots FOLDER [--pairs FOLDER]] [--readme FILE] [--only WORD …]

OUT receives each scene at 1440×900 and 390×844, light and dark. FOLDER of --shots holds the design's pictures; the pairs
made from them go to --pairs. Two installations are started and thrown away: the demo, and an empty one with a real
Dovecot, where the onboarding, the connect dialog and its failures really happen.
"""

import argparse
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

from playwright.sync_api import Page, sync_playwright

from bench.camera import LOOKS, Camera
from bench.letters import letters
from rapport.cli.processes import POLITE
from rapport.demo import firm
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Sink

ROOT = Path(__file__).parents[1]
CHROMIUM = Path("/usr/bin/chromium")
PASSWORD = "quiet rooms and long walks"  # of an installation that lives for a minute
COMMAND = "import sys; from rapport.cli.main import main; sys.exit(main())"
"""A command in the home it is given, the demo's included."""
MAIL = 12_000
"""Emails of the mailbox whose first sync is watched: long enough to be stopped in the middle."""
TENDERS = "tenders@alderfinch.example"
INES = "Lisbon HQ ceiling baffles"


def main() -> None:
    """Photograph everything that was asked for."""
    told = _told()
    told.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM if CHROMIUM.exists() else None,
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
        )
        camera = Camera(browser, told.out)
        if told.world in ("demo", "both"):
            _demo(camera)
        if told.world in ("empty", "both"):
            _empty(camera)
        if told.shots and told.pairs:
            camera.pair(told.shots, told.pairs)
        if told.readme:
            camera.small(told.out / "conversation-wide.png", told.readme)
        browser.close()


def _told() -> argparse.Namespace:
    told = argparse.ArgumentParser(prog="python -m bench.screens", description=__doc__)
    told.add_argument("out", type=Path, help="folder for our pictures")
    told.add_argument("--shots", type=Path, help="folder of the design's pictures")
    told.add_argument("--pairs", type=Path, help="folder for both side by side")
    told.add_argument("--readme", type=Path, help="the one picture of the README")
    told.add_argument("--world", choices=["demo", "empty", "both", "none"], default="both", help="what to start (both)")
    return told.parse_args()


# --- the demo -----------------------------------------------------------------------------------------------------------


def _demo(camera: Camera) -> None:
    """The pages somebody works in, with the mail of the demo's firm."""
    with _installation(RAPPORT_DEMO="1") as here, here.running("demo", "--port", str(here.port)):
        here.wait()
        page = camera.page(here.url)
        page.goto("/sign-in")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/inbox/")
        page.locator(".row").nth(9).wait_for(timeout=60_000)
        page.locator(".syncing").first.wait_for(state="detached", timeout=120_000)
        _reading(camera, page)
        _waiting(camera, page)
        _records(camera, page)
        page.goto(f"/inbox/{uuid4()}/")
        camera.take(page, "not-found")


def _reading(camera: Camera, page: Page) -> None:
    page.goto("/inbox/")
    camera.take(page, "all-inboxes")
    page.get_by_role("link", name="sales@").first.click()
    page.wait_for_url("**/inbox/*-*/")
    page.locator(".row").first.wait_for()
    camera.take(page, "list")
    camera.take(page, "mailboxes", looks=("mobile", "mobile-dark", "1024"), before=lambda: _drawer(page))
    page.reload()
    page.locator("#rows .subj", has_text=INES).first.click()
    page.locator("#subject", has_text=INES).wait_for()
    page.mouse.move(900, 20)
    camera.take(page, "conversation")
    camera.take(page, "context", looks=("mobile", "mobile-dark", "1024"), before=lambda: _panel(page))


def _waiting(camera: Camera, page: Page) -> None:
    """What stands there while an answer is on its way: here it never comes."""
    # Chromium lets nobody look at a page that is being left, so it is only asked to leave.
    page.evaluate("addEventListener('click', (event) => event.preventDefault())")
    page.get_by_role("link", name="info@").first.click()
    page.locator(".shape.list").wait_for()
    camera.take(page, "loading", looks=("wide", "wide-dark"))
    page.locator(".slow").first.wait_for(timeout=20_000)
    camera.take(page, "slow", looks=("wide", "wide-dark"))
    page.goto("/inbox/")
    page.route("**/inbox/thread/*", lambda _: None)
    page.locator("#rows .subj").nth(3).click()
    page.locator("#reader .shape").wait_for()
    camera.take(page, "loading-conversation")
    page.unroute_all()
    page.goto("/inbox/")
    page.route("**/inbox/thread/*", lambda route: route.abort())
    page.locator("#rows .subj").nth(3).click()
    page.locator(".toast").wait_for()
    camera.take(page, "not-answered")
    page.unroute_all()


def _drawer(page: Page) -> None:
    if not page.locator(".app[data-nav=open]").count():
        page.locator("[data-nav-open]:visible").last.click()


def _panel(page: Page) -> None:
    if not page.locator("#inbox[data-drawer=open]").count():
        page.locator("[data-context]:visible").click()


def _records(camera: Camera, page: Page) -> None:
    for name in ("contacts", "companies"):
        page.goto(f"/{name}/")
        camera.take(page, name)
    for name, words in (("contact", "Inês Carvalho"), ("company", "Lumen Studio")):
        page.goto("/contacts/" if name == "contact" else "/companies/")
        page.get_by_role("link", name=words).first.click()
        page.get_by_role("heading", name=words).first.wait_for()
        page.mouse.move(700, 5)
        camera.take(page, name)


# --- an empty installation ----------------------------------------------------------------------------------------------


def _empty(camera: Camera) -> None:
    """From nothing to a mailbox, and what can go wrong on the way and afterwards."""
    with Dovecot(users=(firm.SALES, firm.INFO, TENDERS)) as dovecot, Sink() as sink, _installation() as here:
        _fill_mailboxes(dovecot)
        for port in (dovecot.port, dovecot.tls_port, sink.port):
            here.rapport("host", "allow", f"localhost:{port}")
        with here.running("web", "--port", str(here.port)):
            here.wait()
            page = camera.page(here.url)
            _onboarding(camera, page, here, dovecot, sink)
            _connecting(camera, page, dovecot, sink)
            _afterwards(camera, page, here, dovecot, sink)
            _signing(camera, here)


def _fill_mailboxes(dovecot: Dovecot) -> None:
    """The firm's own mail, and under it a long past of ordinary mail, so that a first sync takes a while."""
    for letter in firm.letters(datetime.now(UTC)):
        if letter.mailbox in (firm.SALES, firm.INFO) and letter.folder not in ("Trash", "Junk"):
            flags = "".join(short for short, flag in (("F", "\\Flagged"), ("S", "\\Seen")) if flag in letter.flags)
            dovecot.deliver(
                letter.mailbox, [letter.raw], letter.folder, flags=flags, when=letter.internal_date.timestamp()
            )
    past = time.time() - 86_400 * 20
    for number, (raw, _) in enumerate(letters(MAIL)):
        dovecot.deliver(firm.SALES, [raw], "Archive", flags="S", when=past - 300 * (MAIL - number))
    for user in (firm.SALES, firm.INFO, TENDERS):
        dovecot.uids(user)


def _onboarding(camera: Camera, page: Page, here: "Installation", dovecot: Dovecot, sink: Sink) -> None:
    page.goto(f"/welcome/{here.first_link()}")
    page.get_by_label("Your name").fill("Mara Lindqvist")
    page.get_by_label("Email").fill(firm.MARA)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    camera.take(page, "onboarding-1")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/welcome/mailbox/")
    page.goto("/inbox/")
    camera.take(page, "no-mailbox")
    page.goto("/welcome/mailbox/")
    page.get_by_label("Email address").fill(firm.SALES)
    camera.take(page, "onboarding-2")
    page.get_by_role("button", name="Continue").click()
    _type_servers(page, dovecot.port, "None", sink.port, "secret")
    _test(page, "Incoming mail works")
    page.get_by_text("Choose folders").click()
    page.get_by_text("6 months ago").click()
    with here.running("worker") as engine:
        page.get_by_role("button", name="Connect and start syncing").click()
        page.locator(".prog:not([aria-valuenow='0'])").wait_for(timeout=60_000)
        engine.send_signal(signal.SIGSTOP)  # a moment in the middle, with true figures
        page.wait_for_timeout(6_000)
        camera.take(page, "onboarding-3")
        engine.send_signal(signal.SIGCONT)
    here.rapport("sync", "--once")


def _connecting(camera: Camera, page: Page, dovecot: Dovecot, sink: Sink) -> None:
    page.goto("/inbox/")
    page.get_by_label("Connect a shared mailbox").click()
    page.get_by_role("heading", name="Connect a mailbox").wait_for()
    camera.take(page, "connect-1")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Email address").fill(firm.INFO)
    _type_servers(page, dovecot.tls_port, "TLS", sink.port, "not this one")
    camera.take(page, "connect-2")
    _test(page, "The certificate is self-signed")
    camera.take(page, "connect-2-certificate")
    page.get_by_role("button", name="Allow for this mailbox").first.click()
    _test(page, "The password was refused")
    camera.take(page, "connect-2-failed")
    _failures(camera, page, sink)
    page.get_by_label("Password", exact=True).fill("secret")
    _test(page, "folders found")
    camera.take(page, "connect-2-ok")
    page.get_by_text("Choose folders").click()
    page.get_by_text("Active folders").first.wait_for()
    camera.take(page, "connect-3")
    page.get_by_role("button", name="Connect and start syncing").click()
    page.wait_for_url("**/inbox/*-*/")


def _failures(camera: Camera, page: Page, sink: Sink) -> None:
    """Each failure really happens; afterwards the form is as it was."""
    _open_servers(page)
    port = page.get_by_label("IMAP port").input_value()
    right = {"IMAP server": "localhost", "IMAP port": port, "SMTP port": str(sink.port)}
    for scene, wrong, said in (
        ("name", {"IMAP server": "imap.aldrfinch.example", "IMAP port": "993"}, "There is no server called"),
        ("port", {"IMAP port": str(_closed_port())}, "This installation doesn’t connect"),
        ("smtp", {"SMTP port": port}, "Outgoing mail doesn’t work yet"),
    ):
        page.get_by_label("Password", exact=True).fill("secret")
        for label, value in wrong.items():
            page.get_by_label(label).fill(value)
        _test(page, said)
        camera.take(page, f"connect-2-{scene}", looks=("wide", "mobile"))
        _open_servers(page)
        for label in wrong:
            page.get_by_label(label).fill(right[label])


def _open_servers(page: Page) -> None:
    if page.locator("#where:not([open])").count():
        page.locator("#where summary").click()


def _type_servers(page: Page, incoming: int, security: str, outgoing: int, password: str) -> None:
    page.get_by_label("Password", exact=True).fill(password)
    for protocol, port, chosen in (("IMAP", incoming, security), ("SMTP", outgoing, "None")):
        page.get_by_label(f"{protocol} encryption").select_option(chosen)
        page.get_by_label(f"{protocol} server").fill("localhost")
        page.get_by_label(f"{protocol} port").fill(str(port))


def _test(page: Page, said: str) -> None:
    page.locator("#test").click()
    page.locator("#res", has_text=re.compile(said)).wait_for(timeout=60_000)


def _afterwards(camera: Camera, page: Page, here: "Installation", dovecot: Dovecot, sink: Sink) -> None:
    """A mailbox without mail, one whose password was changed, one whose server is away, and a page that breaks."""
    here.connect(TENDERS, dovecot.port, sink.port)
    here.rapport("sync", "--once")
    _open_mailbox(page, "tenders@")
    camera.take(page, "empty")
    dovecot.set_password(firm.INFO, "changed meanwhile")
    for _ in range(2):
        with suppress(subprocess.CalledProcessError):
            here.rapport("sync", firm.INFO, "--once")
    _open_mailbox(page, "info@")
    page.locator("#rows .subj").first.click()
    page.locator("#subject").wait_for()
    camera.take(page, "reconnect", looks=[look for look in LOOKS if not look.startswith("mobile")])
    _open_mailbox(page, "info@")
    camera.take(page, "reconnect", looks=("mobile", "mobile-dark"))
    page.get_by_role("link", name="Details").click()
    page.get_by_role("heading", name="Folders").wait_for()
    camera.take(page, "account-refused")
    dovecot.stop()
    with suppress(subprocess.CalledProcessError):
        here.rapport("sync", firm.SALES, "--once")
    _open_mailbox(page, "sales@")
    camera.take(page, "unreached")
    page.get_by_role("link", name="Details").click()
    page.get_by_role("heading", name="Folders").wait_for()
    camera.take(page, "account")
    with here.broken():
        page.goto("/inbox/")
        camera.take(page, "server-error")


def _open_mailbox(page: Page, name: str) -> None:
    page.goto("/inbox/")
    page.get_by_role("link", name=name).first.click()
    page.wait_for_url("**/inbox/*-*/")


def _signing(camera: Camera, here: "Installation") -> None:
    page = camera.page(here.url)
    page.goto("/sign-in")
    camera.take(page, "sign-in")
    page.get_by_label("Email").fill(firm.MARA)
    page.get_by_label("Password", exact=True).fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    camera.take(page, "sign-in-error")


# --- an installation that is thrown away --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Installation:
    """A home of its own, and what is started in it."""

    home: Path
    port: int
    told: dict[str, str]

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self, *words: str) -> "Iterator[subprocess.Popen[bytes]]":
        """A command that runs meanwhile."""
        process = subprocess.Popen([sys.executable, "-c", COMMAND, *words], cwd=ROOT, env=self.told)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait(POLITE * 3)

    def rapport(self, *words: str, stdin: str = "") -> None:
        """A command that is waited for."""
        command = [sys.executable, "-c", COMMAND, *words]
        subprocess.run(command, cwd=ROOT, env=self.told, input=stdin, text=True, check=True, capture_output=True)

    def connect(self, address: str, incoming: int, outgoing: int) -> None:
        """A shared mailbox."""
        servers = ["--incoming", f"localhost:{incoming}/none", "--outgoing", f"localhost:{outgoing}/none"]
        fixed = ["--kind", "shared", "--type", "imap", "--sync-from", "3m", "--folders", "default", "--password-stdin"]
        self.rapport("account", "connect", address, *fixed, *servers, stdin="secret")

    def first_link(self) -> str:
        """The one-time word that ``serve`` prints as a link."""
        code = "import django; django.setup(); from rapport.people.verbs import first_link; print(first_link())"
        told = self.told | {"DJANGO_SETTINGS_MODULE": "rapport.settings"}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=told, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Meanwhile a table is missing: what a page says then is what it says when we have made a mistake."""
        with sqlite3.connect(self.home / "rapport.sqlite3", timeout=20) as database:
            database.execute("ALTER TABLE mail_listing RENAME TO mail_listing_away")
        try:
            yield
        finally:
            with sqlite3.connect(self.home / "rapport.sqlite3", timeout=20) as database:
                database.execute("ALTER TABLE mail_listing_away RENAME TO mail_listing")

    def wait(self) -> None:
        """Until its pages answer."""
        for _ in range(600):
            try:
                with urlopen(f"{self.url}/sign-in", timeout=2):  # noqa: S310  # our own server
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{self.url} did not answer")


@contextmanager
def _installation(**more: str) -> Iterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="screens-") as home:
        port = _closed_port()
        told = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "RAPPORT_HOME": home, **more}
        yield Installation(Path(home), port, told | {"RAPPORT_URL": f"http://127.0.0.1:{port}"})


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
