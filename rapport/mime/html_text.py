"""HTML read as plain text: for search, for the snippet, and for mail that has no text part.

One pass over the tags and no tree: what it makes is text and is escaped wherever it is shown, so nothing here needs to
be safe, only linear. A tag that never ends hides what follows up to the next ``>``, as it does in a browser.
"""

import html as entities
import re

from rapport.mime.charsets import scrub
from rapport.mime.levels import BLOCKS, KEEPS_TEXT, MOST, MOST_TAGS, WITH_TEXT

# Closing or not, name, and how it ends: with nothing where a quote in it never does. Possessive: nothing is tried twice.
_TAG = re.compile(
    r"""<(?:(/?)([a-zA-Z][a-zA-Z0-9:_-]{0,40})(?:[^>"']++|"[^"]*+"|'[^']*+')*+(>?)|!---?>|!--(?:.*?-->|.*)|[!?/][^>]*>?)""",
    re.DOTALL,
)
_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "dl"))
_CELLS = frozenset(("td", "th"))
_BREAKS = (BLOCKS | {"br", "tr"}) - _CELLS


def html_to_text(html: str) -> str:
    """The words of an HTML document, one block per line, quotes marked with ``>``."""
    page = _Page()
    pieces = _TAG.split(html[:MOST], MOST_TAGS)
    page.write(pieces[0])
    raw = ""
    never_end: set[str] = set()
    for at in range(1, len(pieces), 4):
        closing, name, end, text = pieces[at : at + 4]
        if name:
            name = name.lower()
            if name in WITH_TEXT and not raw and not closing and name not in never_end:
                raw = name if _ends(pieces, at, name) else ""
                never_end.update(() if raw else (name,))
            elif raw and raw == name and closing:
                raw = ""
            elif not raw and name in _BREAKS:
                page.tag(name, closing=bool(closing))
            elif not raw and name in _CELLS and not closing:
                page.write(" ")
            if not end:
                text = text.partition(">")[2]
        if text and (not raw or raw in KEEPS_TEXT):
            page.write(text)
    return scrub("\n".join(page.lines()))


def _ends(pieces: list[str], at: int, name: str) -> bool:
    """Whether an element whose content is not shown is closed anywhere; else its tag is ignored."""
    return any(
        pieces[later] and pieces[later + 1].lower() == name
        for later in range(at + 4, len(pieces), 4)
        if pieces[later + 1]
    )


class _Page:
    """Lines of text as they are written."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0
        self._pre = 0
        self.write = self._line.append

    def tag(self, name: str, *, closing: bool) -> None:
        self._break(even_empty=name == "br")
        if name == "blockquote":
            self._depth = min(max(self._depth + (-1 if closing else 1), 0), 50)
        elif name == "pre":
            self._pre = max(self._pre + (-1 if closing else 1), 0)
        elif name == "li" and not closing:
            self.write("- ")
        elif name == "hr":
            self._put("----------")
        if name in _APART and self._lines and self._lines[-1].strip("> "):
            self._lines.append(">" * self._depth)

    def _break(self, *, even_empty: bool) -> None:
        text = "".join(self._line)
        self._line.clear()
        if "&" in text:
            text = entities.unescape(text)
        if self._pre and text:
            for line in text.split("\n"):
                self._put(line.rstrip())
            return
        text = " ".join(text.split())
        if text or even_empty:
            self._put(text)

    def _put(self, line: str) -> None:
        self._lines.append(">" * self._depth + (" " if self._depth and line else "") + line)

    def lines(self) -> list[str]:
        self._break(even_empty=False)
        out: list[str] = []
        empty = True
        for line in self._lines:
            was, empty = empty, not line.strip("> ")
            if not (was and empty):
                out.append(line)
        while out and not out[-1].strip("> "):
            out.pop()
        return out
