"""Adding an account, out of settings that passed the test."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from rapport.audit.models import note
from rapport.connect import keys, opening
from rapport.connect.models import AllowedHost, Secret, Tested
from rapport.connect.test import FoundFolder, Result, Settings, kept, period_start, try_out
from rapport.events.models import Event
from rapport.mail.models import Account, Folder
from rapport.people.models import User

COLORS = 6


class CannotConnect(Exception):
    """The account cannot be added; the text says why, for people."""


def from_tested(uuid: UUID, *, by: User, period: str, create_contacts: bool, folders: Collection[str]) -> Account:
    """The account that was tested, exactly as it was tested. Raises CannotConnect, connect.test.TooLate.

    ``folders`` are the wires of those to be active.
    """
    settings, password, found, _ = kept(by, uuid)
    account = account_from(
        settings, password, found, owner=by, period=period, create_contacts=create_contacts, folders=folders
    )
    note("account connected", f"{account.address} ({account.kind})", by=by.pk)
    Tested.objects.filter(uuid=uuid).delete()
    return account


def account_from(
    settings: Settings,
    password: str,
    found: Sequence[FoundFolder],
    *,
    owner: User | None,
    period: str,
    create_contacts: bool,
    folders: Collection[str],
) -> Account:
    """The account with its folders and its sealed password, all at once or not at all. Raises CannotConnect."""
    try:
        with transaction.atomic():
            account = _account(settings, owner, period, create_contacts=create_contacts)
            _seal(account, password)
            _folders(account, found, folders)
            Event.objects.create(kind=Event.Kind.ACCOUNT, account=account.pk, about=account.pk)
    except IntegrityError as error:
        raise CannotConnect(f"{settings.address} is already connected.") from error
    return account


def reconnect(account: Account, password: str) -> Result:
    """Bring an account back with a new password: both servers are tested first, and nothing changes when one refuses.

    It is the same account afterwards, with every message and every bookmark (S31, S33, S34).
    """
    settings = Settings(
        account.address, account.kind, account.username, opening.incoming(account), opening.outgoing(account)
    )
    result = try_out(settings, password, policy=opening.policy(account))
    if result.passed:
        with transaction.atomic():
            Secret.objects.update_or_create(
                account=account, defaults={"sealed": keys.seal(password, opening.place(account))}
            )
            state = Account.State.OK if account.synced_at else Account.State.NEW
            Account.objects.filter(pk=account.pk).update(
                state=state, trouble="", said="", trouble_since=None, attempts=0, refusals=0, next_pass=None
            )
            Event.objects.create(kind=Event.Kind.ACCOUNT, account=account.pk, about=account.pk)
    return result


def allow(account: Account, *targets: tuple[str, int]) -> None:
    """This account may reach these hosts though they are private or unusual: an administrator said so."""
    for host, port in targets:
        AllowedHost.objects.get_or_create(host=host.strip().rstrip(".").lower(), port=port, account=account)
        note("host allowed", f"{host}:{port} for {account.address}", by=None)


def _account(settings: Settings, owner: User | None, period: str, *, create_contacts: bool) -> Account:
    return Account.objects.create(
        address=settings.address.strip().lower(),
        kind=settings.kind,
        owner=owner,
        color=Account.objects.count() % COLORS + 1,
        username=settings.username,
        incoming_host=settings.incoming.host,
        incoming_port=settings.incoming.port,
        incoming_security=settings.incoming.security.value,
        incoming_pin=settings.incoming.pinned,
        outgoing_host=settings.outgoing.host,
        outgoing_port=settings.outgoing.port,
        outgoing_security=settings.outgoing.security.value,
        outgoing_pin=settings.outgoing.pinned,
        sync_from=period_start(period, now()),
        create_contacts=create_contacts,
    )


def _seal(account: Account, password: str) -> None:
    Secret.objects.create(account=account, sealed=keys.seal(password, opening.place(account)))


def _folders(account: Account, found: Sequence[FoundFolder], active: Collection[str]) -> None:
    Folder.objects.bulk_create(
        Folder(
            account=account,
            wire=folder.wire.encode("latin-1"),
            name=folder.name,
            delimiter=folder.delimiter,
            role=folder.role,
            active=folder.wire in active,
        )
        for folder in found
        if folder.selectable
    )
