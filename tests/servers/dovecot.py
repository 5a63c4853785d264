r"""A private, real Dovecot on loopback: free ports, its own folder, gone without a trace afterwards.

    with Dovecot() as server:
        server.deliver("ana", [b"Subject: hello\r\n\r\n..."])
        ...server.port, server.tls_port, server.password("ana")

``storage`` is how it keeps mail: "maildir", "mdbox" (many messages a file) or "sdbox" (a file each, with an index).

Runs as root (mail belongs to ``nobody``) or as an ordinary user. Settings are written for 2.3 or 2.4, which renamed
most of them, by what ``dovecot --version`` says.
"""

import getpass
import grp
import imaplib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tests.servers.scripted import certificate

PROFILES = {
    "full": "",
    # What one large provider advertises: no CONDSTORE, no LIST-STATUS, no SPECIAL-USE.
    "exchange": "IMAP4 IMAP4rev1 SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
    "bare": "IMAP4rev1",
    "gmailish": "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID CHILDREN UIDPLUS ENABLE MOVE CONDSTORE ESEARCH"
    " LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE",
}
"""What is advertised. What is not advertised still works, so a test has to look that it is not used."""

SPECIAL = {"Drafts": "\\Drafts", "Sent": "\\Sent", "Trash": "\\Trash", "Junk": "\\Junk", "Archive": "\\Archive"}
STORAGES = {"maildir": "LAYOUT=fs", "mdbox": "", "sdbox": ""}
"""How mail is kept, and what ``mail_location`` says besides."""
LETTERS = {"S": "\\Seen", "F": "\\Flagged", "T": "\\Deleted", "R": "\\Answered", "D": "\\Draft"}
"""Flags as a Maildir spells them."""
START_SECONDS = 10.0
POOL = 1_000
"""People who are there from the start, for ``new_user``."""


