"""The engine and the pages as they run: found by what arrives, stopped, killed, started again."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell, connecting
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Sink
from tests.world import a_letter


@pytest.fixture
def served(shell: Shell, dovecot: Dovecot, smtp: Sink) -> Iterator[tuple[Shell, str, "subprocess.Popen[str]", int]]:
    """A mailbox with one email, and both processes running."""
    user = dovecot.new_user()
    dovecot.deliver(user, [a_letter(subject="there before")])
    shell.run(*connecting(user, dovecot, smtp), stdin="secret")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = shell.start("serve", "--port", str(port), RAPPORT_URL=f"http://127.0.0.1:{port}")
    yield shell, user, process, port
    process.terminate()
    process.wait(20)
    if process.stderr:
        process.stderr.close()


def _within(seconds: float, happens: Callable[[], bool]) -> float:
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if happens():
            return time.monotonic() - began
        time.sleep(0.1)
    pytest.fail(f"It did not happen within {seconds} s.")


def _holds(shell: Shell, subject: str) -> bool:
    exported = shell.run("export", "sales@rapport.test", "--format", "jsonl").stdout
    return f'"subject": "{subject}"' in exported


def test_mail_arrives_by_itself_and_stopping_is_polite(
    served: tuple[Shell, str, "subprocess.Popen[str]", int], dovecot: Dovecot
) -> None:
    shell, user, process, port = served
    _within(20, lambda: _holds(shell, "there before"))
    time.sleep(1.5)  # IDLE is entered after the first pass

    dovecot.deliver(user, [a_letter(subject="just now")])

    # IDLE, not the poll of every minute. Reading it back by the command line takes most of this time.
    _within(10, lambda: _holds(shell, "just now"))
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in").status == 200  # loopback
    began = time.monotonic()
    process.terminate()
    assert process.wait(20) == 0
    assert time.monotonic() - began < 10
    assert not _children_of(shell.home)


def test_the_first_link_is_printed_while_nobody_is_here(
    served: tuple[Shell, str, "subprocess.Popen[str]", int],
) -> None:
    _, _, process, port = served
    assert process.stderr is not None

    words = [process.stderr.readline() for _ in range(2)]

    assert re.search(rf"http://127\.0\.0\.1:{port}/welcome/\S{{40,}}", "".join(words))


def test_a_killed_engine_comes_back_and_goes_on(
    served: tuple[Shell, str, "subprocess.Popen[str]", int], dovecot: Dovecot
) -> None:
    """What it held is free at once, because its process is known to be dead."""
    shell, user, _, _ = served
    _within(20, lambda: _holds(shell, "there before"))
    (engine,) = [pid for pid, words in _children_of(shell.home).items() if "worker" in words]

    os.kill(engine, signal.SIGKILL)
    dovecot.deliver(user, [a_letter(subject="while it was dead")])

    _within(20, lambda: _holds(shell, "while it was dead"))
    assert all(report["missing"] == 0 for report in shell.json("verify"))  # type: ignore[attr-defined]  # a list


def _children_of(home: Path) -> dict[int, list[str]]:
    """Processes that live in this home, and what they were called with."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and f"RAPPORT_HOME={home}".encode() in (entry / "environ").read_bytes():
                found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().split("\0")
    return found
