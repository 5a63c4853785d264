"""How fast a mailbox comes in, beside mbsync and mu on the same Dovecot, in one run.

python -m bench.reading [COUNT] [PAIRS]

Peers, both from Debian: ``mbsync`` (isync) writes the mail as plain files, COMPRESS switched off because its default is
several times slower on loopback; ``mu index`` then makes them searchable. Ours stores, parses, threads, associates and
indexes. The ratio is their median time over ours; above 1 we are faster.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.letters import letters
from tests.servers.dovecot import Dovecot
from tests.servers.proxy import Proxy
from tests.servers.smtp import Sink

_PEAKS: list[float] = []
"""Megabytes of the largest of our processes, by run."""
ROOT = Path(__file__).parents[1]
AHEAD = 4
"""Times as fast as mbsync and mu index: what the issue asks for."""


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    for peer, package in (("mbsync", "isync"), ("mu", "maildir-utils")):
        if not shutil.which(peer):
            sys.exit(f"{peer} is the peer here: apt-get install {package}")
    with Dovecot() as dovecot, Sink() as sink:
        user = dovecot.new_user()
        for raw, when in letters(count):
            dovecot.deliver(user, [raw], when=when.timestamp())
        dovecot.uids(user)
        ours, theirs, files = [], [], []
        for _ in range(pairs):
            ours.append(_ours(dovecot.port, sink.port, user, count))
            mbsync, mu = _theirs(dovecot.port, user, count)
            theirs.append(mbsync + mu)
            files.append(mbsync)
        _say("loopback", count, ours, theirs, files)
        with Proxy(dovecot.host, dovecot.port, rtt=0.05) as far:
            near, beside = [], []
            for _ in range(pairs):
                near.append(_ours(far.port, sink.port, user, count))
                beside.append(_theirs(far.port, user, count, index=False)[0])
            print(f"over 50 ms: ours {_rate(count, near)}, mbsync alone {_rate(count, beside)}: {_ratio(beside, near)}")
    print(f"largest process of ours: {max(_PEAKS):.0f} MB")


def _say(where: str, count: int, ours: list[float], theirs: list[float], files: list[float]) -> None:
    print(f"{where}: ours {_rate(count, ours)}; mbsync + mu index {_rate(count, theirs)}: {_ratio(theirs, ours)}")
    print(f"{where}: mbsync alone, which only writes files, {_rate(count, files)}: {_ratio(files, ours)}")


def _rate(count: int, seconds: list[float]) -> str:
    middle = statistics.median(seconds)
    return f"{middle:.2f} s ({count / middle:,.0f}/s)"


def _ratio(theirs: list[float], ours: list[float]) -> str:
    return f"{statistics.median(theirs) / statistics.median(ours):.2f} times as fast"


def _ours(imap: int, smtp: int, user: str, count: int) -> float:
    with tempfile.TemporaryDirectory() as home:
        servers = ["--incoming", f"127.0.0.1:{imap}/none", "--outgoing", f"127.0.0.1:{smtp}/none"]
        fixed = ["--kind", "shared", "--type", "imap", "--sync-from", "all", "--folders", "all", "--username", user]
        _rapport(home, "account", "connect", "sales@rapport.test", "--password-stdin", *fixed, *servers)
        began = time.monotonic()
        process = subprocess.Popen(_command("sync", "--once", "--json"), env=_environment(home), stdout=subprocess.PIPE)
        told = process.stdout.read() if process.stdout else b""
        _, process.returncode, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        _PEAKS.append(used.ru_maxrss / 1024)
        if json.loads(told)[0]["emails"] != count:
            raise RuntimeError(told)
        return seconds


def _rapport(home: str, *words: str) -> None:
    subprocess.run(_command(*words), env=_environment(home), input="secret", text=True, check=True, capture_output=True)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "rapport.cli", *words]


def _environment(home: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "RAPPORT_HOME": home}


def _theirs(imap: int, user: str, count: int, *, index: bool = True) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as home:
        mail = Path(home) / "mail"
        mail.mkdir()
        config = Path(home) / "mbsyncrc"
        config.write_text(_MBSYNC.format(port=imap, user=user, mail=mail))
        began = time.monotonic()
        subprocess.run(["mbsync", "-c", str(config), "-q", "-a"], check=True, capture_output=True)
        fetched = time.monotonic() - began
        if len(list((mail / "INBOX" / "new").iterdir())) + len(list((mail / "INBOX" / "cur").iterdir())) != count:
            raise RuntimeError("mbsync did not fetch everything")
        return fetched, _mu(home, mail) if index else 0.0


def _mu(home: str, mail: Path) -> float:
    muhome = f"--muhome={home}/mu"
    subprocess.run(["mu", "init", muhome, f"--maildir={mail}"], check=True, capture_output=True)
    began = time.monotonic()
    subprocess.run(["mu", "index", muhome], check=True, capture_output=True)
    return time.monotonic() - began


_MBSYNC = """
IMAPAccount here
Host 127.0.0.1
Port {port}
User {user}
Pass secret
SSLType None
AuthMechs LOGIN
DisableExtension COMPRESS=DEFLATE

IMAPStore far
Account here

MaildirStore near
Path {mail}/
Inbox {mail}/INBOX

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
"""


if __name__ == "__main__":
    main()
