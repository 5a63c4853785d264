"""A script is how the demo's conversations are kept: text a person can read and change, in letters/*.txt.

    === lisbon | Re-usable subject line | Quotes
    --- ines > sales cc paulo | -25m | unread; attach=Plan.pdf 240k
    Hi Mara, …

A thread has a short name, a subject and perhaps a folder. A mail says from whom to whom, when, and what is special.
"mara@sales" is Mara writing from the shared mailbox; "{+3}" in a text is the day three working days later.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rapport.demo.cast import DOMAIN, FIRM, MAILBOXES, Voice, read_lines, voices


@dataclass(frozen=True)
class Address:
    """A name and an address, as they stand in a To line."""

    name: str
    address: str


@dataclass(frozen=True)
class Line:
    """One mail of a thread, not yet written out."""

    sender: Voice
    shown: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    when: str
    text: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def by_us(self) -> bool:
        """Was it sent from one of the firm's addresses?"""
        return self.shown.address.endswith(f"@{DOMAIN}")


@dataclass(frozen=True)
class Thread:
    """A conversation: one subject, and mails in the order of writing."""

    key: str
    subject: str
    folder: str
    lines: tuple[Line, ...]


def threads(name: str) -> Iterator[Thread]:
    """The threads of one script."""
    for head, block in _blocks(read_lines(name), "=== "):
        key, subject, folder = (*_split(head), "")[:3]
        yield Thread(key, subject, folder, tuple(_lines(block)))


def _lines(block: list[str]) -> Iterator[Line]:
    for head, text in _blocks(block, "--- "):
        who, when, options = (*_split(head), "")[:3]
        yield line(who, when, "\n".join(text), _options(options))


def line(who: str, when: str, text: str, options: dict[str, str] | None = None) -> Line:
    """Read "ines > sales cc paulo" and put a mail together."""
    sender, _, rest = who.partition(" > ")
    to, _, cc = rest.partition(" cc ")
    voice, shown = _writer(sender)
    return Line(voice, shown, _addresses(to), _addresses(cc), when, text.strip(), options or {})


def _writer(key: str) -> tuple[Voice, Address]:
    """Somebody of the cast, somebody of ours in a shared mailbox, or a passer-by who is no more than an address."""
    name, _, mailbox = key.partition("@")
    if "." in mailbox:
        return Voice(key, _spelled(name), key, habits=frozenset({"stranger"})), Address(_spelled(name), key)
    voice = voices()[name]
    return voice, Address(voice.name, f"{mailbox}@{DOMAIN}" if mailbox else voice.address)


def _spelled(name: str) -> str:
    return " ".join(part.capitalize() for part in name.split("."))


def _addresses(keys: str) -> tuple[Address, ...]:
    return tuple(_address(key.strip()) for key in keys.split(",") if key.strip())


def _address(key: str) -> Address:
    if f"{key}@{DOMAIN}" in MAILBOXES and key not in voices():
        return Address(FIRM, f"{key}@{DOMAIN}")
    if "@" in key:
        return Address("", key)
    return Address(voices()[key].name, voices()[key].address)


def blocks(name: str) -> Iterator[tuple[str, list[str]]]:
    """The blocks of any of our texts: the rest of a line that starts with ===, and the lines up to the next."""
    return _blocks(read_lines(name), "=== ")


def _blocks(lines: Iterable[str], mark: str) -> Iterator[tuple[str, list[str]]]:
    head, block = "", list[str]()
    for text in lines:
        if text.startswith(mark):
            if head:
                yield head, block
            head, block = text.removeprefix(mark), []
        else:
            block.append(text)
    if head:
        yield head, block


def _split(head: str) -> list[str]:
    return [part.strip() for part in re.split(r" \| ?", head)]


def _options(text: str) -> dict[str, str]:
    pairs = (option.strip().partition("=") for option in text.split(";") if option.strip())
    return {name: value for name, _, value in pairs}
