"""SIGKILL at every step of a pass: a fresh process ends where one that was never killed would have (Q5, I1, I2, I13).

``bin/test`` kills at a seeded sample of the steps, ``bin/check`` at every one of them.
"""

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.proving.killing import Death, Mortals, Undisturbed
from tests.servers.model import Model
from tests.world import NOON, a_letter

SAMPLE = 25
"""Deaths of each kind of pass in the fast run."""
SEED = 20261120


@dataclass
class Theatre:
    """A server with a mailbox, and homes before and after what happens there."""

    mortals: Mortals
    occasions: dict[str, tuple[str, Undisturbed]]
    """Each kind of pass: the home it begins with, and how it ends when nobody dies."""

    def play(self, occasion: str, steps: Iterator[int] | list[int] | range) -> list[Death]:
        """Kill at each of these steps."""
        base, undisturbed = self.occasions[occasion]
        return [self.mortals.kill(base, step, undisturbed.state) for step in steps]


def _populate(model: Model) -> None:
    """60 letters in 4 folders: threads whose parent comes late, copies, flags."""
    for number in range(30):
        answers = f"<root{number % 5}@world.test>" if number % 2 else ""
        name = f"<root{number // 6}@world.test>" if number % 6 == 5 else f"<first{number}@world.test>"
        sender = f"Person {number % 7} <person{number % 7}@lumen.test>"
        raw = a_letter(sender, subject=f"letter {number}", answers=answers, message_id=name)
        model.truth.append(raw, b"INBOX", flags=frozenset({"\\Seen"} if number % 3 else ()), when=NOON)
        if number % 3 == 0:
            model.truth.append(raw, b"Archive", when=NOON)
    model.truth.create(b"Projects")
    for number in range(10):
        model.truth.append(a_letter(subject=f"sent {number}"), b"Sent", flags=frozenset({"\\Seen"}), when=NOON)
        model.truth.append(a_letter(subject=f"project {number}"), b"Projects", when=NOON)


def _change(model: Model) -> None:
    """Arrivals, flags, deletions, moves, and a folder rebuilt."""
    truth = model.truth
    for uid in (1, 4, 7):
        truth.set_flags(uid, frozenset({"\\Seen", "\\Flagged"}))
    truth.expunge(2, 3, 30)
    for uid in (10, 11):
        truth.move(uid, b"INBOX", b"Projects")
    for number in range(12):
        truth.append(a_letter(subject=f"new {number}", answers=f"<first{number}@world.test>"), b"INBOX", when=NOON)
    truth.rebuild(b"Sent")


@pytest.fixture(scope="module")
def theatre() -> Iterator[Theatre]:
    shared = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
    place = tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None)
    with place as home, Model() as model, Mortals(Path(home)) as mortals:
        _populate(model)
        mortals.connect("new", model)
        first = mortals.sync("new", "synced")
        with Model() as changed:
            _populate(changed)
            mortals.connect("moved", changed)
            mortals.sync("moved", "settled")
            _change(changed)
            later = mortals.sync("settled", "caught-up")
            yield Theatre(mortals, {"a first sync": ("new", first), "a pass after changes": ("settled", later)})


@pytest.mark.parametrize("occasion", ["a first sync", "a pass after changes"])
def test_killed_at_some_steps(theatre: Theatre, occasion: str) -> None:
    steps = range(1, len(theatre.occasions[occasion][1].steps) + 1)

    deaths = theatre.play(occasion, sorted(random.Random(SEED).sample(steps, SAMPLE)))

    _assert_healed(deaths)
    assert sum(bool(death.at) for death in deaths) >= SAMPLE - 3, "threads change the count a little, not much"


@pytest.mark.long
@pytest.mark.parametrize("occasion", ["a first sync", "a pass after changes"])
def test_killed_at_every_step(theatre: Theatre, occasion: str, capsys: pytest.CaptureFixture[str]) -> None:
    count = len(theatre.occasions[occasion][1].steps)

    deaths = theatre.play(occasion, range(1, count + 1))

    _assert_healed(deaths)
    told = ", ".join(f"{number} {name}" for name, number in sorted(Counter(death.at for death in deaths).items()))
    killed = sum(bool(death.at) for death in deaths)
    with capsys.disabled():
        sys.stderr.write(f"\n{occasion}: {count} steps, killed {killed} times ({told})\n")


def _assert_healed(deaths: list[Death]) -> None:
    wrong = {f"{death.step}: {death.at}": death.wrong for death in deaths if not death.passes}
    assert wrong == {}
