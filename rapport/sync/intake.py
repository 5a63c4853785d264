"""Storing what a server said: store, thread, link, announce, in one transaction with the bookmark."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import MappingProxyType
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from rapport.blobs import keep
from rapport.crm.models import ContactAddress
from rapport.database import rows, turns
from rapport.events.models import Event
from rapport.links import find, newcomers
from rapport.links.models import Link
from rapport.links.rules import Named
from rapport.mail import index, listing, threading
from rapport.mail.models import Account, Attachment, Body, Folder, Message, Participant, Skipped
from rapport.mime.message import PARSER_VERSION, Address, Invitation, ParsedMessage, Report
from rapport.providers.contract import RemoteMeta
from rapport.providers.uids import UidSet
from rapport.sync import lying, news
from rapport.sync.hold import Hold
from rapport.sync.incoming import Arrived

NO_CONTACTS_FROM = (Folder.Role.SPAM, Folder.Role.TRASH, Folder.Role.DRAFTS, Folder.Role.SENT)
NOBODY = Address("", "")
ROLES = ("from", "sender", "reply-to", "to", "cc", "bcc")


@dataclass
class New:
    """An email that was not here before, and what becomes of it."""

    pk: int
    arrived: Arrived
    account: int
    own: str
    """The account's address."""
    thread: int = 0
    parsed: ParsedMessage | None = field(init=False)
    """What was read out of it."""
    people: Sequence[tuple[str, Address]] = field(init=False)
    """Everybody in its headers, with the header's name."""

    def __post_init__(self) -> None:
        self.parsed = self.arrived.parsed
        self.people = list(_people(self.parsed)) if self.parsed else []

    @property
    def sha256(self) -> str:
        """Of its bytes."""
        return self.arrived.sha256

    @property
    def message_id(self) -> str:
        """As in the header."""
        return self.parsed.message_id if self.parsed else ""

    @property
    def references(self) -> list[str]:
        """What it answers, oldest first."""
        return [*self.parsed.references, *self.parsed.in_reply_to] if self.parsed else []

    @property
    def sender(self) -> Address:
        """Who wrote it; empty where nobody says so."""
        if self.parsed is None:
            return NOBODY
        return next(iter(self.parsed.from_ or self.parsed.sender), NOBODY)

    @property
    def incoming(self) -> bool:
        """Not from this account's own address."""
        return self.sender.address != self.own

    @property
    def head(self) -> str:
        """What stands around its text, in words to be found by."""
        if self.parsed is None:
            return ""
        people = (f"{person.name} {person.address}" for _, person in self.people)
        files = (file.name for file in self.parsed.attachments)
        return "\n".join([self.parsed.subject, *dict.fromkeys(people), *files])


def _people(parsed: ParsedMessage) -> Iterator[tuple[str, Address]]:
    headers = (parsed.from_, parsed.sender, parsed.reply_to, parsed.to, parsed.cc, parsed.bcc)
    for role, people in zip(ROLES, headers, strict=True):
        for person in people:
            yield role, person


def store(
    folder: Folder,
    arrived: Sequence[Arrived],
    skipped: Mapping[int, Skipped.Reason],
    metas: Mapping[int, RemoteMeta],
    hold: Hold,
) -> None:
    """A chunk of a folder's pending work: its emails, why others are not here, and what is left to do, at once."""
    account = folder.account
    with transaction.atomic():
        hold.renew()
        done = UidSet.of([*(one.meta.uid for one in arrived), *skipped])
        left = UidSet.parse(folder.pending) - done
        folder.pending, folder.left = str(left), len(left)
        folder.save(update_fields=["pending", "left"])
        _skip(folder, skipped, metas)
        _given_after_all(folder, arrived)
        keep.enter([one.place for one in arrived if one.place])
        here, new = _known(account, arrived)
        joined = _file(account, new)
        kept = here | {one.sha256: (one.pk, one.thread) for one in new}
        _place(folder, arrived, kept)
        details(new)
        _associate(folder, new)
        unheard = {one.thread for one in new if _is_news(folder, one)}
        _show(folder, {thread for _, thread in kept.values()}, joined, unheard)


