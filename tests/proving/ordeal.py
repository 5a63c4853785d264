"""An account on the model server, and the truths every pass over it is held to.

A pass may fail only with worker.Trouble. Whether it fails or not: what it took out of a folder here has to be gone from
that folder there (I5, I10), what was one message stays the same row (I8), and it asks a bounded number of times (I14).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from django.db.models import DateTimeField

from rapport.blobs import keep
from rapport.connect import keys, opening
from rapport.connect.models import AllowedHost, Secret
from rapport.events.models import Event
from rapport.mail.models import Account, Folder, Listing, Message, Placement, Skipped, Thread
from rapport.mime.child import Parsers
from rapport.sync import worker
from tests.servers.model import Model
from tests.world import NOON, a_letter, an_account

MOST_COMMANDS = 250
"""More than that in one pass over these few folders is a loop."""
Lying = dict[int, tuple[str, tuple[str, ...]]]
"""UID to the hash of the bytes, and the flags."""


def connect(host: str, port: int, user: str, password: str = "secret", *, since: datetime | None = None) -> Account:
    """An account as a person connects it: its server, the port allowed, the password sealed."""
    account = an_account(incoming_host=host, incoming_port=port, username=user, sync_from=since, create_contacts=True)
    AllowedHost.objects.create(host=host, port=port, account=account)
    Secret.objects.create(account=account, sealed=keys.seal(password, opening.place(account)))
    return account


def reach(account: Account, port: int) -> None:
    """From now on the account's server is reached at another port."""
    Account.objects.filter(pk=account.pk).update(incoming_port=port)
    AllowedHost.objects.get_or_create(host=account.incoming_host, port=port, account=account)


