"""Writing turns what somebody says into the bytes their mail program would send: charsets, quotes, signatures, files."""

import binascii
import hashlib
import html
import re
import textwrap
from base64 import encodebytes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime
from urllib.parse import quote

from rapport.demo.cast import FIRM, Voice, houses, ours
from rapport.demo.days import MONTHS, WEEKDAYS, fill, working_day
from rapport.demo.papers import content_type, paper
from rapport.demo.script import Address, Line

WORD = "Content-Type: "


@dataclass(frozen=True)
class Mail:
    """A mail written out: its bytes, and what an answer to it needs to know."""

    line: Line
    when: datetime
    subject: str
    message_id: str
    references: tuple[str, ...]
    plain: str
    rich: str
    raw: bytes


def write(line: Line, when: datetime, subject: str, key: str, answers: Mail | None) -> Mail:
    """Write a mail, in answer to another or by itself."""
    when = when.astimezone(_zone(line.sender)) if not ours(line.sender) else when
    references = (*answers.references, answers.message_id) if answers else ()
    message_id = message_id_of(line.sender, key, line.shown.address)
    quoted = None if "noquote" in line.options else answers
    said = fill(line.text, when.date())
    plain, rich = _plain(line, said, quoted), _rich(line, said, quoted)
    headers = _headers(line, when, subject, message_id, references)
    raw = _lines_of(headers) + _body(line, when, plain, rich, key)
    return Mail(line, when, subject, message_id, references, plain, rich, raw)


def message_id_of(sender: Voice, key: str, address: str) -> str:
    """An id in the style of the sender's mail program; the same key always gives the same id."""
    name, domain = hashlib.sha256(key.encode()).hexdigest(), address.partition("@")[2]
    if "outlook" in sender.habits:
        return f"<DB7PR09MB{int(name[:4], 16)}{name[4:32].upper()}@DB7PR09MB{int(name[:4], 16)}.mail.{domain}>"
    if "html" in sender.habits:
        return f"<CA+{name[:12]}={name[12:30]}@mail.{domain}>"
    return f"<{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:28]}@{domain}>"


def _zone(sender: Voice) -> timezone:
    house = houses().get(sender.house)
    return timezone(timedelta(hours=house.offset if house else 0))


# What it says


def _plain(line: Line, said: str, quoted: Mail | None) -> str:
    parts = [said.replace("**", ""), _signature(line), _quote(line.sender, quoted)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _signature(line: Line) -> str:
    voice, house = line.sender, houses().get(line.sender.house)
    if {"nosig", "robot", "auto"} & (voice.habits | set(line.options)) or not (voice.title or voice.phone):
        return ""
    if ours(voice):
        return f"{voice.name}\n{voice.title}, {FIRM} Acoustics\n{voice.phone} · alderfinch.example"
    firm = house.name if house and house.key != "strangers" else ""
    role = ", ".join(part for part in (voice.title, firm) if part)
    return "\n".join(part for part in ("-- ", voice.name, role, voice.phone) if part)


def _quote(sender: Voice, mail: Mail | None) -> str:
    if not mail:
        return ""
    if "outlook" in sender.habits:
        return f"________________________________\n{_outlook_head(mail)}\n\n{mail.plain.rstrip()}"
    body = "\n".join(f">{text}" if text.startswith(">") else f"> {text}".rstrip() for text in mail.plain.splitlines())
    return f"{_introduction(sender, mail)}\n{body}"


def _introduction(sender: Voice, mail: Mail) -> str:
    day, clock, name = mail.when, f"{mail.when:%H:%M}", mail.line.shown.name
    if "german" in sender.habits:
        return f"Am {day:%d.%m.%Y} um {clock} schrieb {name}:"
    spoken = f"{WEEKDAYS[day.weekday()][:3]}, {day.day} {MONTHS[day.month - 1][:3]} {day.year}"
    return f"On {spoken} at {clock}, {name} <{mail.line.shown.address}> wrote:"


def _outlook_head(mail: Mail) -> str:
    day, to = mail.when, "; ".join(address.name or address.address for address in mail.line.to)
    sent = f"{WEEKDAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]} {day.year} {day:%H:%M}"
    shown = mail.line.shown
    return f"From: {shown.name} <{shown.address}>\nSent: {sent}\nTo: {to}\nSubject: {mail.subject}"


def _rich(line: Line, said: str, quoted: Mail | None) -> str:
    outlook = "outlook" in line.sender.habits
    parts = [_paragraphs(said, outlook), _rich_signature(line), _rich_quote(line.sender, quoted)]
    inner = "\n".join(part for part in parts if part)
    return f'<div class="WordSection1">{inner}</div>' if outlook else f'<div dir="ltr">{inner}</div>'


def _paragraphs(text: str, outlook: bool = False) -> str:
    tag = '<p class="MsoNormal">' if outlook else "<p>"
    return "\n".join(_paragraph(block, tag) for block in re.split(r"\n{2,}", text.strip()) if block)


def _paragraph(block: str, tag: str) -> str:
    safe = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(block, quote=False))
    items = safe.split("\n- ") if safe.startswith("- ") else []
    if items:
        return "<ul>" + "".join(f"<li>{item.removeprefix('- ')}</li>" for item in items) + "</ul>"
    return tag + safe.replace("\n", "<br>") + "</p>"


