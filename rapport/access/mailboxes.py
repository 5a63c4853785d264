"""Which mailboxes and folders a person reads in."""

from uuid import UUID

from django.db.models import F, QuerySet
from django.http import Http404

from rapport.mail.models import Account, Folder, Skipped
from rapport.people.models import User


def accounts(user: User) -> QuerySet[Account]:
    """The shared accounts and the person's own (S5, S8), in the order they are shown."""
    return Account.objects.open_to(user).order_by("-kind", "connected_at", "pk")


def account(user: User, uuid: UUID) -> Account:
    """One of those."""
    return _one(accounts(user).filter(uuid=uuid))


def folders(user: User) -> QuerySet[Folder]:
    """The active folders of those accounts."""
    return Folder.objects.filter(account__in=Account.objects.open_to(user), active=True, gone_at=None)


def folder(user: User, uuid: UUID) -> Folder:
    """One of those."""
    found = folders(user).filter(uuid=uuid).select_related("account").first()
    if found is None:
        raise Http404
    return found


def readers(account: Account) -> int:
    """How many people read in this mailbox."""
    return User.objects.filter(is_active=True).count() if account.shared else 1


def skipped(user: User, account: Account) -> QuerySet[Skipped]:
    """What its server lists and is not here, with the reason: nothing is left out silently (D17)."""
    return Skipped.objects.filter(folder__in=folders(user), folder__account=account, generation=F("folder__generation"))


def may_connect_shared(user: User) -> bool:
    """Only an administrator connects a shared account (S7)."""
    return user.is_admin


def _one(found: QuerySet[Account]) -> Account:
    account = found.first()
    if account is None:
        raise Http404
    return account
