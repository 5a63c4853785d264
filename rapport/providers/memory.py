"""A mail server made of dictionaries, for tests of the engine: the contract without a socket.

A ``Server`` is the truth, changed by the test; ``MemoryMailbox`` is a signed-in Provider on it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from rapport.providers import sweeping
from rapport.providers.contract import Bookmark, FolderState, Look, RemoteFolder, RemoteMessage, RemoteMeta, Role, Sweep
from rapport.providers.errors import ProviderError, Refused, StartOver
from rapport.providers.uids import UidSet


@dataclass
class StoredMessage:
    """A message on the server."""

    raw: bytes
    flags: frozenset[str]
    internal_date: datetime
    modseq: int


@dataclass
class StoredFolder:
    """A folder on the server."""

    role: Role = Role.NONE
    uidvalidity: int = 1
    uidnext: int = 1
    modseq: int = 1
    messages: dict[int, StoredMessage] = field(default_factory=dict)

    def state(self) -> FolderState:
        """Its numbers now."""
        return FolderState(len(self.messages), self.uidnext, self.uidvalidity, self.modseq)


class Server:
    """What is really there. Everything here is done behind the client's back."""

    def __init__(self) -> None:
        self.folders: dict[bytes, StoredFolder] = {b"INBOX": StoredFolder(Role.INBOX)}
        self.mod_sequences = True
        """Without them changed flags are only found by asking for them, as ``Sweep`` says."""
        self.states_in_list = True
        self.largest = 50_000_000
        """Octets of the largest message anybody takes."""
        self.calls: Counter[str] = Counter()
        """How often each method of a mailbox was called."""
        self.trouble: list[ProviderError] = []
        """Raised one by one, the first at the next call."""

    def sign_in(self) -> "MemoryMailbox":
        """A mailbox on this server."""
        return MemoryMailbox(self)

    def create(self, folder: bytes, role: Role = Role.NONE) -> None:
        """A new, empty folder."""
        self.folders[folder] = StoredFolder(role)

    def delete(self, folder: bytes) -> None:
        """Away with a folder and all in it."""
        del self.folders[folder]

    def append(
        self, raw: bytes, folder: bytes = b"INBOX", *, flags: frozenset[str] = frozenset(), when: datetime | None = None
    ) -> int:
        """A new message; its UID."""
        found = self.folders[folder]
        uid = found.uidnext
        found.uidnext += 1
        found.modseq += 1
        found.messages[uid] = StoredMessage(raw, flags, when or datetime.now(UTC), found.modseq)
        return uid

    def set_flags(self, uid: int, flags: frozenset[str], folder: bytes = b"INBOX") -> None:
        """All the flags a message has from now on."""
        found = self.folders[folder]
        found.modseq += 1
        found.messages[uid].flags = flags
        found.messages[uid].modseq = found.modseq

    def expunge(self, *uids: int, folder: bytes = b"INBOX") -> None:
        """Messages are gone."""
        found = self.folders[folder]
        found.modseq += 1
        for uid in uids:
            del found.messages[uid]

    def move(self, uid: int, source: bytes, target: bytes) -> int:
        """A message is in another folder; its UID there."""
        message = self.folders[source].messages[uid]
        self.expunge(uid, folder=source)
        return self.append(message.raw, target, flags=message.flags, when=message.internal_date)

    def rebuild(self, folder: bytes = b"INBOX", uidvalidity: int | None = None) -> None:
        """The folder has another UIDVALIDITY, and new UIDs from 1."""
        found = self.folders[folder]
        found.uidvalidity = found.uidvalidity + 1 if uidvalidity is None else uidvalidity
        found.messages = dict(enumerate(found.messages.values(), 1))
        found.uidnext = len(found.messages) + 1


class MemoryMailbox:
    """A Provider on a ``Server``."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.closed = False

    def folders(self) -> Sequence[RemoteFolder]:
        """Every folder with its state."""
        self._called("folders")
        return [
            RemoteFolder(wire, wire.decode(errors="replace"), "/", folder.role, selectable=True, state=state)
            for wire, folder in self.server.folders.items()
            for state in (self._state(folder) if self.server.states_in_list else None,)
        ]

    def states(self, folders: Iterable[bytes]) -> Mapping[bytes, FolderState]:
        """Of those that are there."""
        self._called("states")
        return {wire: self._state(self.server.folders[wire]) for wire in folders if wire in self.server.folders}

    def look(self, folder: bytes, bookmark: Bookmark | None, known: UidSet, sweep: Sweep | None = None) -> Look:
        """What changed since the bookmark."""
        found = self._open("look", folder)
        if bookmark and (not found.uidvalidity or bookmark.uidvalidity != found.uidvalidity):
            raise StartOver(f"{folder!r} was rebuilt on the server.")
        here = UidSet.of(found.messages)
        since = bookmark.modseq if bookmark and self.server.mod_sequences else 0
        due = sweeping.due(None if self.server.mod_sequences else sweep, known, datetime.now(UTC))
        changed = {uid: m.flags for uid, m in found.messages.items() if uid in due.uids and m.modseq > since}
        return Look(
            bookmark=Bookmark(found.uidvalidity, found.uidnext, self._state(found).modseq or 0),
            exists=len(found.messages),
            arrived=here - known,
            vanished=known - here if bookmark else UidSet(),
            flags=changed if bookmark else {},
            sweep=(sweep or Sweep()) if self.server.mod_sequences else due.sweep,
        )

    def since(self, folder: bytes, day: date) -> UidSet:
        """By INTERNALDATE."""
        found = self._open("since", folder)
        return UidSet.of(uid for uid, message in found.messages.items() if message.internal_date.date() >= day)

    def listed(self, folder: bytes) -> UidSet:
        """All UIDs."""
        return UidSet.of(self._open("listed", folder).messages)

    def metas(self, folder: bytes, uids: UidSet) -> Iterator[RemoteMeta]:
        """Of those that are there."""
        found = self._open("metas", folder)
        for uid, message in list(found.messages.items()):
            if uid in uids:
                yield RemoteMeta(uid, message.flags, message.internal_date, len(message.raw))

    def heads(self, folder: bytes, uids: UidSet) -> Iterator[tuple[int, bytes]]:
        """Of those that are there."""
        found = self._open("heads", folder)
        for uid, message in list(found.messages.items()):
            if uid in uids:
                lines = message.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
                yield uid, b"\r\n".join(line for line in lines if line.lower().startswith(b"message-id:")) + b"\r\n\r\n"

    def fetch(self, folder: bytes, uids: UidSet) -> Iterator[RemoteMessage]:
        """Of those that are there."""
        found = self._open("fetch", folder)
        for uid, message in list(found.messages.items()):
            if uid in uids and len(message.raw) > self.server.largest:
                self.close()
                raise Refused(f"Message {uid} is too large to be fetched.", uid=uid)
            if uid in uids:
                yield RemoteMessage(uid, message.raw)

    def close(self) -> None:
        """Sign out."""
        self.closed = True

    def _state(self, folder: StoredFolder) -> FolderState:
        return folder.state() if self.server.mod_sequences else replace(folder.state(), modseq=None)

    def _open(self, method: str, folder: bytes) -> StoredFolder:
        self._called(method)
        if folder not in self.server.folders:
            raise Refused(f"There is no folder {folder!r}.")
        return self.server.folders[folder]

    def _called(self, method: str) -> None:
        self.server.calls[method] += 1
        if self.server.trouble:
            raise self.server.trouble.pop(0)
