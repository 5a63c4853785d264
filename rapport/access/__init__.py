"""Access is the one door: who may see and do what.

What a person may not see does not exist for them: every function that finds one thing raises ``Http404`` (R3).
"""

from rapport.access.mailboxes import account, accounts, folder, folders, may_connect_shared, readers, skipped
from rapport.access.messages import attachment, message, messages, thread, thread_messages, threads, unreadable
from rapport.access.records import companies, company, contact, contacts, links, may_administer

__all__ = [
    "account",
    "accounts",
    "attachment",
    "companies",
    "company",
    "contact",
    "contacts",
    "folder",
    "folders",
    "links",
    "may_administer",
    "may_connect_shared",
    "message",
    "messages",
    "readers",
    "skipped",
    "thread",
    "thread_messages",
    "threads",
    "unreadable",
]
