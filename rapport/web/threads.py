"""A conversation and its emails: read, never marked as read by being read."""

import atexit
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.db.models import QuerySet, prefetch_related_objects
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from rapport import access, blobs
from rapport.crm.models import Contact
from rapport.links.models import Link
from rapport.mail.models import Account, Attachment, Folder, Message, Recipient, Thread
from rapport.mime import html as mail_html
from rapport.mime.message import Unreadable
from rapport.mime.child import Parsers
from rapport.people.models import User
from rapport.search import timeline
from rapport.web import inbox, shell
from rapport.web.shell import SignedIn

RECENT = 4
OPEN_AT_ONCE = 10
"""At most that many unread emails are unfolded when a conversation opens."""
BIG_PICTURE = 10_000_000


@require_safe
def show(request: SignedIn, thread: UUID, folder: UUID | None = None) -> HttpResponse:
    """A conversation, beside the list it was opened from."""
    found = access.thread(request.user, thread)
    within = access.folder(request.user, folder) if folder else None
    if found.uuid != thread:
        return redirect(_address(found, within))
    if within and within.account_id != found.account_id:
        raise Http404
    opened = _uuids(request.GET.getlist("open"))
    context = {"conversation": conversation(request.user, found, opened=opened), "view": "thread"}
    if inbox.wants_piece(request, "reader"):
        frame = inbox.Frame(folder=within, unread=request.GET.get("unread") == "1", open=found.uuid)
        return _piece(request, "threads/_opened.html", context | {"list": frame})
    context["list"] = inbox.page(request, within, open_thread=found.uuid)
    return shell.render(request, "inbox/show.html", context, section="inbox", folder=within)


@require_safe
def message(request: SignedIn, message: UUID) -> HttpResponse:
    """One email, unfolded or folded, in its conversation; or by itself, where only the record shows it (S9)."""
    found = access.message(request.user, message)
    mine = access.threads(request.user).filter(pk=found.thread_id).first()
    if inbox.wants_piece(request, f"m-{found.uuid}"):
        letter = _letter(request.user, found, folded=request.GET.get("fold") == "1", mine=bool(mine))
        return _piece(request, "threads/_message.html", {"letter": letter})
    if mine:
        return redirect(f"{_address(mine, None)}?open={found.uuid}#m-{found.uuid}")
    letter = _letter(request.user, found, folded=False, mine=False)
    return shell.render(request, "threads/message.html", {"letter": letter, "links": _why(request.user, found)})


@require_safe
def body(request: SignedIn, message: UUID) -> HttpResponse:
    """What an email says, as a document that can do nothing: in our frame, or opened by itself (R12)."""
    found = access.message(request.user, message)
    tag = f'"{found.sha256[:32]}-{found.parser}"'
    response = HttpResponse(status=304) if request.headers.get("If-None-Match") == tag else _document(found)
    response.headers["Content-Security-Policy"] = mail_html.CSP
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@require_safe
def original(request: SignedIn, message: UUID) -> HttpResponse:
    """The email as the server gave it, byte for byte."""
    found = access.message(request.user, message)
    # A colleague's raw copy names its Bcc, which is nobody else's to know (R7, D12).
    if not access.accounts(request.user).filter(pk=found.account_id).exists():
        raise Http404
    name = f"{found.subject[:80] or 'email'}.eml"
    return _download(_raw(found), name, "message/rfc822")


@require_safe
def file(request: SignedIn, attachment: UUID) -> HttpResponse:
    """An attachment, to keep: never shown inside our pages (R23)."""
    found = access.attachment(request.user, attachment)
    return _download(_bytes(found), found.name, "application/octet-stream")


@require_safe
def picture(request: SignedIn, attachment: UUID) -> HttpResponse:
    """A picture that an email shows inside its text, if its own bytes say that it is one."""
    found = access.attachment(request.user, attachment)
    if found.size > BIG_PICTURE:
        raise Http404
    content = _bytes(found)
    kind = _picture_type(content)
    if kind is None or len(content) > BIG_PICTURE:
        raise Http404
    response = HttpResponse(content, content_type=kind)
    return _inert(response)


