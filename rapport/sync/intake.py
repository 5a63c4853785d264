"""Storing what a server said: store, thread, link, announce, in one transaction with the bookmark."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from rapport.events.models import Event
from rapport.links import find, newcomers
from rapport.links.models import Link
from rapport.mail import listing, threading
from rapport.mail.models import Account, Attachment, Body, Folder, Message, Participant, Placement, Skipped
from rapport.mime.message import PARSER_VERSION, Address, ParsedMessage
from rapport.providers.contract import Look, RemoteFolder, RemoteMeta
from rapport.providers.uids import UidSet
from rapport.sync.hold import Hold

AT_ONCE = 500
"""Values in one IN (…)."""
NO_CONTACTS_FROM = (Folder.Role.SPAM, Folder.Role.TRASH, Folder.Role.DRAFTS, Folder.Role.SENT)
T = TypeVar("T")
New = tuple[Message, "Arrived"]


@dataclass(frozen=True)
class Arrived:
    """An email whose bytes are kept already."""

    meta: RemoteMeta
    sha256: str
    size: int
    parsed: ParsedMessage | None
    """``None``: it could not be read."""
    trouble: str = ""
    """Why not."""


def listed(account: Account, remote: Sequence[RemoteFolder], hold: Hold) -> None:
    """The folders the server has now: new ones are made, known ones kept, missing ones marked gone.

    A new folder is active where every folder is. A list without an inbox proves nothing and marks nothing (I10).
    """
    here = {bytes(folder.wire): folder for folder in account.folders.all()}
    there = {folder.wire: folder for folder in remote if folder.selectable}
    new = [folder for wire, folder in there.items() if wire not in here]
    whole = any(folder.role == "inbox" for folder in there.values())
    gone = [row for wire, row in here.items() if whole and wire not in there and row.gone_at is None]
    back = [row for wire, row in here.items() if wire in there and row.gone_at is not None]
    changed = [row for wire, row in here.items() if wire in there and row.role != there[wire].role.value]
    if not (new or gone or back or changed):
        return
    every = all(row.active for row in here.values() if not row.observed)
    with transaction.atomic():
        hold.renew()
        for folder in new:
            _new_folder(account, folder, active=every)
        Folder.objects.filter(pk__in=[row.pk for row in gone]).update(gone_at=now())
        Folder.objects.filter(pk__in=[row.pk for row in back]).update(gone_at=None)
        for row in changed:
            Folder.objects.filter(pk=row.pk).update(role=there[bytes(row.wire)].role.value)
        _announce_account(account)


def looked(folder: Folder, look: Look, pending: UidSet, hold: Hold) -> bool:
    """What changed in a folder, what is left to fetch, and the bookmark, all at once. Whether anything changed."""
    first = folder.uidvalidity is None
    with transaction.atomic():
        hold.renew()
        touched = _vanish(folder, look.vanished) | _reflag(folder, look.flags)
        known = (UidSet.parse(folder.known) | look.arrived) - look.vanished
        if first:
            folder.floor = look.bookmark.uidnext
            folder.window = max(folder.window, len(pending))
        fresh = _bookmark(folder, look, known, (UidSet.parse(folder.pending) | pending) - look.vanished)
        listing.refresh([folder], touched)
        _announce(folder.account, touched)
        if fresh and (first or pending):
            _announce_account(folder.account)
    return bool(fresh or touched)


def rebuilt(folder: Folder, hold: Hold) -> None:
    """The server rebuilt the folder: a new generation begins. What lies here stays until it is found again (I8)."""
    with transaction.atomic():
        hold.renew()
        folder.generation += 1
        folder.uidvalidity, folder.uidnext, folder.modseq, folder.floor = None, 0, 0, 0
        folder.known, folder.pending, folder.left = "", "", 0
        folder.save(
            update_fields=["generation", "uidvalidity", "uidnext", "modseq", "floor", "known", "pending", "left"]
        )


def settle(folder: Folder, hold: Hold) -> None:
    """Everything of the new generation is here: what of the old was not found again lies here no more."""
    old = Placement.objects.filter(folder=folder, generation__lt=folder.generation)
    if not old.exists():
        return
    with transaction.atomic():
        hold.renew()
        touched = _remove(old)
        Skipped.objects.filter(folder=folder, generation__lt=folder.generation).delete()
        listing.refresh([folder], touched)
        _announce(folder.account, touched)


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
        kept, new = _messages(account, arrived)
        joined = _thread(account, new)
        _place(folder, arrived, kept)
        _details(new)
        _associate(folder, [message for message, _ in new])
        _show(folder, kept, joined, _news(folder, new))


# — a look ——————————————————————————————————————————————————————————————————————


def _bookmark(folder: Folder, look: Look, known: UidSet, pending: UidSet) -> bool:
    """Write the folder's bookmark; only the time where nothing else changed."""
    before = (folder.uidvalidity, folder.uidnext, folder.modseq, folder.known, folder.pending)
    folder.uidvalidity, folder.uidnext = look.bookmark.uidvalidity, look.bookmark.uidnext
    folder.modseq, folder.known, folder.pending = look.bookmark.modseq, str(known), str(pending)
    folder.left = len(pending)
    folder.looked_at = now()
    fields = ["uidvalidity", "uidnext", "modseq", "known", "pending", "left", "floor", "window"]
    changed = before != (folder.uidvalidity, folder.uidnext, folder.modseq, folder.known, folder.pending)
    folder.save(update_fields=["looked_at", *(fields if changed else [])])
    return changed


