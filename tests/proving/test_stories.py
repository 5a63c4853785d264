"""Whatever happens, in whatever order: other clients, deaths, broken lines, a server that changes. In the end both agree.

After each pass nothing may be gone here that is still there; after the last both sides have the same (Q1, I1, I5, I8).
Counterexamples of the past, and of bugs planted on purpose, stand as examples of their own.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from rapport.mail.models import Account
from rapport.mime.child import Parsers
from rapport.sync import plan
from rapport.sync.hold import Hold
from tests.proving.ordeal import OnModel
from tests.servers.model import PROFILES, Model
from tests.world import NOON, a_letter

FOLDERS = (b"INBOX", b"Archive", b"Projects", b"Trash")
FLAGS = ((), ("\\Seen",), ("\\Flagged",), ("\\Seen", "$Label1"))
Step = tuple[str, int, int, int]
"""What, and three numbers that say which, where and how; any numbers make a story."""
STEPS = ("append", "append", "flag", "expunge", "move", "copy", "rebuild", "rename", "delete", "create", "profile")
PASSES = ("pass", "pass", "thorough", "short", "die", "drop", "meanwhile")

_number = st.integers(0, 7)
_step = st.tuples(st.sampled_from(STEPS), _number, _number, _number)
_pass = st.tuples(st.sampled_from(PASSES), _number, _number, _number)
stories = st.lists(st.one_of(_step, _step, _pass), min_size=2, max_size=24)


class Died(Exception):
    """The process ended here."""


class Teller:
    """Plays a story on a mailbox of its own."""

    def __init__(self, model: Model, parsers: Parsers) -> None:
        self.model = model
        self.ordeal = OnModel.connected(model, parsers)
        model.truth.create(b"Projects")
        for name in (b"Drafts", b"Sent", b"Junk"):
            # Few folders: more happens in each.
            model.truth.delete(name)

    def tell(self, story: list[Step]) -> None:
        """From the first step to the last."""
        for what, *numbers in story:
            self._play(what, *numbers)

    def _play(self, what: str, which: int, where: int, how: int) -> None:
        if what in PASSES:
            getattr(self, f"_{what}")(which, where, how)
        else:
            self._change(what, which, where, how)

    # Other clients.

    def _change(self, what: str, which: int, where: int, how: int) -> None:
        """One thing another client does; nothing where there is nothing to do it to."""
        truth, folder = self.model.truth, self._folder(where)
        uids = sorted(truth.box(folder).letters)
        uid = uids[which % len(uids)] if uids else 0
        flags = frozenset(FLAGS[how % len(FLAGS)])
        acts: dict[str, Callable[[], object]] = {
            "append": lambda: truth.append(_letter(which), folder, flags=flags, when=NOON + timedelta(hours=how)),
            "profile": lambda: self._become(how),
            "rebuild": lambda: truth.rebuild(folder),
            "create": lambda: self._create(which),
            "delete": lambda: self._delete(which),
            "rename": lambda: self._rename(which, how),
        }
        ours: dict[str, Callable[[], object]] = {
            "flag": lambda: truth.set_flags(uid, flags, folder),
            "expunge": lambda: truth.expunge(uid, folder=folder),
            "move": lambda: truth.move(uid, folder, self._folder(how)),
            "copy": lambda: self._copy(uid, folder, self._folder(how)),
        }
        if what in acts:
            acts[what]()
        elif uid:
            ours[what]()

    def _folder(self, number: int) -> bytes:
        names = [name for name in (*FOLDERS, b"Extra") if name in self.model.truth.boxes]
        return names[number % len(names)]

    def _copy(self, uid: int, source: bytes, target: bytes) -> None:
        letter = self.model.truth.box(source).letters[uid]
        self.model.truth.append(letter.raw, target, flags=letter.flags, when=letter.when)

    def _create(self, which: int) -> None:
        name = (b"Projects", b"Extra")[which % 2]
        if name not in self.model.truth.boxes:
            self.model.truth.create(name)

    def _delete(self, which: int) -> None:
        name = (b"Projects", b"Extra")[which % 2]
        if name in self.model.truth.boxes:
            self.model.truth.delete(name)

    def _rename(self, which: int, how: int) -> None:
        names = (b"Projects", b"Extra", b"Archive")
        old, new = names[which % 3], names[how % 3]
        if old in self.model.truth.boxes and new not in self.model.truth.boxes:
            self.model.truth.rename(old, new)

    def _become(self, how: int) -> None:
        self.model.capabilities = set(list(PROFILES.values())[how % len(PROFILES)].upper().split())

    # The engine.

    def _pass(self, which: int, where: int, how: int) -> None:
        self.ordeal.sync()

    def _thorough(self, which: int, where: int, how: int) -> None:
        self.ordeal.sync(thorough=True)

    def _short(self, which: int, where: int, how: int) -> None:
        """A pass whose time is up as soon as it begins to fetch."""
        self.ordeal.sync(seconds=0.0)

    def _die(self, which: int, where: int, how: int) -> None:
        """The process dies inside a commit, before it is through."""
        renew, left = Hold.renew, [which]

        def renewed(hold: Hold) -> None:
            renew(hold)
            left[0] -= 1
            if left[0] < 0:
                raise Died

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Hold, "renew", renewed)
            try:
                self.ordeal.sync()
            except Died:
                Account.objects.update(held_until=None)

    def _drop(self, which: int, where: int, how: int) -> None:
        """The line breaks at some command."""
        verb = ("LIST", "SELECT", "UID FETCH", "UID SEARCH")[which % 4]
        self.model.plan(("before", "after")[how % 2], verb, self.model.drop)
        self.ordeal.sync()

    def _meanwhile(self, which: int, where: int, how: int) -> None:
        """Something changes in the middle of a pass."""
        verb = ("LIST", "SELECT", "UID FETCH", "UID SEARCH")[which % 4]
        what = STEPS[(which + where + how) % (len(STEPS) - 1)]
        self.model.plan("after", verb, lambda: self._change(what, which, where, how))
        self.ordeal.sync()

    def end(self) -> None:
        """Everything stops, time passes, and the engine runs until it finds nothing to do."""
        self.model.forget_plans()
        self.ordeal.hours_pass(25)
        self.ordeal.quiesce(8)
        self.ordeal.assert_agrees()
        self.ordeal.assert_announced_once()
        assert not self.ordeal.sync(), "and then there is nothing to do"


@cache
def _letter(number: int) -> bytes:
    """Eight letters in three conversations."""
    answers = f"<story{number % 3}@world.test>" if number >= 3 else ""
    return a_letter(subject=f"letter {number}", message_id=f"<story{number}@world.test>", answers=answers)


def _told(story: list[Step], parsers: Parsers) -> None:
    """A story from beginning to end; then no row of it is left."""
    with transaction.atomic():
        with Model() as model, pytest.MonkeyPatch.context() as patch:
            patch.setattr(plan, "CHUNK", 3)
            patch.setattr(plan, "FIRST_CHUNK", 2)
            teller = Teller(model, parsers)
            teller.tell(story)
            teller.end()
        transaction.set_rollback(True)


_common = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    print_blob=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


RECOGNISED_ONLY_BY_ITS_BYTES: list[Step] = [
    *(("append", number % 4, 1, 0) for number in range(8)),
    ("pass", 0, 0, 0),
    ("rebuild", 0, 1, 0),
    ("short", 0, 0, 0),
]
"""What lay in a rebuilt folder stays until all of the folder is read again, also when that takes several passes."""


@settings(_common, max_examples=200, derandomize=True)
@given(story=stories)
@example(story=RECOGNISED_ONLY_BY_ITS_BYTES)
def test_whatever_happens(db: None, parsers: Parsers, story: list[Step]) -> None:
    _told(story, parsers)


@pytest.mark.long
@settings(_common, max_examples=1500)
@given(story=stories)
def test_whatever_happens_for_long(db: None, parsers: Parsers, story: list[Step]) -> None:
    _told(story, parsers)
