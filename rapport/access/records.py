"""Which contacts and companies a person may see, and what an email is about as far as they may know."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404

from rapport.crm.models import Company, Contact
from rapport.links.models import Link
from rapport.mail.models import Thread
from rapport.people.models import User


def contacts(user: User) -> QuerySet[Contact]:
    """Everybody's, and those the machine made out of their own personal mail (D9)."""
    return Contact.objects.filter(Q(seen_by=None) | Q(seen_by=user))


def contact(user: User, uuid: UUID) -> Contact:
    """One of those."""
    found = contacts(user).filter(uuid=uuid).select_related("company", "owner", "seen_by").first()
    if found is None:
        raise Http404
    return found


def companies(user: User) -> QuerySet[Company]:  # noqa: ARG001  # roles will decide here (S38)
    """All companies."""
    return Company.objects.all()


def company(user: User, uuid: UUID) -> Company:
    """One of those."""
    found = companies(user).filter(uuid=uuid).select_related("owner").first()
    if found is None:
        raise Http404
    return found


def links(user: User, thread: Thread) -> QuerySet[Link]:
    """Why this conversation is on which records, as far as they may see the records."""
    seen = Q(contact=None) | Q(contact__seen_by=None) | Q(contact__seen_by=user)
    return (
        Link.objects.filter(seen, thread=thread, message__gone_since=None)
        .select_related("contact", "contact__company", "company")
        .order_by("made_at", "pk")
    )


def may_administer(user: User) -> bool:
    """May do what only administrators do."""
    return user.is_admin
