"""Which parts of a message are its words, and which are files."""

import html as entities
import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from rapport.mime import enriched, limits
from rapport.mime.charsets import decode_lines
from rapport.mime.html_text import html_to_text
from rapport.mime.levels import level
from rapport.mime.limits import Notes
from rapport.mime.structure import Part, Structure
from rapport.mime.unpacked import PackedFile, in_text, in_tnef, is_tnef

_META = re.compile(rb"""<meta[^>]{0,200}charset\s{0,9}=\s{0,9}["']?([\w.:-]{1,40})""", re.IGNORECASE)
_CID = re.compile(r"""cid:([^"'\s<>)]{1,500})""", re.IGNORECASE)
_NONE: frozenset[str] = frozenset()


@dataclass
class Bodies:
    """The words of a message, and the parts that are none."""

    text: str = ""
    html: str = ""
    files: list[Part] = field(default_factory=list)
    content_ids: frozenset[str] = frozenset()
    """Content-IDs the HTML refers to."""
    packed: list[PackedFile] = field(default_factory=list)
    """Files that lie within parts."""


def read_bodies(structure: Structure) -> Bodies:
    """Find text and HTML.

    Only the first HTML part is shown: two joined could swallow each other's text (R22); others become files. Text that
    stands beside HTML, not as another version of it, is shown above or below it, escaped.
    """
    texts, html_part, files = _sort(structure)
    notes = structure.notes
    packed: list[PackedFile] = []
    shown = _joined([text_of(structure, part, packed) for part in texts])
    html = text_of(structure, html_part) if html_part else ""
    if html_part and html:
        if not shown.strip():
            shown = html_to_text(html[: limits.BODY])
        html = _with_neighbours(structure, texts, html_part, html)
    if any(map(is_tnef, files)):
        files, words = _from_outlook(structure, files, packed)
        shown, html = (shown, html) if shown.strip() else words
    ids = _NONE
    if files or packed:
        ids = frozenset(entities.unescape(unquote(one)) for one in _CID.findall(html[: limits.BODY]))
    return Bodies(_cut(shown, "text", notes), _cut(html, "HTML", notes), files, ids, packed)


def text_of(structure: Structure, part: Part, packed: list[PackedFile] | None = None) -> str:
    """A text part decoded, with line feeds only. Files that are uuencoded in it go to ``packed``."""
    data = structure.content(part)
    if part.type == "text/plain" and b"begin " in data:
        data, files = in_text(part, data)
        if packed is not None:
            packed += files
    # Four octets make one character at most.
    data = data[: limits.BODY * 4 + 4]
    charset = part.parameters.get("charset", "")
    if not charset and part.type == "text/html":
        meta = _META.search(data, 0, 4_096)
        charset = meta[1].decode("ascii", "replace") if meta else ""
    text = decode_lines(data, charset)
    if part.type in enriched.TYPES:
        return enriched.to_text(text, part.type)
    if part.type == "text/plain" and part.parameters.get("format", "").lower() == "flowed":
        return unflow(text, joined=part.parameters.get("delsp", "").lower() == "yes")
    return text


def _from_outlook(
    structure: Structure, files: list[Part], packed: list[PackedFile]
) -> tuple[list[Part], tuple[str, str]]:
    """Files, what Outlook packed in place of the package; and its words, as text and HTML."""
    words = ("", "")
    kept: list[Part] = []
    for part in files:
        if not is_tnef(part):
            kept.append(part)
            continue
        found, inside = in_tnef(structure, part)
        packed += inside
        if not found.whole:
            structure.notes.add("What Outlook packed into winmail.dat could not be read whole.")
            kept.append(part)
        if not words[0]:
            words = (found.text if found.text.strip() else html_to_text(found.html), found.html)
    return kept, words


def unflow(text: str, *, joined: bool) -> str:
    """Put the lines of ``format=flowed`` together again (RFC 3676, 4.2); ``joined`` is its DelSp."""
    paragraphs: list[list[str]] = []
    open_depth = -1
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">")) if line[:1] == ">" else 0
        said = line[depth:].removeprefix(" ")
        flows = said[-1:] == " " and said != "-- "
        said = said[:-1] if flows and joined else said
        if open_depth == depth and said != "-- ":
            paragraphs[-1].append(said)
        else:
            paragraphs.append([">" * depth + " " + said if depth else said])
        open_depth = depth if flows else -1
    return "\n".join(map("".join, paragraphs))


def _sort(structure: Structure) -> tuple[list[Part], Part | None, list[Part]]:
    texts: list[Part] = []
    files: list[Part] = []
    html: Part | None = None
    rich: list[Part] = []
    amp: list[Part] = []
    for part in structure.parts:
        if part.branches:
            continue
        if part.type == "text/x-amp-html" and part.parent >= 0 and not _is_file(part):
            amp.append(part)
        elif _is_file(part):
            files.append(part)
        elif part.type == "text/html" and html is None:
            html = part
        elif part.type == "text/plain":
            texts.append(part)
        elif part.type in enriched.TYPES:
            rich.append(part)
        else:
            files.append(part)
    if rich and not texts and html is None:
        texts, rich = rich, []
    # The dynamic version of a newsletter says nothing that its HTML does not; alone it is a file (R21).
    left = [] if html else amp
    left += [part for part in rich if not any(_are_versions(structure, part, one) for one in (*texts, html) if one)]
    return texts, html, sorted([*files, *left], key=lambda part: part.position) if left else files


def _is_file(part: Part) -> bool:
    if part.type not in ("text/plain", "text/html", *enriched.TYPES):
        return part.type != "text/x-amp-html"
    if part.disposition == "attachment":
        return True
    return bool(part.filename) and part.parent >= 0


def _with_neighbours(structure: Structure, texts: list[Part], html_part: Part, html: str) -> str:
    beside = [part for part in texts if not _are_versions(structure, part, html_part)]
    if not beside:
        return html
    before = [_escaped(structure, part) for part in beside if part.position < html_part.position]
    after = [_escaped(structure, part) for part in beside if part.position > html_part.position]
    # Levelled first, so that nothing left open in the HTML reaches the text below it.
    return "".join(before) + (level(html).html_with_styles() if after else html) + "".join(after)


def _are_versions(structure: Structure, one: Part, other: Part) -> bool:
    """Whether two parts are versions of the same: under one multipart/alternative, in different branches."""
    above = set(_alternatives(structure, one))
    return any(position in above for position in _alternatives(structure, other))


def _alternatives(structure: Structure, part: Part) -> list[int]:
    found = []
    while part.parent >= 0:
        part = structure.parts[part.parent]
        if part.type == "multipart/alternative":
            found.append(part.position)
    return found


def _escaped(structure: Structure, part: Part) -> str:
    said = text_of(structure, part).strip("\n")
    if not said.strip():
        return ""
    return f'<div style="white-space: pre-wrap; margin: 1em 0">{entities.escape(said)}</div>'


def _joined(texts: list[str]) -> str:
    return "\n\n".join(text.strip("\n") for text in texts if text.strip()) if len(texts) > 1 else "".join(texts)


def _cut(text: str, what: str, notes: Notes) -> str:
    if len(text) <= limits.BODY:
        return text
    notes.add(f"Only the first {limits.BODY // 1_000_000} million characters of the {what} are shown.")
    return text[: limits.BODY]
