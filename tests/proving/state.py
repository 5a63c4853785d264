"""Everything an engine has learnt, without keys and moments: what two runs are compared by."""

from collections import defaultdict

from rapport.blobs import keep
from rapport.crm.models import Contact
from rapport.events.models import Event
from rapport.links.models import Link
from rapport.mail.models import Folder, KnownId, Listing, Message, Placement, Skipped

State = dict[str, list[str]]
"""Kind of thing to its rows as text, sorted."""


def state() -> State:
    """Placements with flags, messages, lists, threads, ids, links, contacts, what was skipped, bookmarks, lost bytes, news."""
    threads = _threads()
    return {
        "folders": sorted(map(_folder, Folder.objects.all())),
        "placements": sorted(map(_placement, Placement.objects.select_related("folder", "message"))),
        "messages": sorted(
            f"{one.sha256} {one.subject!r} gone={one.gone_since is not None} {one.reading}"
            for one in Message.objects.all()
        ),
        "threads": sorted(threads.values()),
        "ids": sorted(f"{one.digest} {threads.get(one.thread_id)}" for one in KnownId.objects.all()),
        "listings": sorted(_listing(one, threads) for one in Listing.objects.select_related("folder")),
        "links": sorted(
            f"{one.message.sha256} {one.contact} {one.company} {one.rule} {one.role} {one.found} {threads[one.thread_id]}"
            for one in Link.objects.select_related("message", "contact", "company")
        ),
        "contacts": sorted(
            f"{one.name} {sorted(address.address for address in one.addresses.all())}"
            for one in Contact.objects.prefetch_related("addresses")
        ),
        "skipped": sorted(
            f"{one.folder.name} {one.uid} {one.reason}" for one in Skipped.objects.select_related("folder")
        ),
        "lost": sorted(one.sha256 for one in Message.objects.all() if not _is_kept(one.sha256)),
        "news": sorted(
            threads.get(about, "?") for about in Event.objects.filter(arrived=True).values_list("about", flat=True)
        ),
    }


def _is_kept(digest: str) -> bool:
    try:
        return bool(keep.get(digest))
    except keep.Missing:
        return False


def _threads() -> dict[int, str]:
    """Each thread by what is in it."""
    found: dict[int, list[str]] = defaultdict(list)
    for thread, digest in Message.objects.values_list("thread", "sha256"):
        found[thread].append(digest)
    return {thread: "+".join(sorted(digests)) for thread, digests in found.items()}


def _folder(row: Folder) -> str:
    return (
        f"{bytes(row.wire)!r} {row.name} {row.role} gone={row.gone_at is not None} {row.uidvalidity} {row.uidnext}"
        f" {row.modseq} {row.floor} known={row.known} pending={row.pending} left={row.left}"
    )


def _placement(row: Placement) -> str:
    old = "" if row.generation == row.folder.generation else " old"
    return f"{row.folder.name}{old} {row.uid} {row.message.sha256} {row.flags} {row.seen} {row.flagged} {row.draft}"


def _listing(row: Listing, threads: dict[int, str]) -> str:
    return f"{row.folder.name} {threads.get(row.thread_id)} {row.newest_at} {row.count} {row.unread} {row.flagged} {row.draft}"