def _skip(folder: Folder, skipped: Mapping[int, Skipped.Reason], metas: Mapping[int, RemoteMeta]) -> None:
    rows = [
        Skipped(
            folder=folder,
            generation=folder.generation,
            uid=uid,
            reason=reason,
            size=metas[uid].size if uid in metas else 0,
            internal_date=metas[uid].internal_date if uid in metas else None,
        )
        for uid, reason in skipped.items()
    ]
    Skipped.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["folder", "generation", "uid"],
        update_fields=["reason", "size", "internal_date", "at"],
    )
    asked = [uid for uid, reason in skipped.items() if reason == Skipped.Reason.NOT_GIVEN]
    Skipped.objects.filter(folder=folder, generation=folder.generation, uid__in=asked).update(tries=F("tries") + 1)


def _given_after_all(folder: Folder, arrived: Sequence[Arrived]) -> None:
    """What was skipped and came all the same is skipped no more."""
    uids = [one.meta.uid for one in arrived]
    Skipped.objects.filter(folder=folder, generation=folder.generation, uid__in=uids).delete()


def _known(account: Account, arrived: Sequence[Arrived]) -> tuple[dict[str, tuple[int, int]], list[New]]:
    """Message and thread of what is here already, by the hash of its bytes; and what is new, each once."""
    digests = {one.sha256 for one in arrived}
    found = Message.objects.filter(account=account, sha256__in=digests).values_list("sha256", "pk", "thread_id")
    here = {sha256: (pk, thread) for sha256, pk, thread in found}
    once = {one.sha256: one for one in arrived if one.sha256 not in here}
    keys = rows.reserve(Message, len(once))
    return here, [New(key, one, account.pk, account.address) for key, one in zip(keys, once.values(), strict=True)]


def _file(account: Account, new: Sequence[New]) -> dict[int, int]:
    """Give the new messages their threads and write them; which threads were joined to which."""
    batch = [threading.digests(one.message_id, one.references) for one in new]
    threads, joined = threading.place(account, batch)
    for one, thread in zip(new, threads, strict=True):
        one.thread = thread
    at = now()
    rows.insert(Message, MESSAGE, (row_of(one, at, uuid4()) for one in new))
    for emptied, kept in joined.items():
        Link.objects.filter(thread=emptied).update(thread=kept)
    return joined


MESSAGE = (
    "id uuid account_id thread_id sha256 size internal_date date message_id references subject from_name from_address "
    "snippet files incoming automatic sealed sealed_by reading partly parser arrived_at"
).split()


def row_of(one: New, at: datetime, uuid: UUID) -> tuple[object, ...]:
    """The row of a message, in the order of ``MESSAGE``."""
    came, parsed = one.arrived, one.parsed
    return (
        one.pk,
        uuid,
        one.account,
        one.thread,
        came.sha256,
        came.size,
        came.meta.internal_date,
        parsed.date if parsed else None,
        one.message_id,
        one.references,
        parsed.subject if parsed else "",
        one.sender.name,
        one.sender.address[:320],
        parsed.snippet[:200] if parsed else "",
        sum(not file.inline for file in parsed.attachments) if parsed else 0,
        one.incoming,
        bool(parsed and parsed.automatic),
        parsed.sealed if parsed else "",
        parsed.sealed_by if parsed else "",
        _reading(parsed),
        list(parsed.partly) if parsed else [came.trouble],
        PARSER_VERSION,
        at,
    )


def _reading(parsed: ParsedMessage | None) -> str:
    if parsed is None:
        return Message.Reading.UNREADABLE.value
    return Message.Reading.PARTLY.value if parsed.partly else Message.Reading.WHOLE.value


