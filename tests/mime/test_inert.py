"""A mail that is shown runs nothing and asks nobody for anything, by any one of its layers alone (R12, R13, R15).

Without the header the cleaned mail must hold; without cleaning, header and frame must.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Browser, Dialog, Route

from rapport.mime.html import CSP, SANDBOX, CleanHtml, clean, document
from tests.mime.vectors import vectors

Pages = dict[str, tuple[str, str]]
"""Markup and Content-Security-Policy by address."""


@contextmanager
def served(pages: Pages) -> Iterator[str]:
    """A server on this machine with these pages."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, policy = pages.get(self.path, ("", ""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if policy:
                self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body.encode("utf-8", "replace"))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Layers:
    """What stands between a mail and the reader."""

    cleaned: bool
    policy: str
    sandbox: str


LAYERS = {
    "all": Layers(cleaned=True, policy=CSP, sandbox=SANDBOX),
    "only cleaned": Layers(cleaned=True, policy="", sandbox=""),
    "cleaned and sandboxed, no header": Layers(cleaned=True, policy="", sandbox=SANDBOX),
    "only the header": Layers(cleaned=False, policy=CSP, sandbox=""),
    "header and sandbox, not cleaned": Layers(cleaned=False, policy=CSP, sandbox=SANDBOX),
}
A_SHEET = 15
"""Frames in one page."""


@pytest.mark.parametrize("layers", LAYERS)
def test_hostile_mail_is_inert(layers: str, browser: Browser) -> None:
    seen = show(browser, LAYERS[layers])

    assert seen.asked == []
    assert seen.ran == []


def test_the_vectors_bite_without_any_layer(browser: Browser) -> None:
    """Else the test above would prove nothing."""
    seen = show(browser, Layers(cleaned=False, policy="", sandbox=""))

    assert len(seen.asked) > 10
    assert len(seen.ran) > 5


@dataclass
class Seen:
    """What the mails asked of other machines, and what they ran."""

    asked: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    def stop(self, route: Route) -> None:
        """Nothing leaves this machine, even if a mail gets through to asking."""
        self.asked.append(route.request.url)
        route.abort()

    def hear(self, what: str) -> None:
        self.ran.append(what)

    def dismiss(self, dialog: Dialog) -> None:
        self.ran.append(dialog.type)
        dialog.dismiss()


def show(browser: Browser, layers: Layers) -> Seen:
    """Open every vector in a frame."""
    seen = Seen()
    mails = vectors()
    sheets = range(0, len(mails), A_SHEET)
    pages = {f"/{number}": (framed(mail, layers), layers.policy) for number, mail in enumerate(mails)}
    pages |= {f"/sheet/{start}": (sheet(start, len(mails), layers), "") for start in sheets}
    with served(pages) as address, browser.new_context() as context:
        context.expose_function("heard", seen.hear)
        # Scripts of a mail are heard wherever they run.
        context.add_init_script("for (const f of ['alert', 'prompt', 'confirm', 'print']) window[f] = () => heard(f)")
        context.route(lambda url: not url.startswith((address, "data:")), seen.stop)
        context.on("dialog", seen.dismiss)
        for start in sheets:
            page = context.new_page()
            page.goto(f"{address}/sheet/{start}", wait_until="load")
            page.wait_for_timeout(200)
            page.close()
    return seen


def framed(mail: str, layers: Layers) -> str:
    return document(clean(mail, inline=lambda _: None) if layers.cleaned else CleanHtml(mail))


def sheet(start: int, end: int, layers: Layers) -> str:
    sandbox = f' sandbox="{layers.sandbox}"' if layers.sandbox else ""
    numbers = range(start, min(start + A_SHEET, end))
    return "<!doctype html>" + "".join(f'<iframe{sandbox} src="/{number}"></iframe>' for number in numbers)
