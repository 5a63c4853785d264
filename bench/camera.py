"""Taking pictures of pages, and putting ours beside the design's."""

import base64
import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from playwright.sync_api import Browser, Page

LOOKS = {
    "wide": (1440, 900, "light"),
    "wide-dark": (1440, 900, "dark"),
    "mobile": (390, 844, "light"),
    "mobile-dark": (390, 844, "dark"),
    "1024": (1024, 768, "light"),
}

PAIRS = (
    ("sign-in", "wide", "09-signin"),
    ("sign-in-error", "wide-dark", "09-signin-error-dark"),
    ("onboarding-1", "wide", "09-onboarding-1-admin"),
    ("onboarding-2", "wide", "09-onboarding-2-mailbox"),
    ("onboarding-3", "wide", "09-onboarding-3-sync"),
    ("onboarding-3", "mobile", "09-onboarding-3-sync-mobile"),
    ("conversation", "wide", "01-inbox-light"),
    ("conversation", "wide-dark", "01-inbox-dark"),
    ("list", "mobile", "01-inbox-mobile-list"),
    ("conversation", "mobile", "01-inbox-mobile-conversation"),
    ("context", "mobile", "01-inbox-mobile-context"),
    ("mailboxes", "mobile-dark", "01-inbox-mobile-mailboxes"),
    ("conversation", "1024", "01-inbox-1024"),
    ("context", "1024", "01-inbox-1024-context-drawer"),
    ("reconnect", "wide", "01-inbox-reconnect-banner"),
    ("reconnect", "mobile", "01-inbox-reconnect-banner-mobile"),
    ("loading", "wide", "01-inbox-loading"),
    ("connect-1", "wide", "03-connect-1-type"),
    ("connect-1", "mobile", "03-connect-1-type-mobile"),
    ("connect-2", "wide", "03-connect-2-imap"),
    ("connect-2-failed", "wide", "03-connect-2-test-failed"),
    ("connect-2-failed", "mobile", "03-connect-2-test-failed-mobile"),
    ("connect-2-ok", "wide", "03-connect-2-test-ok"),
    ("connect-3", "wide", "03-connect-3-folders"),
    ("connect-3", "wide-dark", "03-connect-3-folders-dark"),
    ("account", "wide", "04-accounts"),
    ("account", "mobile", "04-accounts-mobile"),
    ("contacts", "wide", "05-contacts"),
    ("contacts", "mobile", "05-contacts-mobile"),
    ("companies", "wide", "05-companies"),
    ("contact", "wide", "05-contact"),
    ("contact", "wide-dark", "05-contact-dark"),
    ("contact", "mobile", "05-contact-mobile"),
    ("contact", "1024", "05-contact-1024"),
    ("no-mailbox", "wide", "09-empty-no-mailbox"),
    ("empty", "wide", "09-empty-all-answered"),
    ("not-found", "wide", "09-error-not-found"),
    ("server-error", "wide", "09-error-server"),
)
"""Scene, look, and the design's picture to compare it with."""


class Camera:
    """A browser and the folder its pictures go to."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder

    def page(self, url: str) -> Page:
        """A new visitor."""
        return self._browser.new_context(base_url=url, viewport={"width": 1440, "height": 900}).new_page()

    def take(
        self, page: Page, scene: str, *, looks: Iterable[str] = LOOKS, before: Callable[[], None] | None = None
    ) -> None:
        """The page as it stands, in several sizes and colours; ``before`` each of them, something may have to be done."""
        for look in looks:
            width, height, colours = LOOKS[look]
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]  # one of two words
            if before:
                before()
            page.evaluate("document.fonts.ready")
            page.wait_for_timeout(400)
            page.screenshot(path=self._folder / f"{scene}-{look}.png")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        print(f"{scene}: {', '.join(looks)}", flush=True)

    def pair(self, shots: Path, pairs: Path) -> None:
        """Ours on the left, the design's on the right, small."""
        pairs.mkdir(parents=True, exist_ok=True)
        whole = 0
        for scene, look, shot in PAIRS:
            ours = self._folder / f"{scene}-{look}.png"
            if not ours.exists():
                continue
            kept = pairs / f"{scene}-{look}.jpg"
            self._beside(ours, shots / f"{shot}.png", 330 if look.startswith("mobile") else 694, kept)
            whole += kept.stat().st_size
        print(f"pairs: {whole / 1e6:.2f} MB", flush=True)

    def _beside(self, ours: Path, theirs: Path, width: int, kept: Path) -> None:
        page = self._browser.new_page(viewport={"width": 2 * width + 36, "height": 900})
        figure = '<figure><figcaption>{}</figcaption><img src="{}"></figure>'
        style = (
            f"body{{margin:0;display:inline-grid;grid-template-columns:{width}px {width}px;gap:12px;padding:0 12px 12px;"
            "background:#d9d8d4;font:500 12px/26px system-ui}figure{margin:0}img{display:block;width:100%}"
        )
        figures = figure.format("Rapport", _inlined(ours)) + figure.format("Design", _inlined(theirs))
        page.set_content(f"<style>{style}</style><body>{figures}")
        page.locator("body").screenshot(path=kept, type="jpeg", quality=72)
        page.close()

    def small(self, source: Path, kept: Path) -> None:
        """The same picture in a smaller file: flat surfaces pack better without the filters Chromium puts on them."""
        page = self._browser.new_page()
        code = """async (source) => {
            const image = new Image(); image.src = source; await image.decode();
            const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
            const brush = canvas.getContext("2d"); brush.drawImage(image, 0, 0);
            const points = brush.getImageData(0, 0, image.width, image.height).data;
            let text = "";
            for (let at = 0; at < points.length; at += 32768) text += String.fromCharCode(...points.subarray(at, at + 32768));
            return [image.width, image.height, btoa(text)];
        }"""
        width, height, points = page.evaluate(code, _inlined(source))
        page.close()
        kept.write_bytes(_png(width, height, base64.b64decode(points)))
        print(f"{kept.name}: {kept.stat().st_size / 1000:.0f} KB", flush=True)


def _png(width: int, height: int, rgba: bytes) -> bytes:
    """An opaque picture, each line unfiltered (PNG specification, 9.2)."""
    points = bytearray(width * height * 3)
    for colour in range(3):
        points[colour::3] = rgba[colour::4]
    lines = b"".join(b"\0" + points[at : at + width * 3] for at in range(0, len(points), width * 3))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _inlined(picture: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
