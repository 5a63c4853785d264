"""Syncing accounts: one pass with everything that can go wrong in it, and the loop that never stops for any."""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils.timezone import now

from rapport.connect import keys, opening, words
from rapport.connect.words import Words
from rapport.crm.models import Company, Contact
from rapport.events.models import Event
from rapport.links import find
from rapport.mail.models import Account, Skipped
from rapport.mime.child import Parsers
from rapport.providers.errors import ProviderError, SignInAgain, TryLater
from rapport.sync import hold, plan, pull
from rapport.sync.incoming import Cut
from rapport.sync.pull import Pass

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=60)
"""Between two passes over all folders of an account."""
AGAIN_AFTER_REFUSAL = timedelta(seconds=30)
"""One plain refusal of a password is asked once more: servers err (sync.md B11)."""
LARGEST_OF_ALL = 1024**3
"""Octets: what is larger is not fetched even when asked for, since it is held in memory once."""
CUTS = 5
"""Connections that a single pass may lose to messages larger than they were said to be."""
_CHANCE = random.Random()  # noqa: S311  # spreads retries; nothing secret


class Busy(Exception):
    """Another worker holds the account."""


class Trouble(Exception):
    """The account cannot be synced now; the text says why, as it stands on the account."""


def sync(
    account: Account,
    parsers: Parsers,
    *,
    thorough: bool = False,
    inbox_only: bool = False,
    seconds: float = float("inf"),
    news: Callable[[], bool] = lambda: False,
) -> bool:
    """One pass over an account, whatever happens in it; whether anything changed.

    ``seconds`` bounds how long it fetches, so that other accounts get their turn; ``news`` says whether the inbox has
    something new meanwhile.

    Raises Trouble after noting it on the account, hold.Lost, Busy.
    """
    claim = hold.take(account)
    if claim is None:
        raise Busy(account.address)
    # Put off before it begins: whatever happens in the pass, it is not begun again at once.
    Account.objects.filter(pk=account.pk).update(next_pass=now() + EVERY)
    try:
        visit = _visit(account, parsers, claim, thorough=thorough, inbox_only=inbox_only, seconds=seconds, news=news)
    except ProviderError as error:
        raise Trouble(_trouble(account, error)) from error
    except keys.CannotOpen as error:
        said = Words("keys", "The password can’t be read", str(error))
        raise Trouble(_note_trouble(account, Account.State.REFUSED, said)) from error
    finally:
        claim.release()
    return visit


def _visit(
    account: Account,
    parsers: Parsers,
    claim: hold.Hold,
    *,
    thorough: bool,
    inbox_only: bool,
    seconds: float,
    news: Callable[[], bool],
) -> bool:
    """Sign in and do the pass; again on a new connection when one message cost us the old one."""
    for _ in range(CUTS):
        mailbox = opening.mailbox(account)
        visit = Pass(account, mailbox, parsers, claim, seconds=seconds, news=news)
        try:
            changed = visit.inbox() if inbox_only else visit.run(thorough=thorough)
        except Cut:
            # The message is skipped by name now. What was pending still is.
            continue
        finally:
            opening.close(account, mailbox)
        _well(account, complete=not inbox_only, finished=visit.finished)
        return changed
    raise TryLater("The server broke off again and again.")


def fetch_large(account: Account, parsers: Parsers) -> int:
    """Bring in the messages that were too large to come by themselves: somebody asked. How many the server gave.

    Raises Trouble, hold.Lost, Busy.
    """
    claim = hold.take(account)
    if claim is None:
        raise Busy(account.address)
    try:
        mailbox = opening.mailbox(account)
        mailbox.take_up_to(LARGEST_OF_ALL)
        try:
            rows = Skipped.objects.filter(folder__account=account, reason=Skipped.Reason.LARGE).select_related("folder")
            wanted = [row for row in rows if row.generation == row.folder.generation]
            return sum(pull.fetch_large(row.folder, row.uid, mailbox, parsers, claim) for row in wanted)
        finally:
            opening.close(account, mailbox)
    except ProviderError as error:
        raise Trouble(str(words.incoming(error, opening.incoming(account)))) from error
    finally:
        claim.release()


def due(at: datetime) -> QuerySet[Account]:
    """Accounts whose next pass may begin, those that wait longest first."""
    waiting = Account.objects.exclude(state=Account.State.REFUSED).filter(Q(next_pass=None) | Q(next_pass__lte=at))
    return waiting.order_by(F("next_pass").asc(nulls_first=True), "pk")


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


def _well(account: Account, *, complete: bool, finished: bool) -> None:
    """The pass went through: troubles are over. Only times change where all was well before."""
    if not complete:
        return
    at = now()
    # What is left to fetch goes on at once, behind whoever waits already.
    times = {"synced_at": at, "next_pass": at + EVERY} if finished else {"next_pass": at}
    is_new = Account.objects.filter(pk=account.pk, state=Account.State.NEW).exists()
    state = Account.State.NEW if is_new and not finished else Account.State.OK
    ill = Account.objects.filter(pk=account.pk).exclude(state=state, trouble="")
    if ill.update(state=state, trouble="", said="", trouble_since=None, attempts=0, refusals=0, **times):
        _announce(account)
    else:
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
