"""Keeping the rows that lists are made of in step with what lies where."""

from collections.abc import Collection

from django.db.models import Count, Max, Q

from rapport.mail.models.folder import Folder
from rapport.mail.models.placement import Placement
from rapport.mail.models.thread import Listing


def refresh(folders: Collection[Folder], threads: Collection[int]) -> None:
    """Make the listings of these threads in these folders say what is true now."""
    for folder in folders:
        _refresh(folder, threads)


def _refresh(folder: Folder, threads: Collection[int]) -> None:
    lying = Placement.objects.filter(folder=folder, message__thread__in=threads)
    rows = lying.values("message__thread").annotate(
        newest=Max("message__internal_date"),
        n=Count("message", distinct=True),
        unseen=Count("message", distinct=True, filter=Q(seen=False)),
        stars=Count("pk", filter=Q(flagged=True)),
        drafts=Count("pk", filter=Q(draft=True)),
    )
    wanted = [
        Listing(
            folder=folder,
            thread_id=row["message__thread"],
            newest_at=row["newest"],
            count=row["n"],
            unread=row["unseen"],
            flagged=row["stars"] > 0,
            draft=row["drafts"] > 0,
        )
        for row in rows
    ]
    Listing.objects.filter(folder=folder, thread__in=set(threads) - {row.thread_id for row in wanted}).delete()
    Listing.objects.bulk_create(
        wanted,
        update_conflicts=True,
        unique_fields=["folder", "thread"],
        update_fields=["newest_at", "count", "unread", "flagged", "draft"],
    )
