"""Which conversations, emails and files a person may read."""

from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404

from rapport.links.models import Link
from rapport.mail.models import Account, Attachment, Message, Thread
from rapport.people.models import User


def threads(user: User) -> QuerySet[Thread]:
    """Every conversation of the accounts they read in."""
    return Thread.objects.filter(account__in=Account.objects.open_to(user), joined_to=None)


def thread(user: User, uuid: UUID) -> Thread:
    """One of those; the address of a thread that was joined to another leads to that one."""
    found = Thread.objects.filter(uuid=uuid).select_related("joined_to").first()
    while found is not None and found.joined_to is not None:
        found = found.joined_to
    mine = found and threads(user).filter(pk=found.pk).select_related("account").first()
    if not mine:
        raise Http404
    return mine


def thread_messages(user: User, thread: Thread) -> QuerySet[Message]:
    """The thread's emails that lie in some folder, oldest first."""
    return messages(user).filter(thread=thread, gone_since=None).order_by("internal_date", "pk")


def messages(user: User) -> QuerySet[Message]:
    """Emails of their accounts, and of a colleague's personal one where a contact they may see is on it (S9)."""
    theirs = Q(account__in=Account.objects.open_to(user))
    on_record = Q(pk__in=Link.objects.filter(contact__isnull=False, contact__seen_by=None).values("message"))
    return Message.objects.filter(theirs | on_record)


def unreadable(user: User, account: Account) -> QuerySet[Message]:
    """Emails of one of their accounts that no parser could read, newest first: the raw bytes are here (D17)."""
    found = Message.objects.filter(account__in=Account.objects.open_to(user), reading=Message.Reading.UNREADABLE)
    return found.filter(account=account, gone_since=None).order_by("-internal_date", "-pk")


def message(user: User, uuid: UUID) -> Message:
    """One of those."""
    found = messages(user).filter(uuid=uuid).select_related("account", "account__owner").first()
    if found is None:
        raise Http404
    return found


def attachment(user: User, uuid: UUID) -> Attachment:
    """A file of an email they may read."""
    found = Attachment.objects.filter(uuid=uuid, message__in=messages(user)).select_related("message").first()
    if found is None:
        raise Http404
    return found
