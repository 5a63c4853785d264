"""``rapport export``: everything that is here of a mailbox."""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from django.db.models import Prefetch

from rapport.blobs import keep
from rapport.cli.account import find
from rapport.cli.say import Commands, Failed, Told, plural, say
from rapport.links.models import Link
from rapport.mail.models import Account, Message, Participant, Placement

AT_ONCE = 200


def add_to(commands: Commands) -> None:
    """Offer the command."""
    export = commands.add_parser("export", help="everything that is here of a mailbox")
    export.add_argument("address")
    export.add_argument("--format", required=True, choices=["jsonl", "mbox"])
    export.add_argument("--output", metavar="FILE", help="a file instead of standard output")
    export.set_defaults(run=_export)


def _export(told: Told) -> None:
    account = find(told.address)
    write = _as_json if told.format == "jsonl" else _as_mbox
    count = 0
    try:
        with _out(told.output) as out:
            for message in _messages(account):
                out.write(write(message))
                count += 1
            out.flush()
    except keep.Missing as error:
        raise Failed(f"The raw bytes of an email are missing or damaged: {error}") from error
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise Failed(f"{told.output or 'standard output'} cannot be written: {error.strerror}") from error
    say(f"{plural(count, 'email')} of {account.address} exported.")


def _out(path: str | None) -> AbstractContextManager[BinaryIO]:
    return Path(path).open("wb") if path else nullcontext(sys.stdout.buffer)


def _messages(account: Account) -> Iterator[Message]:
    """Every email, oldest first, with all that is told of it."""
    lying = Placement.objects.filter(folder__gone_at=None).select_related("folder").order_by("pk")
    rows = (
        Message.objects.filter(account=account)
        .select_related("thread", "body")
        .prefetch_related(
            Prefetch("placements", lying),
            Prefetch("participants", Participant.objects.order_by("pk")),
            Prefetch("links", Link.objects.select_related("contact", "company").order_by("pk")),
            "links__contact__addresses",
            "links__company__domains",
            "attachments",
        )
        .order_by("pk")
    )
    return rows.iterator(chunk_size=AT_ONCE)


def _as_json(message: Message) -> bytes:
    return json.dumps(_described(message), ensure_ascii=False).encode() + b"\n"


def _described(message: Message) -> dict[str, object]:
    placements = [row for row in message.placements.all() if row.generation == row.folder.generation] or list(
        message.placements.all()
    )
    return {
        "message_id": message.message_id or None,
        "folders": list(dict.fromkeys(row.folder.name for row in placements)),
        "flags": sorted({flag for row in placements for flag in row.flags}),
        "sha256": message.sha256,
        "size": message.size,
        "internal_date": _iso(message.internal_date),
        "date": _iso(message.date),
        "subject": message.subject,
        "from": next(iter(_people(message, "from")), None),
        "to": _people(message, "to"),
        "cc": _people(message, "cc"),
        "thread": str(message.thread.uuid),
        "contacts": [
            {
                "id": str(link.contact.uuid),
                "name": link.contact.name,
                "addresses": [row.address for row in link.contact.addresses.all()],
                "reason": link.reason,
            }
            for link in message.links.all()
            if link.contact
        ],
        "companies": [
            {
                "id": str(link.company.uuid),
                "name": link.company.name,
                "domains": [row.domain for row in link.company.domains.all()],
                "reason": link.reason,
            }
            for link in message.links.all()
            if link.company
        ],
        "deals": [],
        "attachments": [
            {"name": file.name, "type": file.type, "size": file.size, "sha256": file.sha256}
            for file in message.attachments.all()
        ],
        "text": message.body.text if hasattr(message, "body") else "",
    }


def _people(message: Message, role: str) -> list[dict[str, str]]:
    return [{"name": row.name, "address": row.address} for row in message.participants.all() if row.role == role]


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _as_mbox(message: Message) -> bytes:
    """One email in mboxrd form: every line that looks like a separator, quoted or not, gets one more ``>``."""
    raw = keep.get(message.sha256)
    sender = message.from_address.encode("ascii", "replace").replace(b" ", b"") or b"MAILER-DAEMON"
    moment = message.internal_date.astimezone(UTC).strftime("%a %b %d %H:%M:%S %Y").encode()
    lines = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in raw.splitlines(keepends=True)]
    body = b"".join(lines)
    return b"From " + sender + b" " + moment + b"\n" + body + (b"\n" if body.endswith(b"\n") else b"\n\n")
