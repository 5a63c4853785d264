"""Forgetting an account: every local copy goes, the server is never touched (D11)."""

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from rapport.blobs import keep
from rapport.mail import index
from rapport.mail.models import Account, Message, Thread


class InUse(Exception):
    """The account is being synced at this moment."""


def account(account: Account) -> None:
    """Delete an account with its mail, and the raw bytes that no other account holds. Raises InUse."""
    with transaction.atomic():
        free = Account.objects.filter(pk=account.pk).filter(Q(held_until=None) | Q(held_until__lte=now()))
        # A worker that still runs loses its claim with the row, and commits nothing more.
        # Locked until it is gone: a worker that takes it now waits, and finds nothing.
        if free.select_for_update().first() is None:
            raise InUse(f"{account.address} is being synced right now. Try again in a moment.")
        digests = set(Message.objects.filter(account=account).values_list("sha256", flat=True))
        index.remove(Message.objects.filter(account=account).values_list("pk", flat=True))
        Message.objects.filter(account=account).delete()
        Thread.objects.filter(account=account).delete()
        free.delete()
    keep.erase(digests - _still_used(digests))


def _still_used(digests: set[str]) -> set[str]:
    ordered = sorted(digests)
    used: set[str] = set()
    for start in range(0, len(ordered), 500):
        rows = Message.objects.filter(sha256__in=ordered[start : start + 500])
        used |= set(rows.values_list("sha256", flat=True))
    return used
