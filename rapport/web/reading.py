"""A conversation as it is read: plain values that a page shows and asks nothing more about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404
from django.urls import reverse

from rapport import access
from rapport.crm.models import Contact
from rapport.links.models import Link
from rapport.mail.models import Account, Attachment, Message, Recipient, Thread
from rapport.mime import html as mail_html
from rapport.people.models import User
from rapport.search import timeline
from rapport.web import brought

RECENT = 4
OPEN_AT_ONCE = 10
"""At most that many unread emails are unfolded when a conversation opens."""


@dataclass(frozen=True)
class File:
    """An attachment as a tile."""

    attachment: Attachment
    name: str
    by: str
    """Who wrote it, where it is a forwarded email."""
    label: str
    tone: str
    risky: bool
    """Such a file can do harm when opened: the page asks first (R26)."""


@dataclass(frozen=True)
class Letter:
    """One email of a conversation, as it is shown."""

    message: Message
    folded: bool
    unread: bool
    mine: bool
    """In a mailbox the viewer reads in; else it is here because of a contact (S9)."""
    who: str
    line: str
    """*to sales@, cc Paulo Nunes*."""
    details: Sequence[tuple[str, str]]
    """Every header that names somebody: its name, and everybody in it."""
    files: Sequence[File]
    blocked: int
    """Pictures on other servers that were not fetched."""
    invitation: brought.Invitation | None
    outcomes: Sequence[brought.Outcome]
    """What became of an email sent before, where this one is a report about it."""
    about: Message | None
    """The email it reports about, where it is here."""
    height: int
    """Room kept for the text, in pixels, before the frame has been measured."""


@dataclass(frozen=True)
class Association:
    """A record the conversation belongs to, and why."""

    link: Link
    name: str
    url: str
    kind: str


@dataclass(frozen=True)
class Conversation:
    """A conversation as it is read."""

    thread: Thread
    account: Account
    subject: str
    flagged: bool
    """One of its emails is starred."""
    readers: int
    """How many people can read it."""
    blocks: Sequence[tuple[bool, Sequence[Letter]]]
    """Emails in order; ``True`` marks a run that waits behind *Show earlier messages*."""
    contact: Contact | None
    other: tuple[str, str]
    """The other side's name and address."""
    associations: Sequence[Association]
    recent: Sequence[timeline.Entry]
    recent_count: int


def conversation(user: User, thread: Thread, *, opened: Iterable[UUID] = ()) -> Conversation:
    """Everything the reading pane and the panel beside it show. A fixed number of queries."""
    messages = list(_with_all(access.thread_messages(user, thread)))
    if not messages:
        raise Http404
    letters = _letters(user, messages, set(opened))
    links = list(access.links(user, thread).prefetch_related("contact__addresses", "contact__owner"))
    contact, other = _other_side(messages, links)
    return Conversation(
        thread=thread,
        account=thread.account,
        subject=messages[-1].subject or messages[0].subject,
        flagged=any(placement.flagged for message in messages for placement in message.placements.all()),
        readers=access.readers(thread.account),
        blocks=_blocks(letters),
        contact=contact,
        other=other,
        associations=_associations(links),
        recent=timeline.of_contact(user, contact, limit=RECENT) if contact else [],
        recent_count=timeline.count(user, contact=contact) if contact else 0,
    )


