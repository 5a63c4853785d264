"""Maildirs are where the demo's mail lies: pymap's maildir backend, made to keep mail byte for byte.

pymap 0.36.7 parses a mail and writes it anew when it stores or fetches one, copies a mail without its contents, and
tells a summer's date in winter time. What is replaced here is what a client would notice.
"""

import asyncio
import os
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from mailbox import MaildirMessage
from pathlib import Path
from typing import Any, cast

import pymap.backend.maildir as pymap_maildir
import pymap.backend.maildir.mailbox as pymap_mailbox
from pymap.backend.maildir import Config, Login, MaildirBackend
from pymap.backend.maildir.layout import DefaultLayout
from pymap.backend.maildir.mailbox import MailboxData, MailboxSet, Maildir, Message
from pymap.backend.maildir.uidlist import Record, UidList
from pymap.backend.maildir.users import PasswordsFile, UsersFile
from pymap.concurrent import Subsystem
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import ObjectId
from pysasl.hashing import BuiltinHash

from rapport.demo.firm import FOLDERS, MAILBOXES, PASSWORD, Letter

_KEYWORDS = ("$Forwarded", "$MDNSent", "$Junk", "$NotJunk")


class InOneLoop(Config):
    """pymap's settings, for one event loop instead of a thread for every waiting IDLE."""

    @classmethod
    def parse_args(cls, args: Namespace) -> Mapping[str, Any]:  # Any: pymap's own signature
        settings = {"base_dir": args.base_dir, "layout": "++", "colon": None}
        return {**settings, "subsystem": Subsystem.for_asyncio(), "hash_context": BuiltinHash(rounds=1000)}


def backend(home: Path) -> tuple[MaildirBackend, Config]:
    """The backend over the maildirs that `write` has made."""
    args = Namespace(
        base_dir=str(home / "mail"),
        host="127.0.0.1",
        port=0,
        debug=False,
        cert=None,
        key=None,
        tls=False,
        proxy_protocol=None,
        passlib_cfg=None,
    )
    config = InOneLoop.from_args(args)
    return MaildirBackend(Login(config), config), config


def path(home: Path, mailbox: str) -> Path:
    """Where a mailbox lies."""
    return home / "mail" / mailbox


async def deliver(home: Path, mailbox: str, raw: bytes, when: datetime) -> None:
    """Put a mail into a mailbox's INBOX, where a client that is waiting hears of it."""
    where = str(path(home, mailbox))
    folders = MailboxSet(Files(where, create=False), DefaultLayout(where, Files))
    inbox = await folders.get_mailbox("INBOX")
    await inbox.append(AppendMessage(raw, when))


# The first start


def write(mail: Path, letters: Iterable[Letter]) -> None:
    """Write users, folders and letters into an empty directory, oldest letter first."""
    mail.mkdir(parents=True)
    _write_users(mail)
    for mailbox in MAILBOXES:
        for folder in FOLDERS:
            _make_folder(_folder(mail, mailbox, folder))
    ordered = sorted(letters, key=lambda letter: (letter.mailbox, letter.folder))
    for (mailbox, name), found in groupby(ordered, key=lambda letter: (letter.mailbox, letter.folder)):
        _write_folder(_folder(mail, mailbox, name), found)


def _write_users(mail: Path) -> None:
    users, passwords = UsersFile(str(mail)), PasswordsFile(str(mail))
    hashing = BuiltinHash(rounds=1000)  # the password is printed in the manual: slow hashing would only cost time
    for mailbox in MAILBOXES:
        users.set(users.build_record(mailbox, mailbox))
        passwords.set(passwords.build_record(mailbox, hashing.hash(PASSWORD)))
    users.file_write()
    passwords.file_write()


def _folder(mail: Path, mailbox: str, name: str) -> Path:
    return mail / mailbox if name == "INBOX" else mail / mailbox / f".{name}"


def _make_folder(folder: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True)
    (folder / "maildirfolder").touch()
    words = (f"{number} {word}" for number, word in enumerate(_KEYWORDS))
    (folder / "dovecot-keywords").write_text("\n".join(words) + "\n")


def _write_folder(folder: Path, letters: Iterable[Letter]) -> None:
    uids = UidList.get_default(str(folder))
    for uid, letter in enumerate(sorted(letters, key=lambda letter: letter.internal_date), 1):
        stamp = letter.internal_date.timestamp()
        name = f"{int(stamp)}.{uid}.alderfinch:{_info(letter.flags)}"
        _write_file(folder / "cur" / name, letter.raw, stamp)
        fields = {"E": str(ObjectId.random_email_id()), "T": str(ObjectId.random_thread_id())}
        uids.set(Record(uid, fields, name))
        uids.next_uid = uid + 1
    uids.file_write()


def _write_file(file: Path, raw: bytes, stamp: float) -> None:
    file.write_bytes(raw)
    os.utime(file, (stamp, stamp))