def _place(folder: Folder, arrived: Sequence[Arrived], kept: Mapping[str, tuple[int, int]]) -> None:
    lying.lay(folder, ((kept[one.sha256][0], one.meta.uid, one.meta.flags) for one in arrived))
    back = Message.objects.filter(pk__in=[pk for pk, _ in kept.values()], gone_since__isnull=False)
    back.update(gone_since=None)


def details(new: Sequence[New], named: Mapping[tuple[int, int, str], UUID] = MappingProxyType({})) -> None:
    """What a message says, who is in it, and its files. ``named`` are files that have an address already."""
    read = [(one.pk, one.parsed) for one in new if one.parsed]
    said = [
        (one.pk, one.head, one.parsed.text, one.parsed.html, _told(one.parsed.invitation), _told(one.parsed.report))
        for one in new
        if one.parsed
    ]
    rows.insert(Body, ("message_id", "head", "text", "html", "invitation", "report"), said)
    index.add((pk, head, text) for pk, head, text, *_ in said)
    rows.insert(
        Participant,
        ("message_id", "role", "name", "address", "domain"),
        (
            (one.pk, role, person.name, person.address[:320], person.address.rpartition("@")[2][:253])
            for one in new
            for role, person in one.people
        ),
    )
    _files(read, named)


def _files(read: Iterable[tuple[int, ParsedMessage]], named: Mapping[tuple[int, int, str], UUID]) -> None:
    rows.insert(
        Attachment,
        (
            "uuid",
            "message_id",
            "position",
            "name",
            "type",
            "size",
            "sha256",
            "content_id",
            "inline",
            "subject",
            "author",
        ),
        (
            (
                named.get((pk, file.position, file.sha256)) or uuid4(),
                pk,
                file.position,
                file.name[:255],
                file.type[:200],
                file.size,
                file.sha256,
                file.content_id,
                file.inline,
                file.subject,
                file.author,
            )
            for pk, parsed in read
            for file in parsed.attachments
        ),
    )


def _told(value: Invitation | Report | None) -> dict[str, object] | None:
    """As a column of JSON takes it: moments in ISO 8601."""
    if value is None:
        return None
    told = asdict(value)
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in told.items()}


def _associate(folder: Folder, new: Sequence[New]) -> None:
    """Make contacts of unknown senders, then link, so that a contact made just now is linked at once."""
    account = folder.account
    turns.take()
    made = []
    if folder.role not in NO_CONTACTS_FROM:
        senders = (
            newcomers.Sender(one.sender.address, one.sender.name, bool(one.parsed and one.parsed.automatic))
            for one in new
            if one.incoming
        )
        made = newcomers.make_contacts(senders, account)
    changed = link(account, new)
    if made:
        addresses = ContactAddress.objects.filter(contact__in=made).values_list("address", flat=True)
        find.relink_addresses(set(addresses))
    keys = sorted(changed | {contact.pk for contact in made})
    at = now()
    rows.insert(Event, ("kind", "about", "arrived", "at"), ((Event.Kind.CONTACT, key, False, at) for key in keys))


def link(account: Account, new: Sequence[New]) -> set[int]:
    """Associate messages with records; the contacts that gained one."""
    named = {one.pk: [Named(role, person.address, person.name) for role, person in one.people] for one in new}
    return find.link({one.pk: one.thread for one in new}, named, account)


def _is_news(folder: Folder, one: New) -> bool:
    """An email that came just now and nobody has seen: not what a first sync or a rebuilt folder brings."""
    meta = one.arrived.meta
    return one.incoming and meta.uid >= folder.floor and not folder.observed and "\\Seen" not in meta.flags


def _show(folder: Folder, touched: set[int], joined: Mapping[int, int], unheard: Collection[int]) -> None:
    """Bring the lists up to date and tell whoever is looking."""
    listing.refresh([folder], touched)
    if joined:
        every = {*joined, *joined.values()}
        listing.refresh(list(Folder.objects.filter(listings__thread__in=every).distinct()), every)
    news.of_threads(folder.account, touched | set(joined), unheard)
