"""Mail as it lies in the database once the engine has stored it, for tests of pages."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count

from django.utils.timezone import now

from rapport.blobs import keep
from rapport.crm.models import Company, Contact, ContactAddress
from rapport.links.models import Link
from rapport.mail.models import Account, Attachment, Body, Folder, Listing, Message, Participant, Placement, Thread
from rapport.people.models import User

NUMBERS = count(1)


def account(address: str, *, owner: User | None = None, color: int = 1, state: str = "ok") -> Account:
    """A mailbox: personal where it has an owner, else shared; with an inbox and Sent."""
    made = Account.objects.create(
        address=address,
        kind="personal" if owner else "shared",
        owner=owner,
        color=color,
        state=state,
        incoming_host="mail.example",
        incoming_port=993,
        incoming_security="ssl",
        outgoing_host="mail.example",
        outgoing_port=465,
        outgoing_security="ssl",
    )
    folder(made, "INBOX", role="inbox")
    folder(made, "Sent", role="sent")
    return made


def folder(account: Account, name: str, *, role: str = "", active: bool = True) -> Folder:
    """A folder of it."""
    return Folder.objects.create(
        account=account, wire=name.encode(), name=name, delimiter="/", role=role, active=active
    )


def contact(
    name: str, address: str, *, company: Company | None = None, seen_by: User | None = None, **more: object
) -> Contact:
    """Somebody we know."""
    made = Contact.objects.create(name=name, company=company, seen_by=seen_by, **more)
    ContactAddress.objects.create(contact=made, address=address, seen_by=seen_by)
    return made


def mail(
    account: Account,
    subject: str = "Hello",
    *,
    sender: tuple[str, str] = ("Ines Carvalho", "ines@lumen.example"),
    to: Sequence[tuple[str, str]] = (),
    cc: Sequence[tuple[str, str]] = (),
    bcc: Sequence[tuple[str, str]] = (),
    text: str = "Good news.",
    html: str = "",
    at: datetime | None = None,
    unread: bool = False,
    flagged: bool = False,
    draft: bool = False,
    thread: Thread | None = None,
    where: str = "inbox",
    files: Sequence[tuple[str, str, bytes]] = (),
    pictures: Sequence[tuple[str, str, bytes]] = (),
    raw: bytes = b"",
    about: Sequence[Contact] = (),
    **more: object,
) -> Message:
    """One email in a folder of the account (the first of that role)."""
    thread = thread or Thread.objects.create(account=account)
    number = next(NUMBERS)
    raw = raw or b"Subject: %s\r\n\r\n%d" % (subject.encode(), number)
    incoming = sender[1] != account.address
    message = Message.objects.create(
        account=account,
        thread=thread,
        sha256=keep.put(raw),
        size=len(raw),
        internal_date=at or now() - timedelta(minutes=1),
        date=at,
        message_id=f"<{number}@lumen.example>",
        subject=subject,
        from_name=sender[0],
        from_address=sender[1],
        snippet=" ".join(text.split())[:200],
        files=len(files),
        incoming=incoming,
        **more,
    )
    Body.objects.create(message=message, text=text, html=html)
    people = [("from", sender), *(("to", p) for p in to or [("", account.address)]), *(("cc", p) for p in cc)]
    for role, (name, address) in [*people, *(("bcc", p) for p in bcc)]:
        domain = address.partition("@")[2]
        Participant.objects.create(message=message, role=role, name=name, address=address, domain=domain)
    for place, (name, kind, content) in enumerate([*files, *pictures]):
        Attachment.objects.create(
            message=message,
            position=place + 1,
            name=name,
            type=kind,
            size=len(content),
            sha256=sha256(content).hexdigest(),
            content_id=name if place >= len(files) else "",
            inline=place >= len(files),
        )
    for known in about:
        held = {a.address for a in known.addresses.all()}
        found = next(((role, a) for role, (_, a) in people if a in held), ("from", ""))
        Link.objects.create(
            message=message, thread=thread, contact=known, rule="address", role=found[0], found=found[1]
        )
        if known.company:
            domain = found[1].partition("@")[2]
            Link.objects.get_or_create(
                message=message, company=known.company, defaults={"thread": thread, "rule": "domain", "found": domain}
            )
    place_in(message, account.folders.filter(role=where).get(), seen=not unread, flagged=flagged, draft=draft)
    return message


def place_in(
    message: Message, folder: Folder, *, seen: bool = True, flagged: bool = False, draft: bool = False
) -> None:
    """The message lies in the folder, and the folder lists its thread."""
    Placement.objects.create(
        folder=folder,
        message=message,
        generation=0,
        uid=message.pk,
        seen=seen,
        flagged=flagged,
        draft=draft,
    )
    listing, _ = Listing.objects.get_or_create(
        folder=folder,
        thread=message.thread,
        defaults={
            "newest_at": message.internal_date, "count": 0, "unread": 0, "flagged": False, "draft": False,
        },
    )  # fmt: skip
    listing.newest_at = max(listing.newest_at, message.internal_date)
    listing.count += 1
    listing.unread += not seen
    listing.flagged |= flagged
    listing.draft |= draft
    listing.save()
