"""The list of conversations, of one folder or of every inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from rapport import access
from rapport.mail.models import Folder
from rapport.people.models import User
from rapport.search import run
from rapport.web import shell
from rapport.web.shell import SignedIn
from rapport.web.templatetags import words


@require_safe
def home(request: SignedIn) -> HttpResponse:  # noqa: ARG001  # the same for everybody
    """Where people come in."""
    return redirect("inbox")


@require_safe
def every(request: SignedIn) -> HttpResponse:
    """The inboxes of every mailbox the person reads in, as one list."""
    if not access.accounts(request.user).exists():
        return shell.render(request, "inbox/no_mailbox.html", section="inbox")
    return _list(request, None)


@require_safe
def folder(request: SignedIn, folder: UUID) -> HttpResponse:
    """One folder."""
    return _list(request, access.folder(request.user, folder))


@require_safe
def row(request: SignedIn, thread: UUID, folder: UUID | None = None) -> HttpResponse:
    """One conversation's row, as it is now; 204 when it is no longer in this list."""
    found = access.thread(request.user, thread)
    within = access.folder(request.user, folder) if folder else None
    row = run.conversation(request.user, found.pk, folder=within)
    if row is None:
        return HttpResponse(status=204)
    return _piece(request, "inbox/_row.html", {"row": row, "list": _frame(request, within)})


@require_safe
def sidebar(request: SignedIn) -> HttpResponse:
    """The sidebar's mailboxes and counts, as they are now."""
    number = uuid_or_none(request.GET.get("folder", ""))
    within = access.folder(request.user, number) if number else None
    asked = request.GET.get("section")
    section: shell.Section = asked if asked in ("inbox", "contacts", "companies") else ""  # type: ignore[assignment]  # mypy does not narrow by `in`
    here = shell.sidebar(request.user, section=section, folder=within)
    return _piece(request, "shell/_sidebar.html", {"sidebar": here})


@dataclass(frozen=True)
class Frame:
    """Which list it is: enough to draw one row of it."""

    nothing: ClassVar[bool] = False
    shapes: ClassVar = (
        (46, 82, 64), (38, 70, 74), (52, 88, 58), (34, 64, 80), (48, 76, 52),
        (40, 90, 70), (36, 58, 66), (50, 80, 60), (42, 72, 76),
    )  # fmt: skip
    """Widths in percent of the lines that stand for rows while a list is waited for."""

    folder: Folder | None
    unread: bool
    """Only what has something unread."""
    open: UUID | None
    """The conversation in the reading pane."""

    @property
    def url(self) -> str:
        """The list's own address, without its filter."""
        return reverse("folder", args=[self.folder.uuid]) if self.folder else reverse("inbox")

    @property
    def query(self) -> str:
        """The filter, as the end of an address."""
        return "?unread=1" if self.unread else ""

    @property
    def title(self) -> str:
        """Its name on the page."""
        return self.folder.account.short if self.folder else "All inboxes"

    @property
    def tag(self) -> str:
        """The folder's name beside it."""
        return shell.NAMES.get(Folder.Role(self.folder.role), self.folder.leaf) if self.folder else ""


@dataclass(frozen=True)
class Page(Frame):
    """A page of the list, with what stands above it."""

    total: int
    total_unread: int
    days: Sequence[tuple[str, Sequence[run.Row]]]
    next: str
    """The address of the next page; empty on the last."""
    begins_within: str
    """The day the page before ended in: it has its heading already."""
    newer: run.Row | None
    older: run.Row | None
    """The open conversation's neighbours, as far as they are on this page."""

    @property
    def nothing(self) -> bool:  # type: ignore[override]  # of a frame it is not known
        """An inbox with nothing in it, and nothing left out by a filter."""
        return not self.days and not self.unread and self.folder is not None and self.folder.role == Folder.Role.INBOX


def page(request: SignedIn, folder: Folder | None, *, open_thread: UUID | None = None) -> Page:
    """The page of the list that the address asks for."""
    frame = _frame(request, folder, open_thread)
    found = run.conversations(request.user, folder=folder, unread=frame.unread, after=request.GET.get("after", "")[:80])
    days = [(day, list(rows)) for day, rows in groupby(found.rows, key=lambda row: words.day(row.at))]
    newer, older = _neighbours(found.rows, open_thread)
    return Page(
        folder=folder,
        unread=frame.unread,
        open=open_thread,
        total=run.total(request.user, folder=folder),
        total_unread=_total_unread(request.user, folder),
        days=days,
        next=_next(frame, found.after, days[-1][0]) if found.after and days else "",
        begins_within=request.GET.get("day", "")[:40],
        newer=newer,
        older=older,
    )


def wants_piece(request: SignedIn, target: str) -> bool:
    """The page is there already and asks for one part of it."""
    htmx = request.htmx  # type: ignore[attr-defined]  # put there by HtmxMiddleware
    return bool(htmx and htmx.target == target and not htmx.history_restore_request)


def _list(request: SignedIn, folder: Folder | None) -> HttpResponse:
    if wants_piece(request, "reader"):
        return _piece(request, "threads/_closed.html", {"list": _frame(request, folder)})
    context = {"list": page(request, folder), "view": "list"}
    for target, template in (("next-page", "inbox/_rows.html"), ("tabs", "inbox/_tabs.html")):
        if wants_piece(request, target):
            return _piece(request, template, context)
    return shell.render(request, "inbox/show.html", context, section="inbox", folder=folder)


def _frame(request: SignedIn, folder: Folder | None, open_thread: UUID | None = None) -> Frame:
    return Frame(folder=folder, unread=request.GET.get("unread") == "1", open=open_thread)


def _total_unread(user: User, folder: Folder | None) -> int:
    """How many conversations the list's *Unread* holds."""
    counts = run.unread_counts(user)
    if folder is not None:
        return counts.get(folder.pk, 0)
    inboxes = access.folders(user).filter(role=Folder.Role.INBOX).values_list("pk", flat=True)
    return sum(counts.get(inbox, 0) for inbox in inboxes)


def _next(frame: Frame, after: str, day: str) -> str:
    asked = {"after": after, "day": day} | ({"unread": "1"} if frame.unread else {})
    return f"{frame.url}?{urlencode(asked)}"


def _neighbours(rows: Sequence[run.Row], thread: UUID | None) -> tuple[run.Row | None, run.Row | None]:
    """The rows before and after a conversation's own."""
    places = [place for place, row in enumerate(rows) if row.thread == thread]
    if not places:
        return None, None
    place = places[0]
    return (rows[place - 1] if place else None), (rows[place + 1] if place + 1 < len(rows) else None)


def _piece(request: SignedIn, template: str, context: dict[str, Any]) -> HttpResponse:  # as Django's render
    response = render(request, template, context)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
