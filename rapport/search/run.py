"""The rows of a list of conversations."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from rapport import access
from rapport.crm.models import ContactAddress
from rapport.links.models import Link
from rapport.mail.models import Account, Folder, Listing, Message, Participant, Recipient
from rapport.people.models import User

PAGE = 50


@dataclass(frozen=True)
class Row:
    """One conversation in a list: everything a row shows, and nothing to ask for."""

    thread: UUID
    account: Account
    who: str
    """The other side; an address where no name is known."""
    address: str
    """Theirs: what the avatar's colour comes from."""
    sent: bool
    """The newest is ours: the row says *To* somebody."""
    company: str
    contact_is_new: bool
    """A contact that mail itself made, and nobody has touched."""
    subject: str
    snippet: str
    at: datetime
    count: int
    """Messages of the whole conversation."""
    unread: bool
    flagged: bool
    draft: bool
    files: bool


@dataclass(frozen=True)
class Rows:
    """One page of a list, and where the next begins (``None``: this was the last)."""

    rows: Sequence[Row]
    after: str | None


def conversations(
    user: User,
    *,
    folder: Folder | None = None,
    unread: bool = False,
    after: str = "",
    limit: int = PAGE,
) -> Rows:
    """The newest conversations of a folder, or of every inbox where none is named.

    ``after`` is the ``after`` of the page before. Eight queries, whatever the number of rows.
    """
    listings = _listings(user, folder)
    if unread:
        listings = listings.filter(unread__gt=0)
    found = list(_past(listings, after).order_by("-newest_at", "-thread")[: limit + 1])
    page = found[:limit]
    more = f"{page[-1].newest_at.isoformat()}~{page[-1].thread_id}" if len(found) > limit else None
    return Rows(_rows(user, page), more)


def conversation(user: User, thread_id: int, *, folder: Folder | None = None) -> Row | None:
    """One row by itself, as a changed thread is shown again; ``None`` when it is no longer in this list."""
    found = list(_listings(user, folder).filter(thread_id=thread_id).order_by("-newest_at")[:1])
    return _rows(user, found)[0] if found else None


def unread_counts(user: User) -> dict[int, int]:
    """How many conversations with something unread each active folder holds, by the folder's primary key."""
    counted = (
        Listing.objects.filter(folder__in=access.folders(user), unread__gt=0).values("folder").annotate(n=Count("pk"))
    )
    return {row["folder"]: row["n"] for row in counted}


def total(user: User, *, folder: Folder | None = None) -> int:
    """How many conversations the list holds in all."""
    return _listings(user, folder).count()


def syncing(user: User) -> dict[int, tuple[int, int]]:
    """Accounts whose first sync still runs: (fetched, to fetch in all) by primary key. Counts the window (B4)."""
    new = access.accounts(user).filter(state=Account.State.NEW)
    rows = Folder.objects.filter(account__in=new).values("account").annotate(all=Sum("window"), left=Sum("left"))
    return {row["account"]: (max(row["all"] - row["left"], 0), row["all"]) for row in rows}


def _listings(user: User, folder: Folder | None) -> QuerySet[Listing]:
    if folder is not None:
        return Listing.objects.filter(folder=folder)
    return Listing.objects.filter(folder__in=access.folders(user).filter(role=Folder.Role.INBOX))


def _past(listings: QuerySet[Listing], after: str) -> QuerySet[Listing]:
    """Only what comes after a place in the list; a place that makes no sense is the beginning."""
    moment, _, thread = after.partition("~")
    try:
        at, number = datetime.fromisoformat(moment), int(thread)
    except ValueError:
        return listings
    return listings.filter(Q(newest_at__lt=at) | Q(newest_at=at, thread__lt=number))


def _rows(user: User, page: Sequence[Listing]) -> list[Row]:
    threads = [listing.thread_id for listing in page]
    newest = _newest(page)
    counts = _counts(threads)
    others = _other_sides(message for message in newest.values() if not message.incoming)
    faces = _faces(user, newest.values(), others)
    return [
        _row(listing, newest[listing.thread_id], counts[listing.thread_id], others, faces)
        for listing in page
        if listing.thread_id in newest
    ]


@dataclass(frozen=True)
class _Face:
    """What we know of an address."""

    name: str
    company: str
    new: bool


def _row(
    listing: Listing,
    message: Message,
    counted: tuple[int, bool],
    others: dict[int, tuple[str, str]],
    faces: dict[str, _Face],
) -> Row:
    sent = not message.incoming
    name, address = others.get(message.pk, ("", "")) if sent else (message.from_name, message.from_address)
    face = faces.get(address, _Face("", "", new=False))
    return Row(
        thread=message.thread.uuid,
        account=message.account,
        who=face.name or name or address or ("nobody yet" if sent else "unknown sender"),
        address=address,
        sent=sent,
        company=face.company,
        contact_is_new=face.new,
        subject=message.subject,
        snippet=message.snippet,
        at=message.internal_date,
        count=counted[0],
        unread=listing.unread > 0,
        flagged=listing.flagged,
        draft=listing.draft,
        files=counted[1],
    )


def _newest(page: Sequence[Listing]) -> dict[int, Message]:
    """The newest message that each listing's folder holds, by thread."""
    wanted = {(listing.thread_id, listing.folder_id) for listing in page}
    found = (
        Message.objects.filter(
            thread__in={t for t, _ in wanted},
            placements__folder__in={f for _, f in wanted},
        )
        .select_related("thread", "account")
        .order_by("internal_date", "pk")
        .distinct()
    )
    return {message.thread_id: message for message in found}


def _counts(threads: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """How many messages lie in some folder, and whether any brings a file, by thread."""
    counted = (
        Message.objects.filter(thread__in=threads, gone_since=None)
        .values("thread")
        .annotate(n=Count("pk"), files=Sum("files"))
    )
    return defaultdict(
        lambda: (1, False),
        {row["thread"]: (row["n"], row["files"] > 0) for row in counted},
    )


def _other_sides(messages: Iterable[Message]) -> dict[int, tuple[str, str]]:
    """Whom we wrote to: the first recipient's name and address, by message."""
    first: dict[int, tuple[str, str]] = {}
    for person in Participant.objects.filter(
        message__in=[message.pk for message in messages], role=Recipient.TO
    ).order_by("pk"):
        first.setdefault(person.message_id, (person.name, person.address))
    return first


def _faces(user: User, messages: Iterable[Message], others: dict[int, tuple[str, str]]) -> dict[str, _Face]:
    """Contact's name and company for the addresses of a page."""
    messages = list(messages)
    addresses = {message.from_address for message in messages} | {address for _, address in others.values()}
    known = ContactAddress.objects.filter(address__in=addresses, contact__in=access.contacts(user)).select_related(
        "contact", "contact__company"
    )
    faces = _companies_by_link(messages)
    for row in known:
        contact = row.contact
        company = contact.company.name if contact.company else ""
        faces[row.address] = _Face(contact.name, company, new=contact.source == contact.Source.MAIL)
    return faces


def _companies_by_link(messages: Sequence[Message]) -> dict[str, _Face]:
    """The company that a message's own domain led to, for senders who are no contact."""
    found = Link.objects.filter(
        message__in=[message.pk for message in messages],
        rule=Link.Rule.DOMAIN,
        role=Recipient.FROM,
    ).select_related("message", "company")
    return {link.message.from_address: _Face("", link.company.name, new=False) for link in found if link.company}
