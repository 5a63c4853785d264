"""Mailboxes to sync: one made of dictionaries, one on a real Dovecot, both told the same things."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from rapport.mail.models import Account, Placement
from rapport.mime.child import Parsers
from rapport.net import Policy
from rapport.providers.contract import Endpoint, Login, Provider, Role, Security
from rapport.providers.imap import sign_in
from rapport.providers.memory import Server
from rapport.sync import hold
from rapport.sync.pull import Pass
from rapport.sync.verify import Report, verify
from tests.servers.dovecot import Dovecot
from tests.world import NOON, an_account


class Mailbox(ABC):
    """An account of ours and the mailbox it is connected to."""

    def __init__(self, account: Account, parsers: Parsers) -> None:
        self.account = account
        self.parsers = parsers

    @abstractmethod
    def sign_in(self) -> Provider:
        """A connection to its server."""

    @abstractmethod
    def deliver(self, raw: bytes, folder: str = "INBOX", *, when: datetime = NOON) -> None:
        """An email comes in behind our back."""

    @abstractmethod
    def flag(self, uid: int, flag: str) -> None:
        """Another client sets a flag in the inbox."""

    @abstractmethod
    def expunge(self, uid: int, folder: str = "INBOX") -> None:
        """Another client deletes an email."""

    @abstractmethod
    def make(self, folder: str) -> None:
        """Another client makes a folder."""

    @abstractmethod
    def rename(self, folder: str, name: str) -> None:
        """Another client renames one."""

    @abstractmethod
    def rebuild(self) -> None:
        """The inbox gets another UIDVALIDITY."""

    def sync(
        self, *, thorough: bool = True, seconds: float = float("inf"), news: Callable[[], bool] = lambda: False
    ) -> bool:
        """One pass; whether anything changed."""
        self.account.refresh_from_db()
        claim = hold.take(self.account)
        assert claim is not None
        mailbox = self.sign_in()
        try:
            visit = Pass(self.account, mailbox, self.parsers, claim, seconds=seconds, news=news)
            return visit.run(thorough=thorough)
        finally:
            mailbox.close()
            claim.release()

    def verify(self) -> list[Report]:
        mailbox = self.sign_in()
        try:
            return list(verify(Account.objects.get(pk=self.account.pk), mailbox))
        finally:
            mailbox.close()

    def subjects(self, folder: str = "INBOX") -> list[str]:
        """What is here, oldest first."""
        rows = Placement.objects.filter(folder__account=self.account, folder__name=folder).order_by("uid")
        return list(rows.values_list("message__subject", flat=True))


class InMemory(Mailbox):
    """On a server made of dictionaries."""

    def __init__(self, account: Account, parsers: Parsers) -> None:
        super().__init__(account, parsers)
        self.server = Server()
        for name, role in (("Sent", Role.SENT), ("Trash", Role.TRASH), ("Junk", Role.SPAM)):
            self.server.create(name.encode(), role)

    def sign_in(self) -> Provider:
        return self.server.sign_in()

    def deliver(self, raw: bytes, folder: str = "INBOX", *, when: datetime = NOON) -> None:
        self.server.append(raw, folder.encode(), when=when)

    def flag(self, uid: int, flag: str) -> None:
        held = self.server.folders[b"INBOX"].messages[uid]
        self.server.set_flags(uid, held.flags | {flag})

    def expunge(self, uid: int, folder: str = "INBOX") -> None:
        self.server.expunge(uid, folder=folder.encode())

    def make(self, folder: str) -> None:
        self.server.create(folder.encode())
        # As servers do: each folder's own moment.
        self.server.folders[folder.encode()].uidvalidity = 1000 + len(self.server.folders)

    def rename(self, folder: str, name: str) -> None:
        self.server.folders[name.encode()] = self.server.folders.pop(folder.encode())

    def rebuild(self) -> None:
        self.server.rebuild(b"INBOX")


class OnDovecot(Mailbox):
    """On a real Dovecot."""

    def __init__(self, account: Account, parsers: Parsers, dovecot: Dovecot) -> None:
        super().__init__(account, parsers)
        self.dovecot = dovecot
        self.user = dovecot.new_user()

    def sign_in(self) -> Provider:
        endpoint = Endpoint(self.dovecot.host, self.dovecot.port, Security.NONE)
        policy = Policy.allowing((self.dovecot.host, self.dovecot.port))
        return sign_in(endpoint, Login(self.user, "secret"), policy=policy)

    def deliver(self, raw: bytes, folder: str = "INBOX", *, when: datetime = NOON) -> None:
        self.dovecot.deliver(self.user, [raw], folder, when=when.timestamp())

    def flag(self, uid: int, flag: str) -> None:
        self.dovecot.flag(self.user, uid, flag)

    def expunge(self, uid: int, folder: str = "INBOX") -> None:
        self.dovecot.expunge(self.user, [uid], folder)

    def make(self, folder: str) -> None:
        self.dovecot.create(self.user, folder)

    def rename(self, folder: str, name: str) -> None:
        self.dovecot.doveadm("mailbox", "rename", "-u", self.user, folder, name)

    def rebuild(self) -> None:
        self.dovecot.set_uidvalidity(self.user, self.dovecot.uidvalidity(self.user) + 7)


@pytest.fixture(scope="session")
def parsers() -> Iterator[Parsers]:
    with Parsers(1) as children:
        yield children


@pytest.fixture(params=["memory", "dovecot"])
def mailbox(request: pytest.FixtureRequest, db: None, parsers: Parsers) -> Mailbox:
    if request.param == "memory":
        return InMemory(an_account(), parsers)
    return OnDovecot(an_account(), parsers, request.getfixturevalue("dovecot"))


@pytest.fixture
def in_memory(db: None, parsers: Parsers) -> InMemory:
    return InMemory(an_account(), parsers)
