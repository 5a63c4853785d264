"""One mailbox: how it is, what of it is here, and what is not and why (D17)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rapport import access
from rapport.mail.models import Account, Folder, Message
from rapport.people.models import User
from rapport.search import run
from rapport.web import shell
from rapport.web.progress import Progress, progress
from rapport.web.shell import SignedIn

LISTED = 50
"""Unreadable emails that are listed by name; above that, how many more there are is said."""


@never_cache
@require_safe
def show(request: SignedIn, account: UUID) -> HttpResponse:
    """A mailbox as whoever reads in it may know it; while it syncs, the page asks for itself again."""
    found = access.account(request.user, account)
    context = {"account": found, "report": report(request.user, found)}
    if request.headers.get("HX-Request") == "true":
        return render(request, "accounts/_account.html", context)
    return shell.render(request, "accounts/show.html", context)


@dataclass(frozen=True)
class Line:
    """A folder: how much of it is here."""

    folder: Folder
    name: str
    icon: str
    here: int
    skipped: Sequence[tuple[str, int]]
    """Why emails of it are not here, and how many."""


@dataclass(frozen=True)
class Report:
    """What of a mailbox is here."""

    progress: Progress
    lines: Sequence[Line]
    folders: int
    """On the server, the ones that are not active included."""
    unreadable: Sequence[Message]
    unreadable_count: int

    @property
    def whole(self) -> bool:
        """Nothing is left to fetch, and everything could be read."""
        return not any(line.folder.left for line in self.lines) and not self.unreadable_count

    @property
    def more(self) -> int:
        """Unreadable emails that are not listed."""
        return self.unreadable_count - len(self.unreadable)


def report(user: User, account: Account) -> Report:
    """Counted now. Seven queries, whatever the number of folders."""
    folders = list(access.folders(user).filter(account=account).annotate(here=Count("placements")))
    reasons = _reasons(user, account)
    unreadable = access.unreadable(user, account)
    here = sum(folder.here for folder in folders)
    return Report(
        progress=progress(account, run.syncing(user).get(account.pk), here),
        lines=[_line(folder, folder.here, reasons.get(folder.pk, ())) for folder in shell.in_order(folders)],
        folders=account.folders.filter(gone_at=None).count(),
        unreadable=list(unreadable[:LISTED]),
        unreadable_count=unreadable.count(),
    )


def _reasons(user: User, account: Account) -> Mapping[int, Sequence[tuple[str, int]]]:
    """By the folder's primary key."""
    counted = access.skipped(user, account).values_list("folder", "reason").annotate(n=Count("pk")).order_by("-n")
    reasons: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for folder, reason, number in counted:
        reasons[folder].append((reason, number))
    return reasons


def _line(folder: Folder, here: int, skipped: Sequence[tuple[str, int]]) -> Line:
    role = Folder.Role(folder.role)
    return Line(folder, shell.NAMES.get(role, folder.name), shell.ICONS[role], here, skipped)
