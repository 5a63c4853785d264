"""The stylesheet, the scripts, the icons and the font, under an address that changes when any of them does."""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import django_htmx
import lucide
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

WEB = Path(__file__).parent
STATIC = WEB / "static"

COMPONENTS = (
    "layers", "fonts", "reset", "tokens", "base", "layout",
    "buttons", "chips", "avatars", "forms", "tabs", "menus", "dialog", "callouts", "progress",
    "sidebar", "list", "reader", "context", "tables", "settings", "connect",
    "records", "accounts", "welcome", "responsive", "utilities",
)  # fmt: skip
"""The stylesheet's files, in the order in which they are joined."""

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
A_YEAR = 365 * 24 * 3600


@login_not_required
@require_safe
def show(request: HttpRequest, digest: str, name: str) -> HttpResponse:
    """One file. Under the present digest it never changes; under an older one it is only what we have now."""
    asset = _all().get(name)
    if asset is None:
        raise Http404
    zipped = asset.zipped is not None and "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(asset.zipped if zipped else asset.content, content_type=asset.type)
    if zipped:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    response["Cache-Control"] = f"public, max-age={A_YEAR}, immutable" if digest == present() else "no-cache"
    return response


def url(name: str) -> str:
    """Where a page finds the file."""
    return reverse("asset", args=[present(), name])


@cache
def present() -> str:
    """The digest of everything: files name each other without one, and all change address together."""
    whole = sha256()
    for name, asset in sorted(_all().items()):
        whole.update(name.encode() + b"\0" + asset.content)
    return whole.hexdigest()[:16]


@dataclass(frozen=True)
class _Asset:
    content: bytes
    type: str
    zipped: bytes | None


@cache
def _all() -> Mapping[str, _Asset]:
    files = {path.name: path.read_bytes() for path in (*STATIC.glob("js/*.js"), *STATIC.glob("fonts/*.woff2"))}
    files["rapport.css"] = b"".join((STATIC / "css" / f"{name}.css").read_bytes() for name in COMPONENTS)
    files["icons.svg"] = _sprite().encode()
    files["htmx.js"] = (Path(django_htmx.__file__).parent / "static/django_htmx/htmx-2.min.js").read_bytes()
    return {name: _asset(name, content) for name, content in files.items()}


def _asset(name: str, content: bytes) -> _Asset:
    suffix = Path(name).suffix
    zipped = None if suffix == ".woff2" else gzip.compress(content, 9, mtime=0)
    return _Asset(content, TYPES[suffix], zipped)


NAMED = re.compile(r'(?:\{% icon |\bicon=|\bicon: str = |^    Folder\.Role\.\w+: )"([a-z0-9-]+)"', re.MULTILINE)
"""How templates and pages name an icon."""


def _sprite() -> str:
    """The icons that our templates and pages name, each a symbol (Lucide, ISC licence)."""
    sources = [*WEB.glob("templates/**/*.html"), *WEB.glob("*.py")]
    used = {name for path in sources for name in NAMED.findall(path.read_text())}
    with ZipFile(Path(lucide.__file__).parent / "lucide.zip") as icons:
        symbols = [_symbol(name, icons.read(f"{name}.svg").decode()) for name in sorted(used)]
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'


def _symbol(name: str, svg: str) -> str:
    drawing = ET.fromstring(svg)  # noqa: S314  # an icon of the lucide package, not anybody's file
    lines = "".join(ET.tostring(line, encoding="unicode").strip() for line in drawing)
    lines = re.sub(r'ns0:| xmlns:ns0="[^"]*"', "", lines)
    return f'<symbol id="i-{name}" viewBox="0 0 24 24">{lines}</symbol>'
