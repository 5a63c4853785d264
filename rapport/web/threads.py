"""A conversation and its emails: read, never marked as read by being read."""

import atexit
from collections.abc import Iterable
from functools import cache
from secrets import token_hex
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from rapport import access
from rapport.blobs import keep
from rapport.mail.models import Attachment, Folder, Message, Thread
from rapport.mime import html as mail_html
from rapport.mime.child import Parsers
from rapport.mime.message import Unreadable
from rapport.web import inbox, reading, shell
from rapport.web.shell import SignedIn

BIG_PICTURE = 10_000_000
RULES = token_hex(4)
"""Of this process: after an update, an email a browser kept is cleaned again by the newest rules."""


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
    context = {"conversation": reading.conversation(request.user, found, opened=opened), "view": "thread"}
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
        letter = reading.letter(request.user, found, folded=request.GET.get("fold") == "1", mine=bool(mine))
        return _piece(request, "threads/_message.html", {"letter": letter})
    if mine:
        return redirect(f"{_address(mine, None)}?open={found.uuid}#m-{found.uuid}")
    letter = reading.letter(request.user, found, folded=False, mine=False)
    return shell.render(request, "threads/message.html", {"letter": letter, "links": reading.why(request.user, found)})


@require_safe
def body(request: SignedIn, message: UUID) -> HttpResponse:
    """What an email says, as a document that can do nothing: in our frame, or opened by itself (R12)."""
    found = access.message(request.user, message)
    tag = f'"{found.sha256[:32]}-{found.parser}-{RULES}"'
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


def _document(message: Message) -> HttpResponse:
    html, text = reading.said(message)
    if not html:
        return HttpResponse(mail_html.document(mail_html.from_text(text)))
    pictures = {attachment.content_id: attachment.uuid for attachment in message.attachments.all()}

    def inline(content_id: str) -> str | None:
        return reverse("picture", args=[pictures[content_id]]) if content_id in pictures else None

    return HttpResponse(mail_html.document(mail_html.clean(html, inline=inline)))


@cache
def _parsers() -> Parsers:
    """A child process that takes files out of emails, started when the first is asked for."""
    parsers = Parsers(1)
    atexit.register(parsers.close)
    return parsers


def _bytes(attachment: Attachment) -> bytes:
    """Its bytes, out of the raw email. Raises 404 where it can no longer be taken out."""
    try:
        return _parsers().attachment(keep.get(attachment.message.sha256), attachment.position)
    except (keep.Missing, Unreadable) as reason:
        raise Http404 from reason


def _raw(message: Message) -> bytes:
    try:
        return keep.get(message.sha256)
    except keep.Missing as reason:
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