def _vanish(folder: Folder, uids: UidSet) -> set[int]:
    """The server positively no longer lists these: threads that lost something here."""
    touched = set()
    for batch in _batches(list(uids)):
        touched |= _remove(Placement.objects.filter(folder=folder, generation=folder.generation, uid__in=batch))
        Skipped.objects.filter(folder=folder, generation=folder.generation, uid__in=batch).delete()
    return touched


def _remove(placements: "Iterable[Placement]") -> set[int]:
    rows = list(placements)
    touched = set()
    for batch in _batches(rows):
        messages = {row.message_id for row in batch}
        Placement.objects.filter(pk__in=[row.pk for row in batch]).delete()
        left = set(Placement.objects.filter(message__in=messages).values_list("message_id", flat=True))
        Message.objects.filter(pk__in=messages - left).update(gone_since=now())
        touched |= set(Message.objects.filter(pk__in=messages).values_list("thread_id", flat=True))
    return touched


def _reflag(folder: Folder, flags: Mapping[int, frozenset[str]]) -> set[int]:
    """Take over flags that another client changed: threads that look different now."""
    touched = set()
    for batch in _batches(list(flags)):
        rows = Placement.objects.filter(folder=folder, generation=folder.generation, uid__in=batch)
        changed = [row for row in rows.select_related("message") if row.flags != sorted(flags[row.uid])]
        for row in changed:
            _flag(row, flags[row.uid])
        Placement.objects.bulk_update(changed, ["flags", "seen", "flagged", "draft"])
        touched |= {row.message.thread_id for row in changed}
    return touched


def _flag(row: Placement, flags: Collection[str]) -> None:
    plain = {flag.lower() for flag in flags}
    row.flags = sorted(flags)
    row.seen, row.flagged, row.draft = "\\seen" in plain, "\\flagged" in plain, "\\draft" in plain


def _new_folder(account: Account, folder: RemoteFolder, *, active: bool) -> None:
    Folder.objects.create(
        account=account,
        wire=folder.wire,
        name=folder.name,
        delimiter=folder.delimiter,
        role=folder.role.value,
        active=active,
    )


# — a chunk ———————————————————————————————————————————————————————————————————


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


def _messages(account: Account, arrived: Sequence[Arrived]) -> tuple[list[Message], list[New]]:
    """The message of each arrival, known by the hash of its bytes; and those that are new, not yet saved."""
    digests = {one.sha256 for one in arrived}
    every = {message.sha256: message for message in Message.objects.filter(account=account, sha256__in=digests)}
    new = []
    for one in arrived:
        if one.sha256 not in every:
            every[one.sha256] = _message(account, one)
            new.append((every[one.sha256], one))
    return [every[one.sha256] for one in arrived], new


def _message(account: Account, one: Arrived) -> Message:
    common = {
        "account": account,
        "sha256": one.sha256,
        "size": one.size,
        "internal_date": one.meta.internal_date,
        "parser": PARSER_VERSION,
    }
    parsed = one.parsed
    if parsed is None:
        return Message(**common, reading=Message.Reading.UNREADABLE, partly=[one.trouble])
    sender = (parsed.from_ or parsed.sender or (Address("", ""),))[0]
    return Message(
        **common,
        date=parsed.date,
        message_id=parsed.message_id,
        references=[*parsed.references, *parsed.in_reply_to],
        subject=parsed.subject,
        from_name=sender.name,
        from_address=sender.address[:320],
        snippet=parsed.snippet[:200],
        files=sum(not file.inline for file in parsed.attachments),
        incoming=sender.address != account.address,
        automatic=bool(parsed.automatic),
        sealed=parsed.sealed,
        reading=Message.Reading.PARTLY if parsed.partly else Message.Reading.WHOLE,
        partly=list(parsed.partly),
    )


