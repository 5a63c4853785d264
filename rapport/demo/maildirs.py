"""Maildirs are where the demo's mail lies: pymap's maildir backend, made to keep mail byte for byte.

pymap 0.36.7 parses a mail and writes it anew when it stores or fetches one, copies a mail without its contents, and
tells a summer date in winter time. What is replaced here is what a client would notice.
"""

import os
import tempfile
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from mailbox import MaildirMessage
from pathlib import Path
from typing import Any

from pymap.backend.maildir import Config, Login, MaildirBackend
from pymap.backend.maildir.flags import MaildirFlags
from pymap.backend.maildir.layout import DefaultLayout
from pymap.backend.maildir.mailbox import Maildir, MailboxData, MailboxSet, Message
from pymap.backend.maildir.uidlist import Record, UidList
from pymap.backend.maildir.users import PasswordsFile, UsersFile
from pymap.concurrent import Subsystem
from pymap.mime import MessageContent
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement, ObjectId
from pymap.parsing.specials.flag import Flag
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
    """The backend over the maildirs of a home that `settle` has made."""
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
    shelf = MailboxSet(Maildir(where, create=False), DefaultLayout(where, Maildir))
    inbox = await shelf.get_mailbox("INBOX")
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
    Message.load_content = _load_content  # type: ignore[method-assign]  # pymap has no seam here
    Message.from_maildir = _from_maildir  # type: ignore[method-assign,assignment]  # the same
    MailboxData.append = _append  # type: ignore[method-assign]  # the same
    MailboxData.copy = _copy  # type: ignore[method-assign]  # the same


async def _load_content(self: Message, requirement: FetchRequirement) -> Any:  # Any: pymap does not export the type
    """Read the file as it is; pymap would parse it and write it out again."""
    from_disk = not requirement.has_none(FetchRequirement.CONTENT) and self._key and self._maildir
    if not from_disk:
        return _loaded(self, requirement, None)
    try:
        raw = _file(self._maildir, self._key).read_bytes()
    except (KeyError, FileNotFoundError):
        return _loaded(self, requirement, None)
    return _loaded(self, requirement, MessageContent.parse(raw))
