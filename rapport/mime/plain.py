"""Plain text made into HTML: escaped, with the links that are written in it."""

import html as entities
import re

from rapport.mime.quotes import fold

_WORD = re.compile(r"\S+")
_WEB = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'`\\^{}|\x00-\x1f\u200e\u200f\u202a-\u202e\u2066-\u2069]{3,2000}", re.IGNORECASE
)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_LONGEST_WORD = 4_000
_TRAILING = ".,;:!?'*_"
_PAIRS = {")": "(", "]": "[", "}": "{"}


def linked(text: str) -> tuple[str, str]:
    """New and quoted text of a mail (`quotes.fold`), each as HTML."""
    fresh, quoted = fold(text)
    return with_links(fresh.rstrip()), with_links(quoted.strip("\n"))


def with_links(text: str) -> str:
    """Escape text and make links of the addresses in it. Linear: word by word, each looked at once."""
    out: list[str] = []
    end = 0
    for match in _WORD.finditer(text):
        word = match[0]
        if len(word) > _LONGEST_WORD or not ("://" in word or "@" in word or "www." in word.lower()):
            continue
        out += [entities.escape(text[end : match.start()]), _word(word)]
        end = match.end()
    return "".join(out) + entities.escape(text[end:])


def _word(word: str) -> str:
    match = _WEB.search(word) or _MAIL.search(word)
    if not match:
        return entities.escape(word)
    said = _trimmed(match[0])
    href = said if "://" in said else f"http://{said}" if said.lower().startswith("www.") else f"mailto:{said}"
    link = (
        f'<a href="{entities.escape(href)}" target="_blank" rel="noopener noreferrer nofollow" '
        f'referrerpolicy="no-referrer">{entities.escape(said)}</a>'
    )
    return entities.escape(word[: match.start()]) + link + entities.escape(word[match.start() + len(said) :])


def _trimmed(link: str) -> str:
    """Without the sentence's full stop, or the bracket it stands in."""
    while link:
        last = link[-1]
        alone = last in _PAIRS and link.count(last) > link.count(_PAIRS[last])
        if last not in _TRAILING and not alone:
            break
        link = link[:-1]
    return link
