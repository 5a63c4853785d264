"""A small mailbox with pages in front of it, and Ana’s browser."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import OwnDatabase

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
WORDS = """
import django; django.setup()
from django.utils.timezone import now
from datetime import timedelta
from rapport.events.models import Event
from rapport.mail.models import *
from rapport.people.models import User
from rapport.people import verbs
from tests.web.letters import *
"""
CAST = f"""
verbs.add("ana@finch.example", name="Ana Ortega", password="{PASSWORD}", admin=True)
sales = account("sales@finch.example")
ines = contact("Ines Carvalho", "ines@lumen.example")
page = "<p>Second</p><script>alert(1)</script><img src='http://127.0.0.1:9/p.gif'>" + "<p>line</p>" * 30
for n, name in enumerate(["The quote", "The drawing"]):
    thread = mail(sales, name, text="First", at=now() - timedelta(minutes=9 + n), about=[ines]).thread
    mail(sales, f"Re: {{name}}", html=page, thread=thread, at=now() - timedelta(minutes=8 + n), about=[ines])
mail(sales, "Canteen", sender=("Hendrik", "h@x.example"), at=now() - timedelta(minutes=20), unread=True)
for n in range(60): mail(sales, f"Older {{n}}", at=now() - timedelta(days=2, minutes=n))
"""


@dataclass(frozen=True)
class Running:
    """A server of our own, with a home of its own."""

    url: str
    environment: dict[str, str]

    def do(self, code: str) -> None:
        """What the engine would do meanwhile: another process writes to the same database."""
        subprocess.run([sys.executable, "-c", WORDS + code], cwd=ROOT, env=self.environment, check=True, timeout=60)

    def arrives(self, subject: str, *, thread: str = "") -> None:
        """An email comes in."""
        into = f"Thread.objects.get(uuid='{thread}')" if thread else "None"
        self.do(
            "a = Account.objects.get()\n"
            f"m = mail(a, '{subject}', sender=('Yuki', 'y@x.example'), unread=True, at=now(), thread={into})\n"
            "Event.objects.create(kind='thread', account=a.pk, about=m.thread_id, arrived=True)"
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, own_database: OwnDatabase) -> Iterator[Running]:
    """The pages with a small mailbox behind them."""
    with own_database() as database:
        yield from _run(tmp_path_factory.mktemp("home"), database)


def _run(home: Path, database: dict[str, str]) -> Iterator[Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        **database,
        "RAPPORT_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "rapport.settings",
        "RAPPORT_URL": f"http://127.0.0.1:{port}",
    }
    server = Running(f"http://127.0.0.1:{port}", environment)
    subprocess.run([sys.executable, "-m", "django", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    server.do(CAST)
    command = [sys.executable, "-m", "uvicorn", "rapport.asgi:application", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen([*command, "--timeout-graceful-shutdown", "1"], cwd=ROOT, env=environment)
    try:
        _wait_for(server.url + "/sign-in")
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def page(browser: Browser, running: Running) -> Iterator[Page]:
    """Ana's browser, in the shared inbox; nothing may go wrong in its console."""
    with browser.new_context(viewport={"width": 1440, "height": 900}, base_url=running.url) as context:
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto("/sign-in")
        page.fill("[name=address]", "ana@finch.example")
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/inbox/")
        page.get_by_role("link", name="sales@").click()
        page.wait_for_url("**/inbox/*-*/")
        page.mouse.move(1000, 5)
        yield page
        assert wrong == []


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            with urlopen(url, timeout=1):  # noqa: S310  # our own address, just made
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"{url} does not answer.")
