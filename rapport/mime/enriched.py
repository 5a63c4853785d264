"""Text with a little formatting, from before HTML in mail (text/enriched, RFC 1896; text/richtext, RFC 1341)."""

import re

# "<<" is a sign and no command.
_COMMAND = re.compile(r"<<|<(/?)([A-Za-z0-9-]{1,60})>")
_LINES = re.compile(r"\n+")
_SIGNS = {"nl": "\n", "lt": "<", "np": "\n\n", "/paragraph": "\n\n"}
"""Commands of text/richtext that stand for signs."""
TYPES = frozenset(("text/enriched", "text/richtext"))


def to_text(said: str, type_: str) -> str:
    """Its words. In text/enriched one line end is a space and more are one less; in text/richtext all are spaces."""
    if type_ == "text/enriched":
        return _without_commands(_LINES.sub(lambda ends: "\n" * (len(ends[0]) - 1) or " ", said), {})
    return _without_commands(_LINES.sub(" ", said), _SIGNS)


def _without_commands(text: str, signs: dict[str, str]) -> str:
    out: list[str] = []
    at, hidden = 0, False
    for command in _COMMAND.finditer(text):
        if not hidden:
            out.append(text[at : command.start()])
        closing, name = command[1] or "", (command[2] or "").lower()
        if name in ("param", "comment"):
            hidden = not closing
        elif not hidden:
            out.append(signs.get(closing + name, "") if name else "<")
        at = command.end()
    return "".join(out) if hidden else "".join(out) + text[at:]
