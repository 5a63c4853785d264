"""Proof of completeness: what the server has now, what is here, and why the rest is not (D17)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.utils.timezone import now

from rapport.connect import keys, opening
from rapport.mail.models import Account, Folder, Placement, Skipped
from rapport.providers.contract import Provider
from rapport.providers.errors import ProviderError, Refused
from rapport.providers.uids import UidSet
from rapport.sync.plan import in_order, search_from
from rapport.sync.worker import LARGEST_OF_ALL, Trouble

NOT_OPENED = "the folder cannot be opened"


@dataclass(frozen=True)
class Report:
    """One folder, compared with the server now. Writes nothing."""

    account: str
    folder: str
    on_server: int
    here: int
    skipped: Mapping[str, int]
    """How many are not here on purpose, by reason."""
    missing: int
    """On the server, not here, and nobody knows why."""
    extra: int
    """Here, but not on the server; with ``deep`` also those whose bytes differ."""
    checked: datetime

    @property
    def clean(self) -> bool:
        """Nothing missing and nothing extra."""
        return not self.missing and not self.extra


def check(account: Account, *, deep: bool = False) -> list[Report]:
    """Sign in and compare. Raises worker.Trouble, and leaves the account as it is."""
    try:
        mailbox = opening.mailbox(account)
        mailbox.take_up_to(LARGEST_OF_ALL)  # what was asked for is here, and is compared too
        try:
            return list(verify(account, mailbox, deep=deep))
        finally:
            mailbox.close()
    except (ProviderError, keys.CannotOpen) as error:
        raise Trouble(str(error)) from error


def verify(account: Account, mailbox: Provider, *, deep: bool = False) -> Iterator[Report]:
    """Compare every followed folder of an account with the server. ``deep`` fetches every body and compares sha256."""
    there = {folder.wire for folder in mailbox.folders()}
    for folder in in_order(row for row in account.folders.filter(gone_at=None) if row.active or row.observed):
        if bytes(folder.wire) in there:
            yield _folder(account, folder, mailbox, deep=deep)


def _folder(account: Account, folder: Folder, mailbox: Provider, *, deep: bool) -> Report:
    wire = bytes(folder.wire)
    rows = Placement.objects.filter(folder=folder, generation=folder.generation)
    placed = dict(rows.values_list("uid", "message__sha256"))
    reasons = dict(Skipped.objects.filter(folder=folder, generation=folder.generation).values_list("uid", "reason"))
    try:
        server = mailbox.listed(wire)
    except Refused:
        return Report(account.address, folder.name, 0, len(placed), {NOT_OPENED: 1}, 0, 0, now())
    here = UidSet.of(placed)
    absent = server - here
    outside = _outside(folder, absent - UidSet.of(reasons), mailbox)
    explained = {uid: reason for uid in absent if (reason := reasons.get(uid) or outside.get(uid))}
    wrong = _different(wire, here & server, placed, mailbox) if deep else 0
    return Report(
        account=account.address,
        folder=folder.name,
        on_server=len(server),
        here=len(here & server),
        skipped=dict(Counter(explained.values())),
        missing=len(absent) - len(explained),
        extra=len(here - server) + wrong,
        checked=now(),
    )


def _outside(folder: Folder, uids: UidSet, mailbox: Provider) -> dict[int, str]:
    """Messages the first sync left alone, and why, asked of the server again: nothing is believed from memory.

    What is still to be fetched is not explained: until it is here, it is missing.
    """
    old = (uids & UidSet.span(1, folder.floor - 1)) - UidSet.parse(folder.pending)
    if folder.observed:
        return dict.fromkeys(old, Skipped.Reason.OBSERVED.value)
    since = folder.account.sync_from
    day = search_from(since)
    if since is None or day is None or not old:
        return {}
    near = old & mailbox.since(bytes(folder.wire), day)
    inside = {meta.uid for meta in mailbox.metas(bytes(folder.wire), near) if meta.internal_date >= since}
    return dict.fromkeys((uid for uid in old if uid not in inside), Skipped.Reason.PERIOD.value)


def _different(wire: bytes, uids: UidSet, placed: Mapping[int, str], mailbox: Provider) -> int:
    given = {message.uid: sha256(message.raw).hexdigest() for message in mailbox.fetch(wire, uids)}
    return sum(given.get(uid) != placed[uid] for uid in uids)


def as_json(reports: Sequence[Report]) -> list[dict[str, object]]:
    """As the command prints it."""
    return [
        {
            "account": report.account,
            "folder": report.folder,
            "on_server": report.on_server,
            "here": report.here,
            "skipped": [{"reason": reason, "count": count} for reason, count in sorted(report.skipped.items())],
            "missing": report.missing,
            "extra": report.extra,
            "checked": report.checked.isoformat(timespec="seconds"),
        }
        for report in reports
    ]
