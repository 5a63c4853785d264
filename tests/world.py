"""Builders that read as sentences: a_letter(to="sales@…"), an_account(), a_mailbox_here()."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import count
from typing import TYPE_CHECKING

from rapport.mime.parse import parse
from rapport.providers.contract import RemoteMeta

if TYPE_CHECKING:  # A model can only be imported once Django is set up, which conftest does.
    from rapport.mail.models import Account, Folder, Message
    from rapport.people.models import User

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_numbers = count(1)


def a_letter(
    sender: str = "Inês Carvalho <ines@lumen.test>",
    *,
    to: str = "sales@rapport.test",
    cc: str = "",
    subject: str = "Ceiling baffles",
    text: str = "Good news: the board signed off.",
    answers: str = "",
    message_id: str = "",
    when: datetime = NOON,
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """An ordinary email, as it comes over the wire."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = sender, to, subject
    letter["Date"] = format_datetime(when)
    letter["Message-ID"] = message_id or f"<{next(_numbers)}@world.test>"
    if cc:
        letter["Cc"] = cc
    if answers:
        letter["In-Reply-To"] = letter["References"] = answers
    for name, value in headers:
        letter[name] = value
    letter.set_content(text)
    return letter.as_bytes().replace(b"\n", b"\r\n")


def an_account(address: str = "sales@rapport.test", *, owner: "User | None" = None, **more: object) -> "Account":
    """A connected mailbox: shared, or the owner's own."""
    from rapport.mail.models import Account  # noqa: PLC0415  # after conftest

    told: dict[str, object] = {
        "address": address,
        "kind": "personal" if owner else "shared",
        "owner": owner,
        "incoming_host": "127.0.0.1",
        "incoming_port": 143,
        "incoming_security": "none",
        "outgoing_host": "127.0.0.1",
        "outgoing_port": 25,
        "outgoing_security": "none",
        **more,
    }
    return Account.objects.create(**told)


def a_folder(account: "Account", name: str = "INBOX", role: str = "inbox") -> "Folder":
    """A folder of that mailbox, looked at once and found empty."""
    from rapport.mail.models import Folder  # noqa: PLC0415  # after conftest

    folder, _ = Folder.objects.get_or_create(
        account=account, wire=name.encode(), defaults={"name": name, "role": role, "delimiter": "/", "uidvalidity": 1}
    )
    return folder


def arrives(folder: "Folder", *letters: bytes, flags: Iterable[str] = (), when: datetime = NOON) -> "list[Message]":
    """These emails come in through the engine's own door."""
    from rapport.blobs import keep  # noqa: PLC0415  # after conftest
    from rapport.mail.models import Folder, Message, Placement  # noqa: PLC0415  # after conftest
    from rapport.sync import hold, incoming, intake  # noqa: PLC0415  # after conftest

    folder = Folder.objects.select_related("account").get(pk=folder.pk)
    claim = hold.take(folder.account)
    assert claim is not None
    first = (Placement.objects.filter(folder=folder).order_by("-uid").values_list("uid", flat=True).first() or 0) + 1
    batch = [
        incoming.Arrived(
            RemoteMeta(first + number, frozenset(flags), when + timedelta(minutes=number), len(raw)),
            keep.put(raw),
            len(raw),
            parse(raw),
        )
        for number, raw in enumerate(letters)
    ]
    intake.store(folder, batch, {}, {one.meta.uid: one.meta for one in batch}, claim)
    claim.release()
    here = Message.objects.filter(account=folder.account, sha256__in=[one.sha256 for one in batch])
    by_hash = {message.sha256: message for message in here}
    return [by_hash[one.sha256] for one in batch]
