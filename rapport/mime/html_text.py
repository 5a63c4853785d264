"""HTML read as plain text: for search, for the snippet, and for mail that has no text part.

One pass over the tags and no tree: what it makes is text and is escaped wherever it is shown, so nothing here needs to
be safe, only linear. A tag that never ends hides what follows up to the next ``>``, as it does in a browser.
"""

import html as entities
import re

from rapport.mime.charsets import scrub
from rapport.mime.levels import BLOCKS, ENDS, KEEPS_TEXT, MOST, MOST_TAGS, WITH_TEXT

_HIDDEN = re.compile(rf"<(?:!--|({'|'.join(WITH_TEXT)})(?=[\s/>]))", re.IGNORECASE)
_EMPTY_COMMENT = re.compile(r"-?>")
# Closing or not, name, and how it ends: with nothing where a quote in it never does. Possessive: nothing is tried twice.
_TAG = re.compile(
    r"""<(?:(/?)([a-zA-Z][a-zA-Z0-9:_-]{0,40})(?:[^>"']++|"[^"]*+"|'[^']*+')*+(>?)|[!?/][^>]*>?)""",
    re.DOTALL,
)
_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "dl"))
_CELLS = frozenset(("td", "th"))
_BREAKS = (BLOCKS | {"br", "tr"}) - _CELLS


def html_to_text(html: str) -> str:
    """The words of an HTML document, one block per line, quotes marked with ``>``."""
    page = _Page()
    pieces = _TAG.split(_visible(html[:MOST]), MOST_TAGS)
    page.write(pieces[0])
    for at in range(1, len(pieces), 4):
        closing, name, end, text = pieces[at : at + 4]
        if name:
            name = name.lower()
            if name in _BREAKS:
                page.tag(name, closing=bool(closing))
            elif name in _CELLS and not closing:
                page.write(" ")
            if not end:
                text = text.partition(">")[2]
        if text:
            page.write(text)
    return scrub("\n".join(page.lines()))


def _visible(html: str) -> str:
    """Without comments, and without elements whose content is no HTML or is not shown. One that never ends is ignored."""
    out: list[str] = []
    never_end: set[str] = set()
    done = at = 0
    while sign := _HIDDEN.search(html, at):
        at = sign.end()
        name = (sign[1] or "").lower()
        end = ENDS[name].search(html, at) if name and name not in never_end else None
        if name and not end:
            never_end.add(name)
            continue
        out.append(html[done : sign.start()])
        if end and name in KEEPS_TEXT:
            out.append(html[_after(html, ">", at) : end.start()].replace("<", "&lt;"))
        done = at = _after(html, ">", end.end()) if end else _after_comment(html, at)
    return "".join(out) + html[done:] if done else html


def _after_comment(html: str, at: int) -> int:
    # "<!-->" and "<!--->" are whole comments (HTML Standard, 13.2.5.43).
    short = _EMPTY_COMMENT.match(html, at)
    return short.end() if short else _after(html, "-->", at)


def _after(html: str, sign: str, at: int) -> int:
    end = html.find(sign, at)
    return end + len(sign) if end >= 0 else len(html)


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
