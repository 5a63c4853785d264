"""IMAP, by our own small client: a protocol core without sockets, and thin blocking code around it."""

from rapport.providers.imap.idle import Idle
from rapport.providers.imap.mailbox import Mailbox
from rapport.providers.imap.opening import sign_in

__all__ = ["Idle", "Mailbox", "sign_in"]