def _info(flags: Iterable[str]) -> str:
    letters = {"\\Draft": "D", "\\Flagged": "F", "\\Answered": "R", "\\Seen": "S"}
    return "2," + "".join(sorted(letters[flag] for flag in flags))


# What pymap does otherwise


def correct(home: Path) -> None:
    """Replace the habits of pymap's that would change a mail, and keep its work inside the home."""
    work = home / "tmp"
    work.mkdir(exist_ok=True)
    tempfile.tempdir = str(work)  # pymap renames from there, which does not cross file systems
    for lock in home.glob("mail/**/*.lock"):  # left behind by a start that was killed
        lock.unlink()
    os.environ["TZ"] = "UTC"  # pymap tells every date in today's offset: in UTC there is only one
    time.tzset()
    _write_whole_lines()
    # pymap looks its classes up by these names, and has no other seam.
    vars(pymap_maildir)["Maildir"] = Files
    vars(pymap_mailbox)["MailboxData"] = Folder


class AsWritten(MaildirMessage):
    """A mail as its file says, not as the email package would write it."""

    def __init__(self, raw: bytes) -> None:
        super().__init__()
        self._raw = raw

    def __bytes__(self) -> bytes:
        return self._raw


class Files(Maildir):
    """A maildir that gives back what was put in."""

    def get_message(self, key: str) -> AsWritten:
        """The mail's bytes, untouched."""
        return AsWritten(self.file(key).read_bytes())

    def file(self, key: str) -> Path:
        """Where a mail lies."""
        return Path(self._join(self._lookup(key)))

    def keep(self, raw: bytes, info: str, stamp: float) -> str:
        """Put a mail in, and say under which name it can be found."""
        key = f"{time.time_ns()}.{os.getpid()}.alderfinch"
        draft = Path(self._join(f"tmp/{key}"))
        _write_file(draft, raw, stamp)
        draft.rename(self._join(f"cur/{key}:{info}"))
        self._update(key, f"cur/{key}:{info}")
        return key


class Folder(MailboxData):
    """A folder that stores and copies mail byte for byte."""

    async def append(self, append_msg: AppendMessage, *, recent: bool = False) -> Message:  # pymap asks for it
        """Put a mail in, as it came."""
        when = append_msg.when or datetime.now(UTC)
        info = "2," + "".join(sorted(self.maildir_flags.to_maildir(append_msg.flag_set)))
        fields = {"E": str(ObjectId.random_email_id()), "T": str(ObjectId.random_thread_id())}
        uid = await self.keep(bytes(append_msg.literal), info, when.timestamp(), fields)
        record, metadata = await self._get_maildir_msg(uid)
        ids = (self._get_object_id(record, "E"), self._get_object_id(record, "T"))
        return Message.from_maildir(uid, metadata, self._maildir, record.key, *ids, self.maildir_flags)

    async def copy(self, uid: int, destination: MailboxData, *, recent: bool = False) -> int | None:  # as above
        """Copy a mail with everything in it; pymap would copy an empty one."""
        try:
            record, metadata = await self._get_maildir_msg(uid)
            raw = self._files.file(record.key).read_bytes()
        except (KeyError, FileNotFoundError):
            return None
        info, fields = metadata.get_info() or "2,", dict(record.fields)
        return await _ours(destination).keep(raw, info, metadata.get_date(), fields)

    async def keep(self, raw: bytes, info: str, stamp: float, fields: dict[str, str]) -> int:
        """Put a mail in, and say which UID it got."""
        async with self.messages_lock.write_lock():
            key = self._files.keep(raw, info, stamp)
        async with UidList.with_write(self._path) as uids:
            uid = uids.next_uid
            uids.next_uid += 1
            uids.set(Record(uid, fields, f"{key}:{info}"))
        return uid

    @property
    def _files(self) -> Files:
        return cast("Files", self._maildir)


def _ours(folder: MailboxData) -> Folder:
    return cast("Folder", folder)


def _write_whole_lines() -> None:
    """Send a response in one piece: pymap writes it in several, and a waiting client may take the first for all."""
    stream = asyncio.StreamWriter
    write_now, drain, close = stream.write, stream.drain, stream.close

    def flush(self: asyncio.StreamWriter) -> None:
        held = self.__dict__.pop("_held", None)
        if held:
            write_now(self, bytes(held))

    def hold(self: asyncio.StreamWriter, data: bytes | bytearray | memoryview) -> None:
        self.__dict__.setdefault("_held", bytearray()).extend(data)

    async def flush_and_drain(self: asyncio.StreamWriter) -> None:
        flush(self)
        await drain(self)

    def flush_and_close(self: asyncio.StreamWriter) -> None:
        flush(self)
        close(self)

    # The stream is made deep inside asyncio: the class is the only place to reach it.
    for name, replacement in {"write": hold, "drain": flush_and_drain, "close": flush_and_close}.items():
        setattr(stream, name, replacement)
