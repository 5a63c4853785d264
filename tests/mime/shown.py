"""Documents opened in a real browser, many frames to a page, and what they ask and run there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from playwright.sync_api import Browser, Dialog, Route

A_SHEET = 15
"""Frames in one page."""
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


@dataclass
class Seen:
    """What the mails asked of other machines, and what they ran."""

    asked: list[str] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    opened: int = 0

    def stop(self, route: Route) -> None:
        """Nothing leaves this machine, even if a mail gets through to asking."""
        self.asked.append(route.request.url)
        route.abort()

    def hear(self, what: str) -> None:
        self.ran.append(what)

    def dismiss(self, dialog: Dialog) -> None:
        self.ran.append(dialog.type)
        dialog.dismiss()


def opened(browser: Browser, documents: Sequence[str], *, policy: str, sandbox: str) -> Seen:
    """Open every document in a frame of its own."""
    seen = Seen()
    sheets = range(0, len(documents), A_SHEET)
    pages = {f"/{number}": (document, policy) for number, document in enumerate(documents)}
    pages |= {f"/sheet/{start}": (_sheet(start, len(documents), sandbox), "") for start in sheets}
    with served(pages) as address, browser.new_context() as context:
        context.expose_function("heard", seen.hear)
        # Scripts of a mail are heard wherever they run.
        context.add_init_script("for (const f of ['alert', 'prompt', 'confirm', 'print']) window[f] = () => heard(f)")
        context.route(lambda url: not url.startswith((address, "data:")), seen.stop)
        context.on("dialog", seen.dismiss)
        for start in sheets:
            page = context.new_page()
            page.goto(f"{address}/sheet/{start}", wait_until="load", timeout=60_000)
            seen.opened += sum(frame.url.startswith(address) for frame in page.frames[1:])
            page.wait_for_timeout(200)
            page.close()
    return seen


def _sheet(start: int, end: int, sandbox: str) -> str:
    attribute = f' sandbox="{sandbox}"' if sandbox else ""
    numbers = range(start, min(start + A_SHEET, end))
    return "<!doctype html>" + "".join(f'<iframe{attribute} src="/{number}"></iframe>' for number in numbers)
