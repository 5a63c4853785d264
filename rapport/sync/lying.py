"""Where messages lie: laying them down, taking them away, their flags."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from django.utils.timezone import now

from rapport.database import rows
from rapport.mail.models import Folder, Message, Placement, Skipped
from rapport.providers.uids import UidSet

AT_ONCE = 500
"""Values in one IN (…)."""
T = TypeVar("T")


def lay(folder: Folder, lying: Iterable[tuple[int, int, Collection[str]]]) -> None:
    """Messages lie in a folder, each under its UID, with its flags."""
    rows.insert(
        Placement,
        ("folder_id", "generation", "message_id", "uid", "flags", "seen", "flagged", "draft"),
        ((folder.pk, folder.generation, pk, uid, *_words(flags)) for pk, uid, flags in lying),
        update_on=("folder_id", "generation", "uid"),
    )


def vanish(folder: Folder, uids: UidSet) -> set[int]:
    """The server positively no longer lists these: threads that lost something here."""
    touched = set()
    for batch in batches(list(uids)):
        touched |= remove(Placement.objects.filter(folder=folder, generation=folder.generation, uid__in=batch))
        Skipped.objects.filter(folder=folder, generation=folder.generation, uid__in=batch).delete()
    return touched


def remove(placements: Iterable[Placement]) -> set[int]:
    """Take placements away: threads that lost something. A message that lies nowhere any more is kept, out of sight."""
    touched = set()
    for batch in batches(list(placements)):
        messages = {row.message_id for row in batch}
        Placement.objects.filter(pk__in=[row.pk for row in batch]).delete()
        still = Placement.objects.filter(message__in=messages, folder__gone_at=None)
        left = set(still.values_list("message_id", flat=True))
        Message.objects.filter(pk__in=messages - left).update(gone_since=now())
        touched |= set(Message.objects.filter(pk__in=messages).values_list("thread_id", flat=True))
    return touched


def reflag(folder: Folder, flags: Mapping[int, frozenset[str]]) -> set[int]:
    """Take over flags that another client changed: threads that look different now."""
    touched = set()
    for batch in batches(list(flags)):
        here = Placement.objects.filter(folder=folder, generation=folder.generation, uid__in=batch)
        changed = [row for row in here.select_related("message") if row.flags != sorted(flags[row.uid])]
        for row in changed:
            _flag(row, flags[row.uid])
        Placement.objects.bulk_update(changed, ["flags", "seen", "flagged", "draft"])
        touched |= {row.message.thread_id for row in changed}
    return touched


def _flag(row: Placement, flags: Collection[str]) -> None:
    row.flags, row.seen, row.flagged, row.draft = _words(flags)


def _words(flags: Collection[str]) -> tuple[list[str], bool, bool, bool]:
    """All flags sorted, and whether seen, flagged and draft are among them, whatever their case."""
    plain = {flag.lower() for flag in flags}
    return sorted(flags), "\\seen" in plain, "\\flagged" in plain, "\\draft" in plain


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many at once as one statement takes."""
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
