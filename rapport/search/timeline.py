"""A record's emails, newest first, each once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from rapport import access
from rapport.crm.models import Company, Contact
from rapport.links.models import Link
from rapport.mail.models import Message, Participant, Recipient
from rapport.people.models import User

PAGE = 50


@dataclass(frozen=True)
class Entry:
    """One email on a record's timeline."""

    message: Message
    """With its account, the account's owner and its thread."""
    mine: bool
    """In an account the viewer reads in: the entry leads to the conversation. Else it is shown here only (S9, S10)."""
    reason: str
    """Why it is on this record."""
    to: str
    """The first recipient's name or address."""

    @property
    def at(self) -> datetime:
        """Where it stands in time."""
        return self.message.internal_date


def of_contact(user: User, contact: Contact, *, limit: int = PAGE) -> Sequence[Entry]:
    """Emails associated with a contact that this person may read."""
    return _entries(user, Link.objects.filter(contact=contact), limit)


def of_company(user: User, company: Company, *, limit: int = PAGE) -> Sequence[Entry]:
    """Emails associated with a company that this person may read."""
    return _entries(user, Link.objects.filter(company=company), limit)


def count(user: User, *, contact: Contact | None = None, company: Company | None = None) -> int:
    """How many emails this person may read on a record; copies in several accounts count once (D12)."""
    links = Link.objects.filter(contact=contact) if contact else Link.objects.filter(company=company)
    return _visible(user, links).aggregate(n=Count(_SAME, distinct=True))["n"] or 0


_SAME = Coalesce(NullIf(F("message_id"), Value("")), F("sha256"))
"""What makes copies in several accounts one entry."""


def _visible(user: User, links: QuerySet[Link]) -> QuerySet[Message]:
    return access.messages(user).filter(pk__in=links.values("message"))


def _entries(user: User, links: QuerySet[Link], limit: int) -> list[Entry]:
    mine = set(access.accounts(user).values_list("pk", flat=True))
    # Copies of one email have nearly the same date, so a few more rows than wanted hold enough different ones.
    found = (
        _visible(user, links).select_related("account", "account__owner", "thread").order_by("-internal_date", "-pk")
    )
    once: dict[str, Message] = {}
    for message in found[: limit * 3]:
        key = message.message_id or message.sha256
        if key not in once or (message.account_id in mine and once[key].account_id not in mine):
            once[key] = message
    shown = list(once.values())[:limit]
    return [_entry(message, mine, *told) for message, told in zip(shown, _told(shown, links), strict=True)]


def _entry(message: Message, mine: set[int], reason: str, to: str) -> Entry:
    return Entry(message=message, mine=message.account_id in mine, reason=reason, to=to)


def _told(messages: Sequence[Message], links: QuerySet[Link]) -> list[tuple[str, str]]:
    """The reason and the first recipient of each."""
    keys = [message.pk for message in messages]
    reasons = {link.message_id: link.reason for link in links.filter(message__in=keys)}
    first: dict[int, str] = {}
    for person in Participant.objects.filter(message__in=keys, role=Recipient.TO).order_by("pk"):
        first.setdefault(person.message_id, person.name or person.address)
    return [(reasons.get(key, ""), first.get(key, "")) for key in keys]