# ---- what a page shows ----


@dataclass(frozen=True)
class File:
    """An attachment as a tile."""

    attachment: Attachment
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
        readers=_readers() if thread.account.shared else 1,
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
    return [_shown(message, ours, folded=message.pk not in unfolded, mine=True) for message in messages]


def _letter(user: User, message: Message, *, folded: bool, mine: bool) -> Letter:
    return _shown(message, _short_names(user), folded=folded, mine=mine)


def _shown(message: Message, ours: Mapping[str, str], *, folded: bool, mine: bool) -> Letter:
    html, text = ("", "") if folded else _said(message)
    return Letter(
        message=message,
        folded=folded,
        unread=mine and _unread(message),
        mine=mine,
        who=message.from_name or message.from_address or "Unknown sender",
        line=_line(message, ours),
        details=_details(message, with_bcc=mine),
        files=[_file(attachment) for attachment in message.attachments.all() if not _in_text(attachment, html)],
        blocked=mail_html.clean(html, inline=_none).blocked_remote if html else 0,
        height=_height(html, text),
    )


def _said(message: Message) -> tuple[str, str]:
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
    return File(attachment, label=ending[:4].upper() or "FILE", tone=tone, risky=ending in RISKY)


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


def _why(user: User, message: Message) -> list[Association]:
    """The records because of which this person sees a colleague's email."""
    return [shown for shown in _associations(list(access.links(user, message.thread).filter(message=message))) if shown.link.contact]


def _readers() -> int:
    """How many people are here; all of them read in shared mailboxes."""
    # No door counts people yet, and a bare number betrays nobody.
    return QuerySet(User).filter(is_active=True).count()


# ---- bytes ----


def _document(message: Message) -> HttpResponse:
    html, text = _said(message)
    if not html:
        return HttpResponse(mail_html.document(mail_html.from_text(text)))
    pictures = {attachment.content_id: attachment.uuid for attachment in message.attachments.all()}

    def inline(content_id: str) -> str | None:
        return reverse("picture", args=[pictures[content_id]]) if content_id in pictures else None

    return HttpResponse(mail_html.document(mail_html.clean(html, inline=inline)))


def _none(content_id: str) -> str | None:  # noqa: ARG001  # counting what is blocked needs no pictures
    return None


@cache
def _parsers() -> Parsers:
    """A child process that takes files out of emails, started when the first is asked for."""
    parsers = Parsers(1)
    atexit.register(parsers.close)
    return parsers


def _bytes(attachment: Attachment) -> bytes:
    """Its bytes, out of the raw email. Raises 404 where it can no longer be taken out."""
    try:
        return _parsers().attachment(blobs.get(attachment.message.sha256), attachment.position)
    except (blobs.Missing, Unreadable) as reason:
        raise Http404 from reason


def _raw(message: Message) -> bytes:
    try:
        return blobs.get(message.sha256)
    except blobs.Missing as reason:
        raise Http404 from reason


def _download(content: bytes, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    plain = name.encode("ascii", "ignore").decode().translate({ord(c): "_" for c in '"\\/\r\n%'}) or "file"
    exact = quote(name.replace("/", "_"), safe="")
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"
    return _inert(response)


def _inert(response: HttpResponse) -> HttpResponse:
    """Bytes a stranger sent: kept by nobody on the way, and without any power when opened."""
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _picture_type(content: bytes) -> str | None:
    """What the first bytes say it is."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def _address(thread: Thread, folder: Folder | None) -> str:
    return reverse("thread-in", args=[folder.uuid, thread.uuid]) if folder else reverse("thread", args=[thread.uuid])


def _uuids(asked: Iterable[str]) -> list[UUID]:
    return [number for text in asked if (number := inbox.uuid_or_none(text))]


def _piece(request: SignedIn, template: str, context: dict[str, Any]) -> HttpResponse:  # as Django's render
    response = render(request, template, context)
    response.headers["Cache-Control"] = "private, no-store"
    return response



