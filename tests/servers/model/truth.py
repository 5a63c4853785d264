"""What is really on the server: folders and letters, changed by clients or by a test behind their backs."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

SPECIAL = {b"Drafts": "\\Drafts", b"Sent": "\\Sent", b"Trash": "\\Trash", b"Junk": "\\Junk", b"Archive": "\\Archive"}
FIRST_VALIDITY = 1_700_000_001


class NoSuchFolder(KeyError):
    """There is no folder of this name."""


@dataclass
class Letter:
    """One message in one folder."""

    raw: bytes
    flags: frozenset[str]
    when: datetime
    """INTERNALDATE."""
    modseq: int


@dataclass
class Box:
    """A folder. Every change moves ``modseq``, and what is gone is remembered with the one it went at (RFC 7162)."""

    uidvalidity: int
    use: str = ""
    """Its special use (RFC 6154), with the backslash."""
    uidnext: int = 1
    modseq: int = 1
    letters: dict[int, Letter] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)
    """UID to mod-sequence."""

    def append(self, raw: bytes, flags: frozenset[str], when: datetime) -> int:
        """A new message; its UID."""
        uid = self.uidnext
        self.uidnext += 1
        self.modseq += 1
        self.letters[uid] = Letter(raw, flags, when, self.modseq)
        return uid

    def set_flags(self, uid: int, flags: frozenset[str]) -> None:
        """All the flags a message has from now on."""
        if self.letters[uid].flags != flags:
            self.modseq += 1
            self.letters[uid].flags, self.letters[uid].modseq = flags, self.modseq

    def expunge(self, uids: Iterator[int] | list[int]) -> None:
        """Messages are gone for good."""
        self.modseq += 1
        for uid in list(uids):
            del self.letters[uid]
            self.gone[uid] = self.modseq


class Truth:
    """The folders of one person. Every method but ``locked`` takes the lock itself."""

    def __init__(self) -> None:
        self.boxes: dict[bytes, Box] = {}
        self.lock = threading.RLock()
        self.delimiter = b"/"
        self._validity = FIRST_VALIDITY
        self._listeners: set[socket.socket] = set()
        for name, use in {b"INBOX": "", **SPECIAL}.items():
            self.create(name, use)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold everything still, and tell whoever listens afterwards."""
        with self.lock:
            yield
            for listener in self._listeners:
                with suppress(OSError):
                    listener.send(b"!")

    @contextmanager
    def listening(self) -> Iterator[socket.socket]:
        """A socket that becomes readable whenever something changed."""
        near, far = socket.socketpair()
        far.setblocking(False)
        with self.lock:
            self._listeners.add(far)
        try:
            yield near
        finally:
            with self.lock:
                self._listeners.discard(far)
            near.close()
            far.close()

    def box(self, folder: bytes) -> Box:
        """A folder; INBOX in any case. Raises NoSuchFolder."""
        name = b"INBOX" if folder.upper() == b"INBOX" else folder
        if name not in self.boxes:
            raise NoSuchFolder(folder)
        return self.boxes[name]

    def create(self, folder: bytes, use: str = "") -> None:
        """A new, empty folder, with a UIDVALIDITY that was never used."""
        with self.changing():
            self._validity += 1
            self.boxes[folder] = Box(self._validity, use)

    def delete(self, folder: bytes) -> None:
        """Away with a folder and all in it."""
        with self.changing():
            self.box(folder)
            del self.boxes[folder]

    def rename(self, folder: bytes, to: bytes) -> None:
        """A folder and all below it have another name. INBOX only loses its messages to it (RFC 9051, 6.3.6)."""
        with self.changing():
            if folder.upper() == b"INBOX":
                self.create(to)
                for letter in self.box(folder).letters.values():
                    self.box(to).append(letter.raw, letter.flags, letter.when)
                self.box(folder).expunge(list(self.box(folder).letters))
                return
            below = folder + self.delimiter
            names = {name: to + name[len(folder) :] for name in self.boxes if name == folder or name.startswith(below)}
            if folder not in names:
                raise NoSuchFolder(folder)
            self.boxes = {names.get(name, name): box for name, box in self.boxes.items()}

    def append(
        self, raw: bytes, folder: bytes = b"INBOX", *, flags: frozenset[str] = frozenset(), when: datetime | None = None
    ) -> int:
        """A new message; its UID."""
        with self.changing():
            return self.box(folder).append(raw, flags, when or datetime.now(UTC).replace(microsecond=0))

    def set_flags(self, uid: int, flags: frozenset[str], folder: bytes = b"INBOX") -> None:
        """All the flags a message has from now on."""
        with self.changing():
            self.box(folder).set_flags(uid, flags)

    def expunge(self, *uids: int, folder: bytes = b"INBOX") -> None:
        """Messages are gone."""
        with self.changing():
            self.box(folder).expunge(list(uids))

    def move(self, uid: int, source: bytes, target: bytes) -> int:
        """A message is in another folder; its UID there."""
        with self.changing():
            letter = self.box(source).letters[uid]
            self.box(source).expunge([uid])
            return self.box(target).append(letter.raw, letter.flags, letter.when)

    def rebuild(self, folder: bytes = b"INBOX", uidvalidity: int | None = None) -> None:
        """The folder has another UIDVALIDITY, and new UIDs from 1."""
        with self.changing():
            self._validity += 1
            old = self.box(folder)
            fresh = Box(self._validity if uidvalidity is None else uidvalidity, old.use)
            for letter in old.letters.values():
                fresh.append(letter.raw, letter.flags, letter.when)
            self.boxes[b"INBOX" if folder.upper() == b"INBOX" else folder] = fresh