def _rich_signature(line: Line) -> str:
    text = _signature(line).removeprefix("-- \n")
    style = "color:#676560;font-size:13px"
    return f'<div class="signature" style="{style}">{_paragraphs(text)}</div>' if text else ""


def _rich_quote(sender: Voice, mail: Mail | None) -> str:
    if not mail:
        return ""
    if "outlook" in sender.habits:
        head = re.sub(r"^(\w+:)", r"<b>\1</b>", html.escape(_outlook_head(mail)), flags=re.MULTILINE).replace(
            "\n", "<br>"
        )
        return (
            f'<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal">{head}</p></div>{mail.rich}'
        )
    style = "margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex"
    head = html.escape(_introduction(sender, mail))
    return (
        f'<div class="gmail_quote"><div class="gmail_attr">{head}<br></div>'
        f'<blockquote class="gmail_quote" style="{style}">{mail.rich}</blockquote></div>'
    )


# How it travels


def _headers(line: Line, when: datetime, subject: str, message_id: str, refs: Sequence[str]) -> list[tuple[str, str]]:
    charset = line.sender.habit("charset", "utf-8")
    found = [
        ("Received", "" if line.by_us else _received(line, when)),
        ("From", mailboxes([line.shown], charset)),
        ("To", mailboxes(line.to, charset)),
        ("Cc", mailboxes(line.cc, charset)),
        ("Reply-To", mailboxes(_reply_to(line), charset)),
        ("Subject", encoded("Subject", subject, charset)),
        ("Date", format_datetime(when)),
        ("Message-ID", "" if "noid" in line.options else message_id),
        ("In-Reply-To", refs[-1] if refs else ""),
        ("References", "\r\n ".join(refs)),
        ("Auto-Submitted", line.options.get("auto", "")),
        ("Importance", "high" if "important" in line.options else ""),
        ("MIME-Version", "1.0"),
    ]
    return [(name, value) for name, value in found if value]


def _reply_to(line: Line) -> list[Address]:
    name, _, address = line.options.get("replyto", "").rstrip(">").partition(" <")
    return [Address(name, address)] if address else []


def _received(line: Line, when: datetime) -> str:
    host = f"mail.{line.sender.address.partition('@')[2]}"
    return f"from {host} ({host} [192.0.2.25])\r\n by mx.alderfinch.example; {format_datetime(when)}"


def encoded(name: str, text: str, charset: str = "utf-8") -> str:
    """A header's text, as encoded words where it needs them, folded."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = "utf-8"
    header = Header(text, None if text.isascii() else charset, header_name=name, maxlinelen=76)
    return header.encode(linesep="\r\n")


def mailboxes(addresses: Iterable[Address], charset: str = "utf-8") -> str:
    """A From, To or Cc line."""
    return ",\r\n ".join(_mailbox(address, charset) for address in addresses)


def _mailbox(address: Address, charset: str) -> str:
    name = address.name
    if not name:
        return address.address
    if not name.isascii():
        name = encoded("From", name, charset)
    elif not re.fullmatch(r"[\w '-]+", name):
        name = f'"{name}"'
    return f"{name} <{address.address}>"


def _lines_of(headers: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("ascii")


def _body(line: Line, when: datetime, plain: str, rich: str, key: str) -> bytes:
    habits = line.sender.habits
    parts = [text_part(plain, "plain", habits)]
    if "html" in habits and "plain" not in line.options:
        parts = [text_part(plain, "plain", habits), text_part(f"<html><body>{rich}</body></html>", "html", habits)]
    if "ics" in line.options:
        parts.append(_invitation(line, when, key))
    body = parts[0] if len(parts) == 1 else joined("alternative", parts, key)
    files = [_attachment(*_sized(item)) for item in line.options.get("attach", "").split(",") if item]
    return joined("mixed", [body, *files], key + "/files") if files else body


def joined(kind: str, parts: Sequence[bytes], key: str) -> bytes:
    """Several parts as one multipart."""
    boundary = "=_" + hashlib.sha256(f"{kind} {key}".encode()).hexdigest()[:24]
    mark = f"--{boundary}".encode()
    inner = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    head = f'{WORD}multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode()
    return head + inner + mark + b"--\r\n"


def text_part(text: str, subtype: str, habits: frozenset[str] = frozenset()) -> bytes:
    """A text in the sender's charset and encoding."""
    flowed = subtype == "plain" and "flowed" in habits
    text = "\n".join(_flow(text)) if flowed else text
    charset, data = _encoded(_crlf(text), habits)
    encoding, data = _transfer(data, charset, habits)
    extra = "; format=flowed" if flowed else ""
    label = "us-ascii" if data.isascii() and encoding == "7bit" and charset != "iso-2022-jp" else charset
    head = f"{WORD}text/{subtype}; charset={label}{extra}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + data


