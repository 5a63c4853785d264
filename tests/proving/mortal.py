"""A warm process whose children sync one account and die at a chosen step, for real: ``python -m tests.proving.mortal``.

It is told what to do by lines of JSON and answers by lines of JSON (see ``killing``). It never runs the engine itself
once it is warm, has one thread and no open database, so that a fork of it is a process that just started, in 10 ms.

The steps are what a crash can fall between: before and after a database commit, before and after octets go to the
server, after octets came from it, before and after a raw message is flushed or gets its name.
"""

import json
import os
import shutil
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import django
from django.conf import settings

django.setup()

from django.core.management import call_command  # noqa: E402  # models exist only after the line above
from django.db import connection, connections  # noqa: E402

from rapport.mail.models import Account  # noqa: E402
from rapport.mime.child import Parsers  # noqa: E402
from rapport.mime.message import ParsedMessage, Unreadable  # noqa: E402
from rapport.mime.parse import parse  # noqa: E402
from rapport.sync import plan, worker  # noqa: E402
from tests.proving.ordeal import connect  # noqa: E402
from tests.proving.state import State, state  # noqa: E402

PASSES = 2
"""How many a fresh process may take to make good what the dead one left."""


class HereParsers(Parsers):
    """Reads in this process: a child process for each of a thousand deaths would be most of the time."""

    def __init__(self) -> None:
        """Without children."""

    def parse_all(self, messages: Iterable[bytes]) -> Iterator[ParsedMessage | Unreadable]:
        """In order."""
        return map(parse, messages)


class Steps:
    """Counts the steps of this process, and ends it at one of them."""

    def __init__(self, fatal: int) -> None:
        self._fatal = fatal
        self._lock = threading.Lock()
        self.taken: list[str] = []

    def step(self, name: str) -> None:
        """One more; perhaps the last."""
        with self._lock:
            self.taken.append(name)
            if len(self.taken) == self._fatal:
                os.write(_WITNESS, json.dumps({"at": name}).encode() + b"\n")
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, act: Callable[..., Any], name: str) -> Callable[..., Any]:  # Any: handed on as it came
        """``act``, with a step before and one after it."""

        def stepping(*told: Any, **more: Any) -> Any:  # Any: as above
            self.step(f"before {name}")
            result = act(*told, **more)
            self.step(f"after {name}")
            return result

        return stepping

    def statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:  # Any: Django's own signature
        """A statement outside a transaction is a commit of its own."""
        if connection.in_atomic_block or sql.startswith(("SELECT", "PRAGMA")):
            return execute(sql, params, many, context)
        return self.around(execute, "a lone statement")(sql, params, many, context)


_WITNESS = -1


def main() -> None:
    """Do what each line says."""
    for line in sys.stdin:
        order = json.loads(line)
        answer = ORDERS[order.pop("do")](**order)
        print(json.dumps(answer), flush=True)  # noqa: T201  # what the test reads


# What the parent does.


def _prepare(name: str, host: str, port: int, user: str, password: str) -> dict[str, object]:
    """A home with a connected account that was never synced, and everything imported."""
    _enter(name)
    call_command("migrate", verbosity=0)
    connect(host, port, user, password)
    _copy(name, "warm-up")
    _enter("warm-up")
    worker.sync(Account.objects.get(), HereParsers())
    state()
    connection.close()
    assert threading.active_count() == 1, "a fork would lose the other threads"
    return {}


def _pass(base: str, name: str) -> dict[str, object]:
    """Passes without a fault from one home into another: how it ends, and in which steps."""
    _copy(base, name)
    return _forked(lambda: _undisturbed(name))


def _die(base: str, name: str, step: int, wanted: State) -> dict[str, object]:
    """A pass that is killed at a step; then a fresh process. Where it died, and in how many passes all was well."""
    _copy(base, name)
    witness = _forked(lambda: _mortal(name, step))
    healed = _forked(lambda: _healed(name, wanted))
    shutil.rmtree(_home(name))
    return witness | healed


def _forked(act: Callable[[], dict[str, object]]) -> dict[str, object]:
    """What a child process gives back, or had said before it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _child(act, writing)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or status == 0, f"the child failed: {status}"
    return {"killed": killed, **json.loads(said or "{}")}


def _child(act: Callable[[], dict[str, object]], writing: int) -> None:
    """Never returns."""
    global _WITNESS  # noqa: PLW0603  # the one thing a dying process can still say
    _WITNESS = writing
    try:
        os.write(writing, json.dumps(act()).encode())
    except BaseException:  # noqa: BLE001  # said on stderr, and the parent stops
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


# What children do.


def _undisturbed(name: str) -> dict[str, object]:
    steps = Steps(0)
    _sync(name, steps)
    _sync(name, Steps(0))
    return {"steps": steps.taken, "state": state()}


def _mortal(name: str, step: int) -> dict[str, object]:
    steps = Steps(step)
    _sync(name, steps)
    return {"at": "", "steps": steps.taken}


def _healed(name: str, wanted: State) -> dict[str, object]:
    for number in range(1, PASSES + 1):
        _sync(name, Steps(0))
        found = state()
        if found == wanted:
            return {"passes": number, "wrong": {}}
    return {"passes": 0, "wrong": {kind: [found[kind], wanted[kind]] for kind in wanted if found[kind] != wanted[kind]}}


def _sync(name: str, steps: Steps) -> None:
    """One pass, each of its steps counted."""
    _enter(name)
    with ExitStack() as patches:
        patch = mock.patch.object
        for target, attribute, word in (
            (type(connections["default"]), "_commit", "a commit"),
            (socket.socket, "sendall", "a command"),
            (os, "fsync", "a flush"),
            (Path, "rename", "a raw message's name"),
        ):
            patches.enter_context(patch(target, attribute, _bound(steps, target, attribute, word)))
        patches.enter_context(patch(socket.socket, "recv", _receiving(steps)))
        patches.enter_context(connection.execute_wrapper(steps.statement))
        # Small chunks: more commits to die at.
        patches.enter_context(patch(plan, "CHUNK", 16))
        patches.enter_context(patch(plan, "FIRST_CHUNK", 8))
        worker.sync(Account.objects.get(), HereParsers())
    connection.close()


def _bound(
    steps: Steps, target: object, attribute: str, word: str
) -> Callable[..., Any]:  # Any: a function of any kind
    return steps.around(getattr(target, attribute), word)


def _receiving(steps: Steps) -> Callable[..., bytes]:
    receive = socket.socket.recv

    def received(self: socket.socket, *told: int) -> bytes:
        data = receive(self, *told)
        steps.step("after an answer")
        return data

    return received


# Homes.


def _home(name: str) -> Path:
    return Path(settings.HOME) / name


def _enter(name: str) -> None:
    """From here on the database and the raw mail are those of this home."""
    connection.close()
    _home(name).mkdir(exist_ok=True)
    connection.settings_dict["NAME"] = str(_home(name) / "rapport.sqlite3")
    settings.BLOBS = _home(name) / "blobs"


def _copy(base: str, name: str) -> None:
    connection.close()
    shutil.rmtree(_home(name), ignore_errors=True)
    shutil.copytree(_home(base), _home(name))


ORDERS: dict[str, Callable[..., dict[str, object]]] = {"prepare": _prepare, "pass": _pass, "die": _die}

if __name__ == "__main__":
    main()
