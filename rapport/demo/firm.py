"""The firm is Alder & Finch: the people, the companies they know, and half a year of their mail."""

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rapport.demo.bulk import newsletters, returned
from rapport.demo.cast import FIRM, INFO, MAILBOXES, MARA, SALES, TOMASZ, houses, ours, voices
from rapport.demo.days import fill, moment
from rapport.demo.script import Line, Thread, threads
from rapport.demo.stories import stories
from rapport.demo.writing import Mail, write

__all__ = ["FIRM", "FOLDERS", "INFO", "MAILBOXES", "MARA", "PASSWORD", "SALES", "TOMASZ"]
__all__ += ["Company", "Contact", "Letter", "Person", "letters", "newcomers", "people", "records"]

# The mailboxes are made up and listen on loopback only, so the password is no secret.
PASSWORD = "quieter-rooms"  # as the line above says
FOLDERS = ("INBOX", "Archive", "Drafts", "Junk", "Quotes", "Sent", "Trash")
_SCRIPTS = ("inbox.txt", "older.txt", "forms.txt", "sundries.txt")
_OLD = timedelta(days=35)


@dataclass(frozen=True)
class Letter:
    """A mail in a folder of a mailbox."""

    mailbox: str
    folder: str
    flags: tuple[str, ...]
    internal_date: datetime
    raw: bytes


@dataclass(frozen=True)
class Person:
    """Somebody who works at the firm."""

    name: str
    address: str
    admin: bool
    title: str


@dataclass(frozen=True)
class Company:
    """A company as an administrator would have typed it."""

    name: str
    domains: tuple[str, ...]


@dataclass(frozen=True)
class Contact:
    """A contact as an administrator would have typed it."""

    name: str
    addresses: tuple[str, ...]
    title: str
    phone: str
    company: str


def people() -> tuple[Person, ...]:
    """Everybody who works at the firm, the administrator first."""
    staff = (voice for voice in voices().values() if ours(voice))
    return tuple(Person(voice.name, voice.address, voice.key == "mara", voice.title) for voice in staff)


def records() -> tuple[tuple[Company, ...], tuple[Contact, ...]]:
    """The companies and contacts there were before the mailboxes were connected."""
    known = {key: house for key, house in houses().items() if house.known and key != "us"}
    more = {"ines": ("ines@carvalho.example",), "kwame": ("kwame@osei-construct.example",)}
    contacts = (
        Contact(voice.name, (voice.address, *more.get(key, ())), voice.title, voice.phone, known[voice.house].name)
        for key, voice in voices().items()
        if voice.known and voice.house in known
    )
    return tuple(Company(house.name, house.domains) for house in known.values()), tuple(contacts)


def letters(now: datetime) -> Iterator[Letter]:
    """All mail up to now, oldest first. The same now always gives the same bytes."""
    bulk = (Letter(box, _aged("INBOX", box, when, now), _seen(when, now), when, raw) for box, when, raw in _bulk(now))
    yield from sorted(itertools.chain(_conversations(now), bulk), key=lambda letter: letter.internal_date)


def _bulk(now: datetime) -> Iterator[tuple[str, datetime, bytes]]:
    yield from newsletters(now)
    yield returned(now)


def _seen(when: datetime, now: datetime) -> tuple[str, ...]:
    return () if now - when < timedelta(days=24) else ("\\Seen",)


def _conversations(now: datetime) -> Iterator[Letter]:
    for thread in _threads():
        mails = _written(thread, now)
        for position, mail in enumerate(mails):
            yield from _filed(thread, mail, mails[position + 1 :], now)


def _threads() -> Iterator[Thread]:
    for name in _SCRIPTS:
        yield from threads(name)
    yield from stories()


def _written(thread: Thread, now: datetime) -> list[Mail]:
    mails: list[Mail] = []
    for number, line in enumerate(thread.lines, 1):
        when = moment(line.when, now).replace(second=_second(thread.key, number), microsecond=0)
        if when > now:
            when -= timedelta(minutes=1)
        mails.append(_answer(thread, line, when, f"{thread.key} {number}", mails[-1] if mails else None))
    return mails


