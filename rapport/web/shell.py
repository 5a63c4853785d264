"""What stands around every signed-in page: the sidebar with mailboxes, counts and progress."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_template

from rapport import access
from rapport.events import models as events
from rapport.mail.models import Account, Folder
from rapport.people.models import User
from rapport.search import run


class SignedIn(HttpRequest):
    """A request of somebody who signed in: every page asks for that unless it says otherwise."""

    user: User  # LoginRequiredMiddleware lets nobody else through


Section = Literal["inbox", "contacts", "companies", ""]

ICONS = {
    Folder.Role.INBOX: "inbox",
    Folder.Role.SENT: "send",
    Folder.Role.DRAFTS: "file-pen-line",
    Folder.Role.ARCHIVE: "archive",
    Folder.Role.TRASH: "trash-2",
    Folder.Role.SPAM: "shield-alert",
    Folder.Role.ALL: "mails",
    Folder.Role.FLAGGED: "star",
    Folder.Role.NONE: "folder",
}
NAMES = {Folder.Role.INBOX: "Inbox", Folder.Role.DRAFTS: "Drafts", Folder.Role.SENT: "Sent"}
ORDER = [
    Folder.Role.INBOX, Folder.Role.DRAFTS, Folder.Role.SENT, Folder.Role.NONE, Folder.Role.ARCHIVE,
    Folder.Role.ALL, Folder.Role.FLAGGED, Folder.Role.SPAM, Folder.Role.TRASH,
]  # fmt: skip
FolderType = TypeVar("FolderType", bound=Folder)
PLAIN = 4
"""That many folders are listed; the others wait behind *more*."""


def render(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,  # what a template is handed may be anything
    *,
    section: Section = "",
    folder: Folder | None = None,
    status: int = 200,
) -> HttpResponse:
    """A page that extends ``shell.html``: its own context, and the sidebar around it."""
    if isinstance(request.user, User):
        # Before anything is read: what happens while we read is told to the page again, and nothing falls between.
        since = events.newest()
        context = {**(context or {}), "sidebar": sidebar(request.user, section=section, folder=folder), "since": since}
    response = render_template(request, template, context, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@dataclass(frozen=True)
class Entry:
    """A folder in the sidebar."""

    folder: Folder
    name: str
    icon: str
    unread: int
    here: bool


@dataclass(frozen=True)
class Mailbox:
    """An account in the sidebar."""

    account: Account
    opens: Folder | None
    """Its inbox, or else its first folder."""
    entries: Sequence[Entry]
    rest: Sequence[Entry]
    unread: int
    """In its inbox."""
    syncing: tuple[int, int] | None
    """Fetched, and to fetch in all."""
    here: bool

    @property
    def percent(self) -> float:
        """How far the first sync is."""
        done, whole = self.syncing or (0, 0)
        return round(100 * done / whole, 1) if whole else 0.0

    @property
    def elsewhere(self) -> Sequence[Entry]:
        """Where its mail goes when it leaves the inbox."""
        kept = (Folder.Role.ARCHIVE, Folder.Role.SENT)
        found = [entry for entry in [*self.entries, *self.rest] if entry.folder.role in kept]
        return sorted(found, key=lambda entry: kept.index(Folder.Role(entry.folder.role)))

    @property
    def rest_open(self) -> bool:
        """The folder in view is one of those behind *more*."""
        return any(entry.here for entry in self.rest)


@dataclass(frozen=True)
class Sidebar:
    """Everything the sidebar shows."""

    workspace: str
    section: Section
    folder: Folder | None
    unread: int
    shared: Sequence[Mailbox]
    personal: Sequence[Mailbox]
    may_connect_shared: bool

    @property
    def mailboxes(self) -> Sequence[Mailbox]:
        """All of them."""
        return [*self.shared, *self.personal]

    @property
    def here(self) -> Mailbox | None:
        """The one the page is about."""
        return next((mailbox for mailbox in self.mailboxes if mailbox.here), None)


def sidebar(user: User, *, section: Section = "", folder: Folder | None = None) -> Sidebar:
    """The sidebar as this person sees it, standing in a folder or section. Four queries."""
    folders = _by_account(access.folders(user))
    unread = run.unread_counts(user)
    syncing = run.syncing(user)
    mailboxes = [
        _mailbox(account, folders[account.pk], unread, syncing.get(account.pk), folder)
        for account in access.accounts(user)
    ]
    return Sidebar(
        workspace=_workspace(mailbox.account for mailbox in mailboxes),
        section=section,
        folder=folder,
        unread=sum(mailbox.unread for mailbox in mailboxes),
        shared=[mailbox for mailbox in mailboxes if mailbox.account.shared],
        personal=[mailbox for mailbox in mailboxes if not mailbox.account.shared],
        may_connect_shared=access.may_connect_shared(user),
    )


def _mailbox(
    account: Account,
    folders: Sequence[Folder],
    unread: Mapping[int, int],
    syncing: tuple[int, int] | None,
    here: Folder | None,
) -> Mailbox:
    listed = in_order(folders)
    entries = [
        Entry(
            folder=folder,
            name=NAMES.get(Folder.Role(folder.role), folder.leaf),
            icon=ICONS[Folder.Role(folder.role)],
            unread=unread.get(folder.pk, 0),
            here=folder == here,
        )
        for folder in listed
    ]
    # One folder alone is not worth hiding.
    plain = PLAIN if len(entries) > PLAIN + 1 else len(entries)
    return Mailbox(
        account=account,
        opens=listed[0] if listed else None,
        entries=entries[:plain],
        rest=entries[plain:],
        unread=sum(entry.unread for entry in entries if entry.folder.role == Folder.Role.INBOX),
        syncing=syncing,
        here=here is not None and here.account_id == account.pk,
    )


def in_order(folders: Iterable[FolderType]) -> list[FolderType]:
    """As they are shown: by what they are for, then by name."""
    return sorted(folders, key=lambda folder: (ORDER.index(Folder.Role(folder.role)), folder.name.casefold()))


def _by_account(folders: Iterable[Folder]) -> Mapping[int, list[Folder]]:
    grouped: dict[int, list[Folder]] = defaultdict(list)
    for folder in folders:
        grouped[folder.account_id].append(folder)
    return grouped


def _workspace(accounts: Iterable[Account]) -> str:
    """The domain of the company's mailboxes, where they share one."""
    domains = {account.address.partition("@")[2] for account in accounts if account.shared}
    return domains.pop() if len(domains) == 1 else "Rapport"