def _encoded(text: str, habits: frozenset[str]) -> tuple[str, bytes]:
    """The text in the sender's charset, or in the next one that has all its characters."""
    habit = next((habit[8:] for habit in habits if habit.startswith("charset=")), "utf-8")
    for charset in (habit, "windows-1252") if habit == "iso-8859-1" else (habit,):
        try:
            return charset, text.encode(charset)
        except UnicodeEncodeError:
            continue
    return "utf-8", text.encode()


def _crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _transfer(data: bytes, charset: str, habits: frozenset[str]) -> tuple[str, bytes]:
    """The encoding of a body, and the body in it."""
    if charset == "iso-2022-jp":
        return "7bit", data
    if "8bit" in habits:
        return "8bit", data
    if "b64" in habits or charset in ("gb18030", "koi8-u"):
        return "base64", encodebytes(data).replace(b"\n", b"\r\n")
    if data.isascii() and max(map(len, data.split(b"\r\n"))) < 200 and b"\r\nFrom " not in data:
        return "7bit", data
    return "quoted-printable", binascii.b2a_qp(data, istext=True)


def _flow(text: str) -> Iterable[str]:
    """Wrap the way format=flowed wants it: a space at the end says the line goes on (RFC 3676)."""
    for paragraph in text.splitlines():
        mark = re.match(r"(>*) ?", paragraph)
        depth = mark[1] + " " if mark and mark[1] else ""
        words = paragraph[len(depth) :] if depth else paragraph
        lines = textwrap.wrap(words, 70 - len(depth), break_long_words=False, break_on_hyphens=False)
        if paragraph == "-- " or not lines:
            yield paragraph
        else:
            yield from (f"{depth}{part} " for part in lines[:-1])
            yield f"{depth}{lines[-1]}"


def _sized(item: str) -> tuple[str, int]:
    name, _, size = item.strip().rpartition(" ")
    return name, int(float(size.removesuffix("k")) * 1024)


def _attachment(name: str, size: int) -> bytes:
    return attached(name, content_type(name), paper(name, size))


def attached(name: str, kind: str, data: bytes) -> bytes:
    """A file as a part."""
    head = f"{WORD}{kind}\r\nContent-Disposition: attachment;\r\n {_named(name)}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + encodebytes(data).replace(b"\n", b"\r\n")


def _named(name: str) -> str:
    if name.isascii():
        return f'filename="{name}"'
    return f"filename*=utf-8''{quote(name)}"  # RFC 2231


def _invitation(line: Line, when: datetime, key: str) -> bytes:
    """An option like ics=+2 10:00 Measuring the foyer, as a calendar's part."""
    days, clock, title = line.options["ics"].split(" ", 2)
    start = datetime.fromisoformat(f"{working_day(when.date(), int(days))}T{clock}").replace(tzinfo=when.tzinfo)
    start_utc, end_utc = (f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}" for at in (start, start + timedelta(hours=1)))
    uid = hashlib.sha256(f"ics {key}".encode()).hexdigest()[:24]
    guests = [f"ATTENDEE;RSVP=TRUE:mailto:{address.address}" for address in (*line.to, *line.cc)]
    rows = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Alder & Finch//Demo//EN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:{uid}@{line.shown.address.partition('@')[2]}",
        f"DTSTAMP:{when.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART:{start_utc}",
        f"DTEND:{end_utc}",
        f"SUMMARY:{title}",
        f"ORGANIZER;CN={line.shown.name}:mailto:{line.shown.address}",
        *guests,
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    head = f"{WORD}text/calendar; charset=utf-8; method=REQUEST\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + encodebytes("\r\n".join(rows).encode()).replace(b"\n", b"\r\n")