def _second(key: str, number: int) -> int:
    return hashlib.sha256(f"{key} {number}".encode()).digest()[0] % 60


def _answer(thread: Thread, line: Line, when: datetime, key: str, before: Mail | None) -> Mail:
    options = {name: fill(value, when.date()) for name, value in line.options.items()}
    line = replace(line, options=options)
    plain = fill(thread.subject, when.date())
    prefix = "AW: " if "german" in line.sender.habits else "Re: "
    subject = options.get("subject", prefix + plain if before else plain)
    return write(line, when, subject, key, before)


def _filed(thread: Thread, mail: Mail, later: list[Mail], now: datetime) -> Iterator[Letter]:
    """The letter in every mailbox that has a part in it: what we sent in Sent, what we got where it was put."""
    sender = mail.line.shown.address
    if sender in MAILBOXES:
        yield Letter(sender, _sent(thread, mail.line), _flags(mail, sender, later), mail.when, mail.raw)
    heard = {address.address for address in (*mail.line.to, *mail.line.cc)} - {sender}
    if "draft" in mail.line.options:
        return
    for mailbox in sorted(heard & set(MAILBOXES)):
        folder = thread.folder or _aged("INBOX", thread.key, mail.when, now)
        yield Letter(mailbox, folder, _flags(mail, mailbox, later), mail.when, mail.raw)


def _sent(thread: Thread, line: Line) -> str:
    if "draft" in line.options:
        return "Drafts"
    return "Trash" if thread.folder == "Trash" else "Sent"


def _aged(folder: str, key: str, when: datetime, now: datetime) -> str:
    """Three of four old threads have been put in the archive; the fourth was forgotten in the inbox."""
    forgotten = hashlib.sha256(key.encode()).digest()[1] % 4 == 0
    return folder if forgotten or now - when < _OLD else "Archive"


def _flags(mail: Mail, mailbox: str, later: list[Mail]) -> tuple[str, ...]:
    options = mail.line.options
    flags = {
        "\\Draft": "draft" in options,
        "\\Seen": "unread" not in options,
        "\\Flagged": "flag" in options,
        "\\Answered": any(_answers(other, mail, mailbox) for other in later),
    }
    return tuple(flag for flag, is_set in flags.items() if is_set)


def _answers(other: Mail, mail: Mail, mailbox: str) -> bool:
    by_mailbox = other.line.shown.address == mailbox and "draft" not in other.line.options
    return by_mailbox and other.references[-1:] == (mail.message_id,)


def newcomers(now: datetime, clock: Callable[[], datetime] | None = None) -> Iterator[Letter]:
    """New mail without end: answers in the conversations of `letters(now)`, and enquiries nobody expected.

    Each is dated by the clock when it is asked for; without one, a few minutes after the one before.
    """
    minutes = itertools.count(1)
    tell = clock or (lambda: now + timedelta(minutes=7 * next(minutes)))
    latest = {thread.key: _latest(_written(thread, now)) for thread in _threads() if thread.key in _continued()}
    for round_, thread in ((round_, thread) for round_ in itertools.count(1) for thread in threads("newcomers.txt")):
        yield _arriving(thread, latest, round_, tell())


def _continued() -> set[str]:
    return {thread.key for thread in threads("newcomers.txt")}


def _latest(mails: Iterable[Mail]) -> Mail:
    return [mail for mail in mails if "draft" not in mail.line.options][-1]


def _arriving(thread: Thread, latest: dict[str, Mail], round_: int, when: datetime) -> Letter:
    line, before = thread.lines[0], latest.get(thread.key)
    key = f"{thread.key} {round_} {when.isoformat()}"
    subject = thread.subject if not before else _reply(before.subject)
    mail = write(line, when, subject, key, before)
    mailbox = next(address.address for address in line.to if address.address in MAILBOXES)
    return Letter(mailbox, "INBOX", (), when, mail.raw)


def _reply(subject: str) -> str:
    return subject if subject.lower().startswith(("re:", "aw:")) else f"Re: {subject}"
