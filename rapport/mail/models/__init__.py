"""The rows of mail, each in its own file."""

from rapport.mail.models.account import Account
from rapport.mail.models.folder import Folder
from rapport.mail.models.message import Attachment, Body, Message, Participant, Recipient
from rapport.mail.models.placement import Placement, Skipped
from rapport.mail.models.thread import KnownId, Listing, Thread

__all__ = [
    "Account",
    "Attachment",
    "Body",
    "Folder",
    "KnownId",
    "Listing",
    "Message",
    "Participant",
    "Placement",
    "Recipient",
    "Skipped",
    "Thread",
]
