"""How an account's folders stand: which there are, what changed in them, and where the look at them stopped.

Everything a look found is written in one transaction with its bookmark.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.timezone import now

from rapport.mail import listing
from rapport.mail.models import Account, Folder, Message, Placement, Skipped
from rapport.providers.contract import Look, RemoteFolder, RemoteMeta
from rapport.providers.uids import UidSet
from rapport.sync import lying, news, plan
from rapport.sync.hold import Hold

BOOKMARK = ("uidvalidity", "uidnext", "modseq", "doubts", "known", "pending", "left")
SWEEPS = ("looked_at", "swept_recent", "swept_whole", "swept_below")


def listed(account: Account, remote: Sequence[RemoteFolder], denied: Collection[bytes], hold: Hold) -> None:
    """The folders the server has now: new ones are made, known ones kept, those it ``denied`` by name marked gone.

    A new folder is active where every folder is. A server that denies its inbox is in trouble, and proves nothing (I10).
    """
    here = {bytes(folder.wire): folder for folder in account.folders.all()}
    there = {folder.wire: folder for folder in remote if folder.selectable}
    new = [folder for wire, folder in there.items() if wire not in here]
    gone = [row for wire, row in here.items() if wire in denied and row.gone_at is None]
    if any(row.role == Folder.Role.INBOX for row in gone):
        gone = []
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
        _hide_or_show(gone, back)
        for row in changed:
            Folder.objects.filter(pk=row.pk).update(role=there[bytes(row.wire)].role.value)
        news.of_account(account)


def looked(folder: Folder, look: Look, pending: UidSet, hold: Hold) -> bool:
    """What changed in a folder, what is left to fetch, and the bookmark, all at once. Whether anything changed."""
    first = folder.uidvalidity is None
    troubled(folder, "", hold)
    with transaction.atomic():
        hold.renew()
        touched = lying.vanish(folder, look.vanished) | lying.reflag(folder, look.flags)
        known = (UidSet.parse(folder.known) | look.arrived) - look.vanished
        if first:
            folder.floor = look.bookmark.uidnext
            folder.window = max(folder.window, len(pending))
        fresh = _bookmark(folder, look, known, (UidSet.parse(folder.pending) | pending) - look.vanished)
        listing.refresh([folder], touched)
        news.of_threads(folder.account, touched)
        if fresh and (first or pending):
            news.of_account(folder.account)
    return bool(fresh or touched)


def rebuilt(folder: Folder, hold: Hold) -> None:
    """The server rebuilt the folder: a new generation begins. What lies here stays until it is found again (I8)."""
    with transaction.atomic():
        hold.renew()
        at = now()
        if folder.rebuilt_since is None or at - folder.rebuilt_since > plan.DAY:
            folder.rebuilds, folder.rebuilt_since = 0, at
        folder.rebuilds += 1
        folder.generation += 1
        folder.uidvalidity, folder.uidnext, folder.modseq, folder.floor, folder.doubts = None, 0, 0, 0, 0
        folder.known, folder.pending, folder.left = "", "", 0
        folder.save(update_fields=[*BOOKMARK, "floor", "generation", "rebuilds", "rebuilt_since"])


def remembered(folder: Folder) -> dict[tuple[str, datetime, int], list[int]]:
    """What lay here before the server rebuilt the folder: messages by Message-ID, date and size."""
    found: dict[tuple[str, datetime, int], list[int]] = defaultdict(list)
    if folder.generation:
        old = Placement.objects.filter(folder=folder, generation__lt=folder.generation)
        for pk, message_id, date, size in old.values_list(
            "message_id", "message__message_id", "message__internal_date", "message__size"
        ).distinct():
            found[message_id, date, size].append(pk)
    return found


def recognised(folder: Folder, again: Mapping[int, int], metas: Mapping[int, RemoteMeta], hold: Hold) -> None:
    """Messages of a rebuilt folder that were known again lie here under their new UIDs."""
    for batch in lying.batches(list(again.items())):
        with transaction.atomic():
            hold.renew()
            lying.lay(folder, ((pk, uid, metas[uid].flags) for uid, pk in batch))
            touched = set(Message.objects.filter(pk__in=[pk for _, pk in batch]).values_list("thread_id", flat=True))
            listing.refresh([folder], touched)


def renamed(folder: Folder, remote: RemoteFolder, hold: Hold) -> None:
    """A folder has another name on the server; everything in it stays."""
    with transaction.atomic():
        hold.renew()
        folder.wire, folder.name, folder.delimiter = remote.wire, remote.name, remote.delimiter
        folder.role = remote.role.value
        folder.save(update_fields=["wire", "name", "delimiter", "role"])
        news.of_account(folder.account)


def troubled(folder: Folder, trouble: str, hold: Hold) -> bool:
    """Something is wrong with one folder, or no longer. Never a change that calls for another pass."""
    if folder.trouble != trouble:
        with transaction.atomic():
            hold.renew()
            folder.trouble = trouble
            folder.save(update_fields=["trouble"])
            news.of_account(folder.account)
    return False


def settle(folder: Folder, hold: Hold) -> None:
    """Everything of the new generation is here: what of the old was not found again lies here no more."""
    old = Placement.objects.filter(folder=folder, generation__lt=folder.generation)
    if not old.exists():
        return
    with transaction.atomic():
        hold.renew()
        touched = lying.remove(old)
        Skipped.objects.filter(folder=folder, generation__lt=folder.generation).delete()
        listing.refresh([folder], touched)
        news.of_threads(folder.account, touched)


def _bookmark(folder: Folder, look: Look, known: UidSet, pending: UidSet) -> bool:
    """Write the folder's bookmark; only the times where nothing else changed."""
    before = [getattr(folder, name) for name in BOOKMARK]
    mark = look.bookmark
    folder.uidvalidity, folder.uidnext, folder.modseq, folder.doubts = (
        mark.uidvalidity,
        mark.uidnext,
        mark.modseq,
        mark.doubts,
    )
    folder.known, folder.pending, folder.left = str(known), str(pending), len(pending)
    folder.looked_at = now()
    folder.swept_recent, folder.swept_whole, folder.swept_below = look.sweep.recent, look.sweep.whole, look.sweep.below
    changed = before != [getattr(folder, name) for name in BOOKMARK]
    folder.save(update_fields=[*SWEEPS, *((*BOOKMARK, "floor", "window") if changed else ())])
    return changed


def _hide_or_show(gone: Collection[Folder], back: Collection[Folder]) -> None:
    """What lay only in folders that are gone leaves the conversations, and comes back with its folder."""
    for row in gone:
        elsewhere = Placement.objects.filter(folder__gone_at=None).values("message_id")
        Message.objects.filter(placements__folder=row, gone_since=None).exclude(pk__in=elsewhere).update(
            gone_since=now()
        )
    for row in back:
        Message.objects.filter(placements__folder=row).update(gone_since=None)


def _new_folder(account: Account, folder: RemoteFolder, *, active: bool) -> None:
    Folder.objects.create(
        account=account,
        wire=folder.wire,
        name=folder.name,
        delimiter=folder.delimiter,
        role=folder.role.value,
        active=active,
    )
