"""From the one-time link to the first mailbox, in a browser, against real mail servers."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import OwnDatabase
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Sink

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
FIRST = """
import django; django.setup()
from rapport.people.verbs import first_link
from rapport.connect.models import AllowedHost
for port in {ports}: AllowedHost.objects.create(host="127.0.0.1", port=port)
print(first_link())
"""


@pytest.fixture
def sink() -> Iterator[Sink]:
    """The outgoing server."""
    with Sink() as server:
        yield server


@pytest.fixture
def first_link(tmp_path: Path, dovecot: Dovecot, sink: Sink, own_database: OwnDatabase) -> Iterator[str]:
    """An empty installation that runs, and the link it printed."""
    with own_database() as database:
        yield from _installation(tmp_path, database, [dovecot.port, dovecot.tls_port, sink.port])


def _installation(folder: Path, database: dict[str, str], ports: list[int]) -> Iterator[str]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    home = {"RAPPORT_HOME": str(folder), "DJANGO_SETTINGS_MODULE": "rapport.settings", "RAPPORT_URL": url}
    environment = {**os.environ, **database, **home}
    subprocess.run([sys.executable, "-m", "django", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    code = FIRST.format(ports=ports)
    token = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()
    command = [sys.executable, "-m", "uvicorn", "rapport.asgi:application", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen([*command, "--timeout-graceful-shutdown", "1"], cwd=ROOT, env=environment)
    try:
        _wait_for(f"{url}/sign-in")
        yield f"{url}/welcome/{token}"
    finally:
        process.terminate()
        process.wait(10)


def test_from_the_link_to_the_inbox(browser: Browser, first_link: str, dovecot: Dovecot, sink: Sink) -> None:
    person = dovecot.new_user()
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(first_link)
    _become_administrator(page)
    page.get_by_label("Email address").fill(f"{person}@rapport.test")
    page.get_by_role("button", name="Continue").click()

    # A wrong password: its own sentence, and nothing typed is lost.
    _fill(page, dovecot.tls_port, "TLS", sink.port, username=person, password="wrong")
    page.get_by_role("button", name="Test connection").click()
    result = page.locator("#res")
    expect(result).to_contain_text("The certificate is self-signed")
    assert page.get_by_label("Password", exact=True).input_value() == "wrong"

    # The server's own certificate, looked at and allowed.
    page.get_by_role("button", name="Allow for this mailbox").first.click()
    expect(page.get_by_text("A non-secure certificate is allowed")).to_be_visible()
    expect(result).to_be_hidden()
    page.keyboard.press("Enter")
    expect(result).to_contain_text("The password was refused")
    assert page.evaluate("document.activeElement.id") == "res"
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")

    # The right one.
    page.get_by_label("Password", exact=True).fill("secret")
    expect(result).to_be_hidden()
    page.get_by_role("button", name="Test connection").click()
    expect(result).to_contain_text("Incoming mail works")
    expect(result).to_contain_text("Outgoing mail works")

    # Any edit makes it the result of other settings.
    page.get_by_label("Email address").press("End")
    page.get_by_label("Email address").press("Backspace")
    expect(page.get_by_text("Choose folders")).to_have_count(0)
    page.get_by_label("Email address").press("t")
    page.keyboard.press("Enter")
    page.get_by_text("Choose folders").click()

    other = page.context.new_page()
    other.goto(first_link.partition("/welcome/")[0] + "/inbox/")
    expect(other.get_by_role("heading", name="No mailbox yet")).to_be_visible()

    # What to sync.
    expect(page.get_by_role("heading", name="What should we sync")).to_be_focused()
    page.get_by_text("6 months ago").click()
    assert "secret" not in page.content().replace("non-secure", "")
    page.get_by_role("button", name="Connect and start syncing").click()
    expect(page.get_by_role("heading", name=f"{person}@ is coming in")).to_be_visible()
    expect(other.locator("#list-title")).to_contain_text("All inboxes")
    page.get_by_role("link", name="Open the inbox").click()
    expect(page.locator("#list-title")).to_contain_text(person)
    assert problems == []


def test_escape_leaves_the_dialog_and_the_port_follows_the_encryption(browser: Browser, first_link: str) -> None:
    page = browser.new_page()
    page.goto(first_link)
    _become_administrator(page)
    page.goto(first_link.partition("/welcome/")[0] + "/connect/shared/sign-in")

    page.get_by_label("IMAP encryption").select_option("STARTTLS")
    page.get_by_label("SMTP encryption").select_option("STARTTLS")
    ports = (page.get_by_label("IMAP port").input_value(), page.get_by_label("SMTP port").input_value())
    page.get_by_label("IMAP port").fill("1143")
    page.get_by_label("IMAP encryption").select_option("TLS")

    assert ports == ("143", "587")
    assert page.get_by_label("IMAP port").input_value() == "1143"
    page.keyboard.press("Escape")
    page.wait_for_url("**/inbox/")


def _become_administrator(page: Page) -> None:
    page.get_by_label("Your name").fill("Ana Ortega")
    page.get_by_label("Email").fill("ana@rapport.test")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/welcome/mailbox/")


def _fill(page: Page, incoming: int, security: str, outgoing: int, *, username: str, password: str) -> None:
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Username").fill(username)
    for protocol, port, chosen in (("IMAP", incoming, security), ("SMTP", outgoing, "None")):
        page.get_by_label(f"{protocol} encryption").select_option(chosen)
        page.get_by_label(f"{protocol} server").fill("127.0.0.1")
        page.get_by_label(f"{protocol} port").fill(str(port))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            with urlopen(url, timeout=2):  # noqa: S310  # our own server
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer")
