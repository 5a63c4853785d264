"""HTML read as plain text: for search, for the snippet, and for mail that has no text part."""

import html as entities
import re

import nh3

from rapport.mime.charsets import scrub
from rapport.mime.levels import BLOCKS, level

_KEPT = BLOCKS | {"br", "tr", "td", "th"}
_DROPPED = {"script", "style", "title", "svg", "math"}
# nh3 writes no attributes here and escapes every other "<", so its tags are all there is.
_PIECE = re.compile(r"<(/?)([a-z0-9]+)>|([^<]+)")
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "dl"))


def html_to_text(html: str) -> str:
    """The words of an HTML document, one block per line, quotes marked with ``>``."""
    plain = nh3.clean(level(html).html, tags=set(_KEPT), attributes={}, clean_content_tags=_DROPPED, link_rel=None)
    page = _Page()
    for closing, tag, text in _PIECE.findall(plain):
        page.write(text) if text else page.tag(tag, closing=bool(closing))
    return scrub("\n".join(page.lines()))


class _Page:
    """Lines of text as they are written."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line = ""
        self._depth = 0
        self._pre = 0

    def write(self, text: str) -> None:
        text = entities.unescape(text)
        if self._pre:
            *whole, last = text.split("\n")
            for line in whole:
                self._line += line
                self._break(even_empty=True)
            self._line += last
            return
        text = _SPACES.sub(" ", text)
        self._line += text.lstrip() if not self._line or self._line.endswith(" ") else text

    def tag(self, name: str, *, closing: bool) -> None:
        if name in ("td", "th"):
            self._line += "" if closing or not self._line.strip() else " "
            return
        self._break(even_empty=name == "br")
        if name == "blockquote":
            self._depth = min(self._depth + (-1 if closing else 1), 50)
        elif name == "pre":
            self._pre += -1 if closing else 1
        elif name == "li" and not closing:
            self._line = "- "
        elif name == "hr":
            self._line = "----------"
            self._break(even_empty=False)
        if name in _APART and self._lines and self._lines[-1].strip("> "):
            self._lines.append(">" * self._depth)

    def _break(self, *, even_empty: bool) -> None:
        line = self._line.rstrip()
        if line or even_empty:
            self._lines.append(">" * self._depth + (" " if self._depth and line else "") + line)
        self._line = ""

    def lines(self) -> list[str]:
        self._break(even_empty=False)
        out: list[str] = []
        for line in self._lines:
            if line.strip("> ") or (out and out[-1].strip("> ")):
                out.append(line)
        while out and not out[-1].strip("> "):
            out.pop()
        return out
