"""The test's side of ``mortal``: homes that are synced, and processes that are killed in the middle of it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.proving.state import State
from tests.servers.model import Model

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Undisturbed:
    """A pass that nothing happened to."""

    steps: list[str]
    """What it did, step by step."""
    state: State


@dataclass(frozen=True)
class Death:
    """One process killed, and the one after it."""

    step: int
    at: str
    """What it was about to do or had just done; empty when it ended before that step came."""
    passes: int
    """How many passes it took to make good; 0: it was not made good."""
    wrong: dict[str, Any]  # Any: found and wanted rows, by kind; only printed
    """What differs, by kind: found, wanted."""


class Mortals:
    """A warm process to fork from, with a home for every state a mailbox can be in."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proving.mortal"],
            cwd=CHECKOUT,
            env={**os.environ, "RAPPORT_HOME": str(home), "DJANGO_SETTINGS_MODULE": "rapport.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def connect(self, home: str, model: Model) -> None:
        """A home whose account is connected to this server and was never synced."""
        self._ask(do="prepare", name=home, host=model.host, port=model.port, user=model.user, password=model.password)

    def sync(self, base: str, into: str) -> Undisturbed:
        """Passes on a copy of a home, until all is well."""
        told = self._ask(do="pass", base=base, name=into)
        return Undisturbed(told["steps"], told["state"])

    def kill(self, base: str, step: int, wanted: State) -> Death:
        """A pass on a copy of a home, killed at a step; then fresh processes until its state is the wanted one."""
        told = self._ask(do="die", base=base, name="dying", step=step, wanted=wanted)
        assert bool(told["at"]) == bool(told["at"] and step), "it died without having been killed"
        return Death(step, told["at"], told["passes"], told["wrong"])

    def _ask(self, **order: object) -> dict[str, Any]:  # Any: JSON
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the warm process ended; what it said is on stderr"
        return dict(json.loads(answer))
