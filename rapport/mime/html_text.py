"""HTML read as plain text: for search, for the snippet, and for mail that has no text part.

One pass over the tags and no tree: what it makes is text and is escaped wherever it is shown, so nothing here needs to
be safe, only linear. A tag that never ends hides what follows up to the next ``>``, as it does in a browser.
"""

import html as entities
import re

from rapport.mime.charsets import scrub
from rapport.mime.levels import BLOCKS, ENDS, KEEPS_TEXT, MOST, MOST_TAGS

# Possessive, so that nothing is tried twice. The sign at the end is missing where a quote never ends.
_TAG = re.compile(r"""<(?:(/?)([a-zA-Z][a-zA-Z0-9:_-]{0,40})((?:[^>"']++|"[^"]*+"|'[^']*+')*+)(>?)|!--|[!?/])""")
_EMPTY_COMMENT = re.compile(r"-?>")
_SPACES = re.compile(r"[ \t\r\n\f\xa0]+")
_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "dl"))
_BREAKS = BLOCKS | {"br", "tr", "td", "th"}


def html_to_text(html: str) -> str:
    """The words of an HTML document, one block per line, quotes marked with ``>``."""
    page = _Page()
    html = html[:MOST]
    at = tags = 0
    while tags < MOST_TAGS and (sign := _TAG.search(html, at)):
        tags += 1
        if sign.start() > at:
            page.write(html[at : sign.start()])
        closing, name, _, end = sign.groups()
        if not name:
            at = _after_comment(html, sign)
            continue
        name = name.lower()
        at = sign.end() if end else _after(html, ">", sign.end())
        if name in _BREAKS:
            page.tag(name, closing=bool(closing))
        elif name in ENDS and not closing:
            at = _past_raw(html, name, at, page)
    if tags < MOST_TAGS:
        page.write(html[at:])
    return scrub("\n".join(page.lines()))


def _after_comment(html: str, sign: re.Match[str]) -> int:
    """Where a comment, a declaration or an instruction ends (HTML Standard, 13.2.5.42 and on)."""
    if sign[0] != "<!--":
        return _after(html, ">", sign.end())
    short = _EMPTY_COMMENT.match(html, sign.end())
    return short.end() if short else _after(html, "-->", sign.end())


def _after(html: str, sign: str, at: int) -> int:
    end = html.find(sign, at)
    return end + len(sign) if end >= 0 else len(html)


def _past_raw(html: str, name: str, at: int, page: "_Page") -> int:
    """Past an element whose content is no HTML, or is not shown. One that never ends is ignored."""
    if name in page.endless:
        return at
    end = ENDS[name].search(html, at)
    if not end:
        page.endless.add(name)
        return at
    if name in KEEPS_TEXT:
        page.write(html[at : end.start()])
    return _after(html, ">", end.end())


class _Page:
    """Lines of text as they are written."""

    def __init__(self) -> None:
        self.endless: set[str] = set()
        self._lines: list[str] = []
        self._line: list[str] = []
        self._blank = True
        """Whether nothing but a space stands on the line yet, or a space at its end."""
        self._depth = 0
        self._pre = 0

    def write(self, text: str) -> None:
        if "&" in text:
            text = entities.unescape(text)
        if self._pre:
            self._write_as_it_is(text)
            return
        text = _SPACES.sub(" ", text)
        if self._blank:
            text = text.lstrip()
        if text:
            self._line.append(text)
            self._blank = text.endswith(" ")

    def _write_as_it_is(self, text: str) -> None:
        *whole, last = text.split("\n")
        for line in whole:
            self._line.append(line)
            self._break(even_empty=True)
        self._line.append(last)
        self._blank = self._blank and not last

    def tag(self, name: str, *, closing: bool) -> None:
        if name in ("td", "th"):
            if not closing and self._line:
                self.write(" ")
            return
        self._break(even_empty=name == "br")
        if name == "blockquote":
            self._depth = min(max(self._depth + (-1 if closing else 1), 0), 50)
        elif name == "pre":
            self._pre = max(self._pre + (-1 if closing else 1), 0)
        elif name == "li" and not closing:
            self._line.append("- ")
        elif name == "hr":
            self._line.append("----------")
            self._break(even_empty=False)
        if name in _APART and self._lines and self._lines[-1].strip("> "):
            self._lines.append(">" * self._depth)

    def _break(self, *, even_empty: bool) -> None:
        line = "".join(self._line).rstrip() if self._line else ""
        if line or even_empty:
            self._lines.append(">" * self._depth + (" " if self._depth and line else "") + line)
        self._line = []
        self._blank = True

    def lines(self) -> list[str]:
        self._break(even_empty=False)
        out: list[str] = []
        for line in self._lines:
            if line.strip("> ") or (out and out[-1].strip("> ")):
                out.append(line)
        while out and not out[-1].strip("> "):
            out.pop()
        return out
