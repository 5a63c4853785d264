"""Syncing accounts: one pass with everything that can go wrong in it, and the loop that never stops for any."""

import logging
import random
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils.timezone import now

from rapport.connect import keys, opening, words
from rapport.connect.words import Words
from rapport.crm.models import Company, Contact
from rapport.events.models import Event
from rapport.links import find
from rapport.mail.models import Account
from rapport.mime.child import Parsers
from rapport.providers.errors import ProviderError, SignInAgain, TryLater
from rapport.sync import hold, plan
from rapport.sync.pull import Pass

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=60)
"""Between two passes over all folders of an account."""
AGAIN_AFTER_REFUSAL = timedelta(seconds=30)
"""One plain refusal of a password is asked once more: servers err (sync.md B11)."""
_CHANCE = random.Random()  # noqa: S311  # spreads retries; nothing secret


class Busy(Exception):
    """Another worker holds the account."""


class Trouble(Exception):
    """The account cannot be synced now; the text says why, as it stands on the account."""


def sync(account: Account, parsers: Parsers, *, thorough: bool = False, inbox_only: bool = False) -> bool:
    """One pass over an account, whatever happens in it; whether anything changed.

    Raises Trouble after noting it on the account, hold.Lost, Busy.
    """
    claim = hold.take(account)
    if claim is None:
        raise Busy(account.address)
    # Put off before it begins: whatever happens in the pass, it is not begun again at once.
    Account.objects.filter(pk=account.pk).update(next_pass=now() + EVERY)
    try:
        mailbox = opening.mailbox(account)
        try:
            visit = Pass(account, mailbox, parsers, claim)
            changed = visit.inbox() if inbox_only else visit.run(thorough=thorough)
        finally:
            mailbox.close()
        _well(account, complete=not inbox_only)
    except ProviderError as error:
        raise Trouble(_trouble(account, error)) from error
    except keys.CannotOpen as error:
        said = Words("keys", "The password can’t be read", str(error))
        raise Trouble(_note_trouble(account, Account.State.REFUSED, said)) from error
    finally:
        claim.release()
    return changed


def due(at: datetime) -> QuerySet[Account]:
    """Accounts whose next pass may begin."""
    return Account.objects.exclude(state=Account.State.REFUSED).filter(Q(next_pass=None) | Q(next_pass__lte=at))


def relink_contact(pk: int) -> None:
    """Work: a contact was made or changed, so its older emails are looked at again (D6)."""
    contact = Contact.objects.filter(pk=pk).first()
    if contact:
        find.relink_contact(contact)
        Event.objects.create(kind=Event.Kind.CONTACT, about=pk)


def relink_company(pk: int) -> None:
    """Work: a company was made or its domains changed."""
    company = Company.objects.filter(pk=pk).first()
    if company:
        find.relink_domains(list(company.domains.values_list("domain", flat=True)), pk)
        Event.objects.create(kind=Event.Kind.COMPANY, about=pk)


def _well(account: Account, *, complete: bool) -> None:
    """The pass went through: troubles are over. Only times change where all was well before."""
    times = {"synced_at": now(), "next_pass": now() + EVERY} if complete else {}
    ill = Account.objects.filter(pk=account.pk).exclude(state=Account.State.OK)
    if complete and ill.update(
        state=Account.State.OK, trouble="", said="", trouble_since=None, attempts=0, refusals=0, **times
    ):
        _announce(account)
    elif times:
        Account.objects.filter(pk=account.pk).update(**times)


def _trouble(account: Account, error: ProviderError) -> str:
    """Say on the account what is wrong, and when it is tried again. Only a refused sign-in disables (D7)."""
    said = words.incoming(error, opening.incoming(account))
    if not isinstance(error, SignInAgain):
        asked = error.after if isinstance(error, TryLater) else None
        return _note_trouble(account, None, said, plan.wait_after(account.attempts, asked, _CHANCE))
    if account.refusals:
        return _note_trouble(account, Account.State.REFUSED, said)
    Account.objects.filter(pk=account.pk).update(refusals=F("refusals") + 1)
    return _note_trouble(account, None, said, AGAIN_AFTER_REFUSAL)


def _note_trouble(account: Account, state: str | None, said: Words, wait: timedelta = EVERY) -> str:
    fresh = Account.objects.get(pk=account.pk)
    fresh.trouble, fresh.said = str(said), said.said[:200]
    fresh.trouble_since = fresh.trouble_since or now()
    fresh.attempts += 1
    fresh.next_pass = now() + wait
    if state:
        fresh.state = state
    elif fresh.state == Account.State.OK:
        fresh.state = Account.State.UNREACHED
    fresh.save(update_fields=["trouble", "said", "trouble_since", "attempts", "next_pass", "state"])
    _announce(account)
    return fresh.trouble


def _announce(account: Account) -> None:
    Event.objects.create(kind=Event.Kind.ACCOUNT, account=account.pk, about=account.pk)