@dataclass
class OnModel:
    """An account of ours, and the server it is on."""

    model: Model
    account: Account
    parsers: Parsers
    troubles: list[str] = field(default_factory=list)
    """What went wrong, in the engine's words, pass by pass."""
    rows: dict[str, int] = field(default_factory=dict)
    """The row each message had when it was first seen."""

    @classmethod
    def connected(cls, model: Model, parsers: Parsers, *, since: datetime | None = None) -> "OnModel":
        """With rows as a connected account has them."""
        return cls(model, connect(model.host, model.port, model.user, model.password, since=since), parsers)

    # What happens.

    def letters(self, folder: bytes, *subjects: str, flags: Iterable[str] = ()) -> list[int]:
        """Letters arrive; their UIDs."""
        return [
            self.model.truth.append(a_letter(subject=subject), folder, flags=frozenset(flags), when=NOON)
            for subject in subjects
        ]

    def populate(self) -> None:
        """A mailbox with a little of everything."""
        self.letters(b"INBOX", *(f"letter {number}" for number in range(8)))
        self.letters(b"INBOX", "read", "read too", flags=["\\Seen"])
        self.letters(b"INBOX", "starred", flags=["\\Seen", "\\Flagged", "$Label1"])
        self.letters(b"Archive", "old", "older", "oldest", flags=["\\Seen"])
        self.letters(b"Sent", "answer", flags=["\\Seen"])
        self.model.truth.create(b"Projects")
        twice = a_letter(subject="filed twice")
        self.model.truth.append(twice, b"INBOX", when=NOON)
        self.model.truth.append(twice, b"Projects", when=NOON)

    def change(self) -> None:
        """Other clients are busy: arrivals, flags, deletions of the oldest, a middle and the newest, a move."""
        truth, inbox = self.model.truth, self.model.truth.box(b"INBOX")
        uids = sorted(inbox.letters)
        truth.set_flags(uids[2], frozenset({"\\Seen", "\\Flagged"}))
        truth.set_flags(uids[9], frozenset())
        truth.move(uids[4], b"INBOX", b"Projects")
        truth.expunge(uids[1], uids[5], uids[-1])
        self.letters(b"INBOX", "new", "newer")
        truth.expunge(max(truth.box(b"Archive").letters), folder=b"Archive")

    def sync(self, *, thorough: bool = False, seconds: float = float("inf")) -> bool:
        """One pass; whether anything changed. Trouble is noted and counts as change: there is more to do."""
        before, asked = self._placed(), len(self.model.heard)
        try:
            account = Account.objects.get(pk=self.account.pk)
            changed = worker.sync(account, self.parsers, thorough=thorough, seconds=seconds)
        except worker.Trouble as error:
            self.troubles.append(str(error))
            changed = True
        said = Counter(verb for _, verb in self.model.heard[asked:])
        assert said.total() <= MOST_COMMANDS, f"a hot loop: {said}"
        self._hold(before)
        return changed

    def quiesce(self, passes: int = 6, *, thorough: bool = False) -> int:
        """Pass after pass until one finds nothing to do; how many that were."""
        for number in range(1, passes + 1):
            if not self.sync(thorough=thorough):
                return number
        return passes

    def hours_pass(self, hours: int) -> None:
        """What the engine remembers of folders is that much older."""
        moments = [one.attname for one in Folder._meta.concrete_fields if isinstance(one, DateTimeField)]
        for folder in Folder.objects.filter(account=self.account):
            for name in moments:
                if getattr(folder, name):
                    setattr(folder, name, getattr(folder, name) - timedelta(hours=hours))
            folder.save(update_fields=moments)

    # What has to be true.

    def assert_agrees(
        self, skipped: Mapping[tuple[str, int], str] | None = None, perhaps: Mapping[tuple[str, int], str] | None = None
    ) -> None:
        """Both sides have the same messages in the same places with the same flags, but for those ``skipped`` by name.

        Those of ``perhaps`` are either skipped by name or here.
        """
        sure = dict(skipped or {})
        folders = self._folders()
        named = {
            (row.folder.name, row.uid): row.reason for row in self._skipped() if not _left_alone(row.folder, row.uid)
        }
        assert sure.items() <= named.items(), f"not here and not named: {sure.items() - named.items()}"
        assert named.items() <= {**sure, **(perhaps or {})}.items(), f"named as skipped: {named}"
        for folder in folders:
            here = self.here(folder)
            there = {
                uid: lying
                for uid, lying in self.truth(bytes(folder.wire)).items()
                if (folder.name, uid) not in named and (uid in here or not _left_alone(folder, uid))
            }
            missing, extra = sorted(there.items() - here.items()), sorted(here.items() - there.items())
            assert missing == [], f"{folder.name} lacks"
            assert extra == [], f"{folder.name} has more"
        self._assert_whole()

    def truth(self, wire: bytes) -> Lying:
        """What lies in a folder on the server."""
        letters = self.model.truth.box(wire).letters
        return {uid: (sha256(one.raw).hexdigest(), tuple(sorted(one.flags))) for uid, one in letters.items()}

    def here(self, folder: Folder) -> Lying:
        """What lies in a folder here."""
        rows = Placement.objects.filter(folder=folder, generation=folder.generation).select_related("message")
        return {row.uid: (row.message.sha256, tuple(row.flags)) for row in rows}

    def _skipped(self) -> Iterable[Skipped]:
        rows = Skipped.objects.filter(folder__account=self.account).select_related("folder")
        return [row for row in rows if row.generation == row.folder.generation]

    def _folders(self) -> list[Folder]:
        rows = Folder.objects.filter(account=self.account, gone_at=None)
        there = set(self.model.truth.boxes)
        followed = [row for row in rows if (row.active or row.observed) and bytes(row.wire) in there]
        assert {bytes(row.wire) for row in followed} == there, "a folder is missing"
        return followed

    def _assert_whole(self) -> None:
        """Nothing is left over: no older generation, no message without a place, no list that counts otherwise."""
        lying = Placement.objects.filter(folder__account=self.account, folder__gone_at=None)
        assert not [row for row in lying.select_related("folder") if row.generation != row.folder.generation]
        placed = {row.message_id for row in lying}
        assert {row.pk for row in Message.objects.filter(gone_since=None)} == placed
        assert not Folder.objects.filter(gone_at=None).exclude(pending="").exists()
        for listing in Listing.objects.filter(folder__gone_at=None).select_related("folder"):
            found = lying.filter(folder=listing.folder, message__thread=listing.thread)
            assert listing.count == found.values("message").distinct().count()
        for digest in Message.objects.values_list("sha256", flat=True):
            assert keep.get(digest)

    def assert_announced_once(self) -> None:
        """I13: a message is news at most once."""
        joined = dict(Thread.objects.values_list("pk", "joined_to"))
        news = Counter(joined.get(about) or about for about in self._news())
        sizes = Counter(Message.objects.values_list("thread", flat=True))
        assert [thread for thread, count in news.items() if count > sizes[thread]] == []

    def _news(self) -> Iterable[int]:
        return Event.objects.filter(arrived=True).values_list("about", flat=True)

    # What is watched at every pass.

    def _placed(self) -> set[tuple[bytes, str]]:
        """What people can see, and where."""
        rows = Placement.objects.filter(folder__account=self.account, folder__gone_at=None)
        return {(bytes(wire), digest) for wire, digest in rows.values_list("folder__wire", "message__sha256")}

    def _hold(self, before: set[tuple[bytes, str]]) -> None:
        for wire, digest in before - self._placed():
            box = self.model.truth.boxes.get(wire)
            there = {sha256(letter.raw).hexdigest() for letter in box.letters.values()} if box else set()
            assert digest not in there, f"taken out of {wire!r} here, while it is still there"
        for digest, key in Message.objects.values_list("sha256", "pk"):
            assert self.rows.setdefault(digest, key) == key, "a message became another row"
        assert set(self.rows) == set(Message.objects.values_list("sha256", flat=True)), "a message was lost"


def _left_alone(folder: Folder, uid: int) -> bool:
    """What lay in trash or spam before us may stay there (S22)."""
    return folder.observed and uid < folder.floor
