"""Keeping the rows that lists are made of in step with what lies where."""

from collections.abc import Collection

from django.db.models import Count, Max, Q

from rapport.database import rows
from rapport.mail.models.folder import Folder
from rapport.mail.models.placement import Placement
from rapport.mail.models.thread import Listing

LISTING = ("folder_id", "thread_id", "newest_at", "count", "unread", "flagged", "draft")


def refresh(folders: Collection[Folder], threads: Collection[int]) -> None:
    """Make the listings of these threads in these folders say what is true now."""
    for folder in folders:
        _refresh(folder, threads)


def _refresh(folder: Folder, threads: Collection[int]) -> None:
    lying = Placement.objects.filter(folder=folder, message__thread__in=threads)
    found = lying.values("message__thread").annotate(
        newest=Max("message__internal_date"),
        n=Count("message", distinct=True),
        unseen=Count("message", distinct=True, filter=Q(seen=False)),
        stars=Count("pk", filter=Q(flagged=True)),
        drafts=Count("pk", filter=Q(draft=True)),
    )
    wanted = [
        (folder.pk, row["message__thread"], row["newest"], row["n"], row["unseen"], row["stars"] > 0, row["drafts"] > 0)
        for row in found
    ]
    left = set(threads) - {row[1] for row in wanted}
    if left:
        Listing.objects.filter(folder=folder, thread__in=left).delete()
    rows.insert(Listing, LISTING, wanted, update_on=("folder_id", "thread_id"))