def _with_all(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.select_related("account").prefetch_related("participants", "attachments", "placements")


def _letters(user: User, messages: Sequence[Message], opened: set[UUID]) -> list[Letter]:
    """Unfolded: the newest, what is unread, and what was asked for."""
    unread = [message for message in messages if _unread(message)][:OPEN_AT_ONCE]
    unfolded = {messages[-1].pk} | {m.pk for m in unread} | {m.pk for m in messages if m.uuid in opened}
    prefetch_related_objects([message for message in messages if message.pk in unfolded], "body")
    ours = _short_names(user)
    return [_shown(user, message, ours, folded=message.pk not in unfolded, mine=True) for message in messages]


def letter(user: User, message: Message, *, folded: bool, mine: bool) -> Letter:
    return _shown(user, message, _short_names(user), folded=folded, mine=mine)


def _shown(user: User, message: Message, ours: Mapping[str, str], *, folded: bool, mine: bool) -> Letter:
    html, text = ("", "") if folded else said(message)
    body = None if folded else getattr(message, "body", None)
    who = message.from_name or message.from_address or "Unknown sender"
    return Letter(
        message=message,
        folded=folded,
        unread=mine and _unread(message),
        mine=mine,
        who=who,
        line=_line(message, ours),
        details=_details(message, with_bcc=mine),
        files=[_file(attachment) for attachment in message.attachments.all() if not _in_text(attachment, html)],
        blocked=mail_html.clean(html, inline=_none).blocked_remote if html else 0,
        invitation=brought.invitation(body.invitation, who) if body else None,
        outcomes=brought.outcomes(body.report) if body else (),
        about=_reported(user, message, body.report) if body and body.report else None,
        height=_height(html, text),
    )


def _reported(user: User, message: Message, report: brought.Told) -> Message | None:
    """The email of the same mailbox that a report is about."""
    told = report["original_id"]
    here = access.messages(user).filter(account=message.account, message_id=told, gone_since=None)
    return here.exclude(pk=message.pk).first() if told else None


def said(message: Message) -> tuple[str, str]:
    """Its HTML and its text; empty where it could not be read."""
    body = getattr(message, "body", None)
    return (body.html, body.text) if body else ("", "")


def _unread(message: Message) -> bool:
    return any(not placement.seen for placement in message.placements.all())


def _short_names(user: User) -> dict[str, str]:
    """``sales@`` for the mailboxes the person knows."""
    return {account.address: account.short for account in access.accounts(user)}


def _line(message: Message, ours: Mapping[str, str]) -> str:
    """Whom it went to, short."""
    told = []
    for role, word in ((Recipient.TO, "to"), (Recipient.CC, "cc"), (Recipient.BCC, "bcc")):
        people = [ours.get(p.address) or p.name or p.address for p in message.participants.all() if p.role == role]
        if people:
            rest = f" and {len(people) - 3} more" if len(people) > 4 else ""
            told.append(f"{word} {', '.join(people[:3] if rest else people)}{rest}")
    return ", ".join(told)


def _details(message: Message, *, with_bcc: bool) -> list[tuple[str, str]]:
    """Every header that names somebody. The Bcc of a colleague's copy is not for others (R7)."""
    roles = [role for role in Recipient if with_bcc or role != Recipient.BCC]
    named = [(role, [p for p in message.participants.all() if p.role == role]) for role in roles]
    return [
        (str(role.value).capitalize(), ", ".join(f"{p.name} <{p.address}>" if p.name else p.address for p in people))
        for role, people in named
        if people
    ]


LINE, CHARACTERS, PARAGRAPH = 23, 72, 10


def _height(html: str, text: str) -> int:
    """A guess from the length of what it says; a little too much is better than a jump downwards."""
    lines = sum(1 + len(line) // CHARACTERS for line in text.splitlines()) or 1
    return min(max(lines * LINE + (PARAGRAPH * 4 if html else PARAGRAPH), 2 * LINE), 1600)


TONES = {
    "pdf": ("pdf",),
    "xls": ("xls", "xlsx", "csv", "ods", "numbers"),
    "zip": ("zip", "rar", "7z", "gz", "tar", "tgz"),
    "img": ("png", "jpg", "jpeg", "gif", "webp", "heic", "tif", "tiff", "svg", "bmp"),
    "dwg": ("dwg", "dxf", "doc", "docx", "odt", "rtf", "ics", "vcf"),
}
RISKY = frozenset(
    "exe msi bat cmd com scr js jse vbs vbe wsf ps1 jar lnk iso img vhd hta html htm svg xml "
    "docm xlsm pptm xll chm reg cpl dll app dmg pkg sh url".split()
)


def _in_text(attachment: Attachment, html: str) -> bool:
    """The text shows it already; a picture that only claims to be inline is a file like any other."""
    if not html:
        return attachment.inline and bool(attachment.content_id)
    return bool(attachment.content_id) and f"cid:{attachment.content_id}" in html


def _file(attachment: Attachment) -> File:
    ending = attachment.name.rpartition(".")[2].lower() if "." in attachment.name else ""
    tone = next((tone for tone, endings in TONES.items() if ending in endings), "")
    if attachment.subject or attachment.author:
        return File(attachment, attachment.subject or "No subject", attachment.author, "EML", "", risky=False)
    return File(attachment, attachment.name, "", ending[:4].upper() or "FILE", tone, risky=ending in RISKY)


def _blocks(letters: Sequence[Letter]) -> list[tuple[bool, list[Letter]]]:
    """The first, the last two and everything unfolded are there at once; runs between them wait."""
    blocks: list[tuple[bool, list[Letter]]] = []
    for place, letter in enumerate(letters):
        waits = letter.folded and 0 < place < len(letters) - 2
        if not blocks or blocks[-1][0] != waits:
            blocks.append((waits, []))
        blocks[-1][1].append(letter)
    return blocks


def _other_side(messages: Sequence[Message], links: Sequence[Link]) -> tuple[Contact | None, tuple[str, str]]:
    """Who the conversation is with: the newest email's other side that is a contact, else its other side."""
    by_address = {link.found: link.contact for link in links if link.contact}
    sides = [_side(message) for message in reversed(messages)]
    known = next((by_address[address] for _, address in sides if address in by_address), None)
    if known is None:
        known = next((link.contact for link in links if link.contact), None)
    return known, next((side for side in sides if side[1]), ("", ""))


def _side(message: Message) -> tuple[str, str]:
    if message.incoming:
        return message.from_name, message.from_address
    return next(((p.name, p.address) for p in message.participants.all() if p.role == Recipient.TO), ("", ""))


def _associations(links: Sequence[Link]) -> list[Association]:
    """Each record once, with the first reason it is there for; companies first."""
    once: dict[tuple[str, int], Association] = {}
    for link in links:
        if link.company:
            shown = Association(link, link.company.name, reverse("company", args=[link.company.uuid]), "Company")
            once.setdefault(("company", link.company.pk), shown)
        elif link.contact:
            shown = Association(link, link.contact.name, reverse("contact", args=[link.contact.uuid]), "Contact")
            once.setdefault(("contact", link.contact.pk), shown)
    return sorted(once.values(), key=lambda shown: shown.kind)


def why(user: User, message: Message) -> list[Association]:
    """The records because of which this person sees a colleague's email."""
    return [
        shown
        for shown in _associations(list(access.links(user, message.thread).filter(message=message)))
        if shown.link.contact
    ]


def _none(content_id: str) -> str | None:  # noqa: ARG001  # counting what is blocked needs no pictures
    return None