def _thread(account: Account, new: Sequence[New]) -> dict[int, int]:
    """Give the new messages their threads and save them; which threads were joined to which."""
    batch = [threading.digests(message.message_id, message.references) for message, _ in new]
    placed, joined = threading.place(account, batch)
    for (message, _), thread in zip(new, placed, strict=True):
        message.thread = thread
    Message.objects.bulk_create([message for message, _ in new])
    for emptied, kept in joined.items():
        Link.objects.filter(thread=emptied).update(thread=kept)
    return joined


def _place(folder: Folder, arrived: Sequence[Arrived], kept: Sequence[Message]) -> None:
    rows = []
    for one, message in zip(arrived, kept, strict=True):
        row = Placement(folder=folder, message=message, generation=folder.generation, uid=one.meta.uid)
        _flag(row, one.meta.flags)
        rows.append(row)
    Placement.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["folder", "generation", "uid"],
        update_fields=["message", "flags", "seen", "flagged", "draft"],
    )
    Message.objects.filter(pk__in=[message.pk for message in kept], gone_since__isnull=False).update(gone_since=None)


def _details(new: Sequence[New]) -> None:
    """What a new message says, who is in it, and its files."""
    read = [(message, one.parsed) for message, one in new if one.parsed]
    Body.objects.bulk_create(Body(message=message, text=parsed.text, html=parsed.html) for message, parsed in read)
    Participant.objects.bulk_create(
        (person for message, parsed in read for person in _people(message, parsed)), batch_size=1000
    )
    Attachment.objects.bulk_create(
        Attachment(
            message=message,
            position=file.position,
            name=file.name,
            type=file.type[:200],
            size=file.size,
            sha256=file.sha256,
            content_id=file.content_id,
            inline=file.inline,
        )
        for message, parsed in read
        for file in parsed.attachments
    )


def _people(message: Message, parsed: ParsedMessage) -> Iterator[Participant]:
    headers = {
        "from": parsed.from_,
        "sender": parsed.sender,
        "reply-to": parsed.reply_to,
        "to": parsed.to,
        "cc": parsed.cc,
        "bcc": parsed.bcc,
    }
    for role, people in headers.items():
        for person in people:
            domain = person.address.rpartition("@")[2][:253]
            yield Participant(message=message, role=role, name=person.name, address=person.address[:320], domain=domain)


def _associate(folder: Folder, new: Sequence[Message]) -> None:
    """Make contacts of unknown senders, then link, so that a contact made just now is linked at once."""
    account = folder.account
    named = find.named_in(message.pk for message in new)
    made = []
    if folder.role not in NO_CONTACTS_FROM:
        incoming = [message for message in new if message.incoming]
        made = newcomers.make_contacts(incoming, named, account, find.own_addresses())
    changed = find.link(new, named, account)
    for contact in made:
        find.relink_contact(contact)
    keys = sorted(changed | {contact.pk for contact in made})
    Event.objects.bulk_create(Event(kind=Event.Kind.CONTACT, about=key) for key in keys)


def _news(folder: Folder, new: Sequence[New]) -> set[int]:
    """Threads with an email that came just now and nobody has seen: not what a first sync or a rebuilt folder brings."""
    return {
        message.thread_id
        for message, one in new
        if message.incoming and one.meta.uid >= folder.floor and not folder.observed and "\\Seen" not in one.meta.flags
    }


def _show(folder: Folder, kept: Sequence[Message], joined: Mapping[int, int], news: Collection[int]) -> None:
    """Bring the lists up to date and tell whoever is looking."""
    touched = {message.thread_id for message in kept}
    listing.refresh([folder], touched)
    if joined:
        every = {*joined, *joined.values()}
        listing.refresh(list(Folder.objects.filter(listings__thread__in=every).distinct()), every)
    _announce(folder.account, touched | set(joined), news)


def _announce(account: Account, threads: Collection[int], news: Collection[int] = ()) -> None:
    Event.objects.bulk_create(
        Event(kind=Event.Kind.THREAD, account=account.pk, about=thread, arrived=thread in news)
        for thread in sorted(threads)
    )


def _announce_account(account: Account) -> None:
    Event.objects.create(kind=Event.Kind.ACCOUNT, account=account.pk, about=account.pk)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
