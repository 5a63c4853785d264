"""Telling whoever is looking: numbers only, in the transaction that changed what they stand for."""

from collections.abc import Collection

from django.utils.timezone import now

from rapport.database import rows
from rapport.events.models import Event
from rapport.mail.models import Account


def of_threads(account: Account, threads: Collection[int], unheard: Collection[int] = ()) -> None:
    """These threads look different; in those of ``unheard`` an email came that nobody has seen."""
    at = now()
    rows.insert(
        Event,
        ("kind", "account", "about", "arrived", "at"),
        ((Event.Kind.THREAD, account.pk, thread, thread in unheard, at) for thread in sorted(threads)),
    )


def of_account(account: Account) -> None:
    """The account's state, folders or progress changed."""
    Event.objects.create(kind=Event.Kind.ACCOUNT, account=account.pk, about=account.pk)
