"""Reading old mail again, after a better parser or after trouble: the raw bytes were kept for this."""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from rapport.blobs import keep
from rapport.links.models import Link
from rapport.mail import index, listing, threading
from rapport.mail.models import Account, Attachment, Body, Folder, Message, Participant
from rapport.mime.child import Parsers
from rapport.mime.message import PARSER_VERSION, ParsedMessage
from rapport.providers.contract import RemoteMeta
from rapport.sync import hold, intake, news
from rapport.sync.hold import Hold
from rapport.sync.incoming import Arrived
from rapport.sync.intake import New
from rapport.sync.worker import Busy

AT_ONCE = 100


def reparse(account: Account, parsers: Parsers, *, tell: Callable[[int], None] = lambda _: None) -> int:
    """Read every message again that an older parser read, or none could; how many were read. Raises Busy, hold.Lost.

    Ids, threads people know, links made and addresses of attachments stay; ``tell`` hears how far it has come.
    """
    claim = hold.take(account)
    if claim is None:
        raise Busy(account.address)
    try:
        done = 0
        for batch in _batches(account):
            done += _again(account, batch, parsers, claim)
            tell(done)
        return done
    finally:
        claim.release()


def _batches(account: Account) -> Iterator[Sequence[Message]]:
    """Oldest first, each once, whatever becomes of them."""
    last = 0
    stale = Q(parser__lt=PARSER_VERSION) | Q(reading=Message.Reading.UNREADABLE)
    while batch := list(Message.objects.filter(stale, account=account, pk__gt=last).order_by("pk")[:AT_ONCE]):
        last = batch[-1].pk
        yield batch


def _again(account: Account, batch: Sequence[Message], parsers: Parsers, claim: Hold) -> int:
    raws = [_raw(message) for message in batch]
    read = parsers.parse_all(raw for raw in raws if raw is not None)
    claim.keep()
    better = []
    for message, raw in zip(batch, raws, strict=True):
        parsed = next(read) if raw is not None else None
        if isinstance(parsed, ParsedMessage):
            better.append(_new(account, message, parsed))
    with transaction.atomic():
        claim.renew()
        _write(account, better)
    return len(better)


def _raw(message: Message) -> bytes | None:
    try:
        return keep.get(message.sha256)
    except keep.Missing:
        return None


def _new(account: Account, message: Message, parsed: ParsedMessage) -> New:
    meta = RemoteMeta(0, frozenset(), message.internal_date, message.size)
    return New(message.pk, Arrived(meta, message.sha256, message.size, parsed), account.pk, account.address)


def _write(account: Account, better: Sequence[New]) -> None:
    keys = [one.pk for one in better]
    before = set(Message.objects.filter(pk__in=keys).values_list("thread_id", flat=True))
    named = _attachments(keys)
    index.remove(keys)
    for model in (Body, Participant, Attachment):
        model.objects.filter(message__in=keys).delete()
    threads, joined = threading.place(account, [threading.digests(one.message_id, one.references) for one in better])
    for one, thread in zip(better, threads, strict=True):
        one.thread = thread
        _rewrite(one)
    for emptied, kept in joined.items():
        Link.objects.filter(thread=emptied).update(thread=kept)
    intake.details(better, named)
    intake.link(account, better)
    touched = before | set(threads) | set(joined)
    listing.refresh(list(Folder.objects.filter(account=account)), touched)
    news.of_threads(account, touched)


def _attachments(keys: Sequence[int]) -> dict[tuple[int, int, str], UUID]:
    """Addresses that may stand in somebody's bookmarks, by message, position and content."""
    rows = Attachment.objects.filter(message__in=keys).values_list("message_id", "position", "sha256", "uuid")
    return {(message, position, sha256): uuid for message, position, sha256, uuid in rows}


def _rewrite(one: New) -> None:
    """The message's own row, all but what only its arrival knew."""
    row = dict(zip(intake.MESSAGE, intake.row_of(one, now(), uuid4()), strict=True))
    for name in ("id", "uuid", "account_id", "sha256", "size", "internal_date", "arrived_at"):
        del row[name]
    Message.objects.filter(pk=one.pk).update(**row)
    Link.objects.filter(message=one.pk).update(thread=one.thread)
