"""Opening an account: its servers, its secret, and a signed-in mailbox."""

from django.db.models import Q

from rapport.connect import keys
from rapport.connect.models import AllowedHost, Secret
from rapport.mail.models import Account
from rapport.net import Policy
from rapport.providers import imap
from rapport.providers.contract import Endpoint, Login, Pace, Security


def policy(account: Account | None = None) -> Policy:
    """Where a page, or this account, may connect beyond the public mail ports."""
    rows = AllowedHost.objects.filter(Q(account=None) | Q(account=account) if account else Q(account=None))
    return Policy.allowing(*rows.values_list("host", "port"))


_PACES: dict[str, Pace] = {}
"""How fast each host was last time: what the next connection decides by whether compressing pays."""


def mailbox(account: Account) -> imap.Mailbox:
    """The account's mailbox, signed in. Raises providers.errors and keys.CannotOpen."""
    pace = _PACES.get(account.incoming_host)
    return imap.sign_in(incoming(account), login(account), policy=policy(account), pace=pace)


def close(account: Account, mailbox: imap.Mailbox) -> None:
    """Sign out, and remember how fast the server was."""
    _PACES[account.incoming_host] = mailbox.pace
    mailbox.close()


def idle(account: Account, folder: bytes) -> imap.Idle:
    """A connection that says when something changes in a folder. Raises as ``mailbox`` does."""
    return imap.sign_in(incoming(account), login(account), policy=policy(account)).idle(folder)


def incoming(account: Account) -> Endpoint:
    """Where its mail is read."""
    security = Security(account.incoming_security)
    return Endpoint(account.incoming_host, account.incoming_port, security, account.incoming_pin)


def outgoing(account: Account) -> Endpoint:
    """Where its mail is sent."""
    security = Security(account.outgoing_security)
    return Endpoint(account.outgoing_host, account.outgoing_port, security, account.outgoing_pin)


def login(account: Account) -> Login:
    """Who signs in. Raises keys.CannotOpen."""
    secret = Secret.objects.get(account=account)
    return Login(account.username or account.address, keys.unseal(bytes(secret.sealed), place(account)))


def place(account: Account) -> str:
    """Where an account's password stands, as its seal knows it."""
    return f"connect_secret:{account.pk}:sealed"