class Dovecot:
    """One running server; everybody's password is ``secret`` until it is changed."""

    def __init__(
        self,
        profile: str = "full",
        *,
        users: Sequence[str] = ("ana", "ben"),
        cleartext: bool = True,
        failure_delay: int = 0,
        folder: Path | None = None,
        storage: str = "maildir",
    ) -> None:
        self.profile = profile
        self.storage = storage
        self.cleartext = cleartext
        self.failure_delay = failure_delay
        self.host = "127.0.0.1"
        self.port = 0
        self.tls_port = 0
        self._given = folder
        self._spare = [f"person{number}" for number in range(POOL, 0, -1)]
        self._passwords = dict.fromkeys([*users, *self._spare], "secret")
        self._process: subprocess.Popen[bytes] | None = None
        self._count = itertools.count(1)
        self._root = os.getuid() == 0
        self._owner = "nobody" if self._root else getpass.getuser()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Running it.

    def start(self) -> None:
        """Returns when it greets. Ports are free ones; somebody else may be faster, so it is tried three times."""
        if not shutil.which("dovecot"):
            raise RuntimeError("These tests start a real Dovecot: apt-get install dovecot-imapd")
        # Short, because sockets inside it may have 108 characters; open to the user that mail belongs to.
        self.folder = self._given or Path(tempfile.mkdtemp(prefix="dove-"))
        self.folder.chmod(0o755)
        self.certificate, self.key = certificate(self.folder / "tls", "localhost", "127.0.0.1")
        for _ in range(3):
            if self._try():
                return
        raise RuntimeError(f"Dovecot did not start:\n{self.log()}")

    def stop(self) -> None:
        """End it, and remove all of it."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What it wrote."""
        found = self.folder / "dovecot.log"
        return found.read_text(errors="replace") if found.exists() else ""

    def _try(self) -> bool:
        self.port, self.tls_port = _free_ports(2)
        for name in ("run", "mail"):
            (self.folder / name).mkdir(exist_ok=True)
        if self._root:
            shutil.chown(self.folder / "mail", self._owner)
        self._write_users()
        (self.folder / "dovecot.conf").write_text(self._settings())
        command = ["dovecot", "-F", "-c", str(self.folder / "dovecot.conf")]
        with (self.folder / "dovecot.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._greets():
                return True
            time.sleep(0.02)
        self._end()
        return False

    def _greets(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=2) as connected:
                return connected.recv(4) == b"* OK"
        except OSError:
            return False

    def _end(self) -> None:
        """All its processes at once: they are in a group of their own, and a polite stop takes a second."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    # People.

    def password(self, user: str) -> str:
        return self._passwords[user]

    def new_user(self) -> str:
        """Somebody nobody used yet, with an empty mailbox. At once, unlike ``set_password``."""
        return self._spare.pop()

    def set_password(self, user: str, password: str) -> None:
        """From now on; also adds a user. Connections that are open stay so. Takes up to a second:

        Dovecot looks at the file of passwords at most once a second.
        """
        self._passwords[user] = password
        self._write_users()
        time.sleep(1.05 - time.time() % 1)

    def _write_users(self) -> None:
        text = "".join(f"{user}:{{PLAIN}}{password}::::::\n" for user, password in self._passwords.items())
        fresh = self.folder / "users.new"
        fresh.write_text(text)
        fresh.replace(self.folder / "users")

    # Mail, behind the client's back.

    def deliver(
        self,
        user: str,
        messages: Iterable[bytes],
        folder: str = "INBOX",
        *,
        flags: str = "",
        when: float | None = None,
    ) -> None:
        """Raw messages straight into the Maildir, oldest first: tens of thousands a second. Elsewhere by APPEND.

        ``flags`` in Maildir letters (``S`` seen, ``F`` flagged, ``T`` deleted); ``when`` is the INTERNALDATE.
        """
        if self.storage != "maildir":
            self._append(user, messages, folder, flags=flags, when=time.time() if when is None else when)
            return
        root = self.maildir(user, folder)
        if not (root / "cur").exists():
            self.doveadm("mailbox", "create", "-u", user, folder) if folder != "INBOX" else self.uids(user)
        now = time.time() if when is None else when
        for raw in messages:
            name = f"{int(time.time())}.M{next(self._count):07}P{os.getpid()}.test,S={len(raw)}:2,{flags}"
            path = root / "tmp" / name
            path.write_bytes(raw)
            os.utime(path, (now, now))
            if self._root:
                os.chown(path, *self._ids())
            path.rename(root / "cur" / name)

    def _append(self, user: str, messages: Iterable[bytes], folder: str, *, flags: str, when: float) -> None:
        """As a client does, byte for byte: what lies in a dbox cannot be written from outside."""
        name = b'"' + folder.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'
        head = b"1 APPEND %s (%s) %s {%%d+}\r\n%%s\r\n" % (
            name,
            " ".join(LETTERS[letter] for letter in flags).encode(),
            imaplib.Time2Internaldate(when).encode(),
        )
        with socket.create_connection((self.host, self.port), timeout=60) as client, client.makefile("rb") as answers:
            self._say(client, answers, f"1 LOGIN {user} {self._passwords[user]}\r\n".encode())
            if folder != "INBOX":
                self._say(client, answers, b"1 CREATE %s\r\n" % name, demand=False)
            for raw in messages:
                self._say(client, answers, head % (len(raw), raw))

    def _say(self, client: socket.socket, answers: BinaryIO, command: bytes, *, demand: bool = True) -> None:
        client.sendall(command)
        while not (line := answers.readline()).startswith(b"1 "):
            if not line:
                raise RuntimeError("Dovecot hung up.")
        if demand and not line.startswith(b"1 OK"):
            raise RuntimeError(f"Dovecot refused: {line!r}")

    def maildir(self, user: str, folder: str = "INBOX") -> Path:
        """Where a folder's messages lie (LAYOUT=fs)."""
        top = self.folder / "mail" / user / self._place
        return top if folder == "INBOX" else top / folder

    def doveadm(self, *arguments: str) -> str:
        """What doveadm says; raises when it fails."""
        command = ["doveadm", "-c", str(self.folder / "dovecot.conf"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise RuntimeError(f"doveadm {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def truth(self, user: str, folder: str = "INBOX") -> dict[int, frozenset[str]]:
        """Every UID with its flags, as the server itself knows them."""
        text = self.doveadm("-f", "tab", "fetch", "-u", user, "uid flags", "mailbox", folder, "all")
        rows = [line.partition("\t") for line in text.splitlines()[1:]]
        return {int(uid): frozenset(flags.split()) - {"\\Recent"} for uid, _, flags in rows}

    def uids(self, user: str, folder: str = "INBOX") -> list[int]:
        return sorted(self.truth(user, folder))

    def flag(self, user: str, uid: int, flag: str, folder: str = "INBOX") -> None:
        """Add a flag."""
        self.doveadm("flags", "add", "-u", user, flag, "mailbox", folder, "uid", str(uid))

    def unflag(self, user: str, uid: int, flag: str, folder: str = "INBOX") -> None:
        """Take a flag away."""
        self.doveadm("flags", "remove", "-u", user, flag, "mailbox", folder, "uid", str(uid))

    def expunge(self, user: str, uids: Iterable[int], folder: str = "INBOX") -> None:
        self.doveadm("expunge", "-u", user, "mailbox", folder, "uid", ",".join(map(str, uids)))

    def create(self, user: str, folder: str) -> None:
        self.doveadm("mailbox", "create", "-u", user, folder)

    def set_uidvalidity(self, user: str, value: int, folder: str = "INBOX") -> None:
        self.doveadm("mailbox", "update", "-u", user, "--uid-validity", str(value), folder)

    def uidvalidity(self, user: str, folder: str = "INBOX") -> int:
        text = self.doveadm("-f", "tab", "mailbox", "status", "-u", user, "uidvalidity", folder)
        return int(text.split()[-1])

    # Settings.

    @property
    def _place(self) -> str:
        return "Maildir" if self.storage == "maildir" else self.storage

    def _ids(self) -> tuple[int, int]:
        entry = pwd.getpwnam(self._owner)
        return entry.pw_uid, entry.pw_gid

    def _settings(self) -> str:
        version = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True).stdout
        newer = tuple(int(part) for part in version.split()[0].split(".")[:2]) >= (2, 4)
        return "\n".join([*(self._renamed() if newer else self._classic()), *self._common()]) + "\n"

    def _classic(self) -> list[str]:
        """What only 2.3 understands."""
        uid, gid = self._ids()
        return [
            f"ssl_cert = <{self.certificate}",
            f"ssl_key = <{self.key}",
            f"disable_plaintext_auth = {'no' if self.cleartext else 'yes'}",
            "mail_location = " + ":".join(filter(None, [f"{self.storage}:~/{self._place}", STORAGES[self.storage]])),
            f"passdb {{\n  driver = passwd-file\n  args = username_format=%u {self.folder}/users\n}}",
            f"userdb {{\n  driver = static\n  args = uid={uid} gid={gid} home={self.folder}/mail/%u\n}}",
        ]

    def _renamed(self) -> list[str]:
        """The same for 2.4, which wants its versions first (doc.dovecot.org, upgrading from 2.3 to 2.4)."""
        uid, gid = self._ids()
        home = f"{self.folder}/mail/%{{user}}"
        return [
            "dovecot_config_version = 2.4.0",
            "dovecot_storage_version = 2.4.0",
            f"ssl_server_cert_file = {self.certificate}",
            f"ssl_server_key_file = {self.key}",
            f"auth_allow_cleartext = {'yes' if self.cleartext else 'no'}",
            f"mail_driver = {self.storage}",
            f"mail_path = ~/{self._place}",
            "mailbox_list_layout = fs",
            f"passdb passwd-file {{\n  passwd_file_path = {self.folder}/users\n}}",
            f"userdb static {{\n  fields {{\n    uid = {uid}\n    gid = {gid}\n    home = {home}\n  }}\n}}",
        ]

    def _common(self) -> list[str]:
        lines = [
            f"base_dir = {self.folder}/run",
            f"state_dir = {self.folder}/run",
            f"log_path = {self.folder}/dovecot.log",
            f"instance_name = test-{self.folder.name}",
            "protocols = imap",
            f"listen = {self.host}",
            "ssl = yes",
            "auth_mechanisms = plain login",
            f"auth_failure_delay = {self.failure_delay} secs",
            "mailbox_list_index = yes",
            "first_valid_uid = 1",
            "protocol imap {\n  mail_max_userip_connections = 100\n}",
            self._listeners(),
            # Sign-ins after failures are delayed by 2 to 16 s otherwise.
            f"service anvil {{\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n{self._unrooted()}}}",
            self._namespace(),
        ]
        if PROFILES[self.profile]:
            lines.append(f"imap_capability = {PROFILES[self.profile]}")
        return lines if self._root else [*lines, *self._ordinary()]

    def _listeners(self) -> str:
        return (
            "service imap-login {\n"
            f"  inet_listener imap {{\n    port = {self.port}\n  }}\n"
            f"  inet_listener imaps {{\n    port = {self.tls_port}\n    ssl = yes\n  }}\n"
            f"{self._unrooted()}}}"
        )

    def _unrooted(self) -> str:
        """Only root can change the root."""
        return "" if self._root else "  chroot =\n"

    def _ordinary(self) -> list[str]:
        group = grp.getgrgid(os.getgid()).gr_name
        return [
            f"default_internal_user = {self._owner}",
            f"default_internal_group = {group}",
            f"default_login_user = {self._owner}",
            "service stats {\n  chroot =\n}",
        ]

    def _namespace(self) -> str:
        marked = self.profile in ("full", "gmailish")
        boxes = [
            f"  mailbox {name} {{\n    auto = subscribe\n{f'    special_use = {use}' if marked else ''}\n  }}"
            for name, use in SPECIAL.items()
        ]
        return "namespace inbox {\n  inbox = yes\n  separator = /\n" + "\n".join(boxes) + "\n}"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports
