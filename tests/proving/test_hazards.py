"""The engine against every bad habit a server can have (the list of sync hazards, C), one at a time.

The same ordeal for each: a first sync under the habit, which then ends; later it begins again, while other clients are
busy, and ends again. While it lasts the engine may see less or refuse to go on, but takes nothing away that is there;
whenever it ends, both sides agree.
"""

import pytest

from rapport.mail.models import Skipped
from tests.proving.ordeal import OnModel
from tests.servers.model import Quirk

AGREES = "agrees while it lasts"
SLOW = "agrees within the hour while it lasts"
LATE = "agrees once it ends"
BLOCKED = "says Trouble while it lasts"
GHOST = "names the one message it cannot have"
LARGE = "names the one message as too large"

EXPECTED = dict.fromkeys(Quirk, AGREES) | {
    Quirk.VALIDITY_MISSING: SLOW,
    Quirk.VALIDITY_ZERO: SLOW,
    Quirk.VALIDITY_EACH_CONNECTION: SLOW,
    Quirk.FETCH_NEVER_GIVES: GHOST,
    Quirk.GHOST_REFUSED: GHOST,
    Quirk.GHOST_SILENT: GHOST,
    Quirk.GHOST_EMPTY: GHOST,
    Quirk.STATUS_STALE: LATE,
    Quirk.LIST_EMPTY: LATE,
    Quirk.LIST_PARTIAL: LATE,
    Quirk.LIST_REFUSED: BLOCKED,
    Quirk.LITERAL_SHORT: BLOCKED,
    Quirk.LITERAL_LONG: BLOCKED,
    Quirk.LITERAL_HUGE: LARGE,
    Quirk.QUOTE_OPEN: BLOCKED,
    Quirk.BYE_MID_FETCH: BLOCKED,
    Quirk.BYE_TOKEN: BLOCKED,
    Quirk.GREETING_BYE: BLOCKED,
    Quirk.THROTTLED: BLOCKED,
    Quirk.TOO_MANY: BLOCKED,
    Quirk.AUTH_UNAVAILABLE: BLOCKED,
    Quirk.NOT_CONNECTED: BLOCKED,
}


@pytest.mark.parametrize("quirk", Quirk, ids=lambda quirk: f"{quirk.hazard} {quirk.name.lower()}")
def test_a_server_with_a_bad_habit(ordeal: OnModel, quirk: Quirk) -> None:
    ordeal.populate()
    expected = EXPECTED[quirk]
    ghosts = dict[tuple[str, int], str]()

    for again in (False, True):
        if again:
            ordeal.change()
        ordeal.model.quirks.add(quirk)
        ordeal.quiesce()
        ghosts |= _left_out(ordeal, expected)
        _assert_while_it_lasts(ordeal, expected, ghosts)
        ordeal.sync()

        ordeal.model.quirks.clear()
        # Long enough for whatever was put off because of it.
        ordeal.hours_pass(25)
        ordeal.quiesce(thorough=True)
        ordeal.assert_agrees(perhaps=ghosts)
        ordeal.assert_announced_once()
        ordeal.troubles.clear()


def _assert_while_it_lasts(ordeal: OnModel, expected: str, ghosts: dict[tuple[str, int], str]) -> None:
    if expected == BLOCKED:
        assert ordeal.troubles, "the engine saw nothing wrong"
        ordeal.account.refresh_from_db()
        assert ordeal.account.state != "refused", "only a refused sign-in disables (D7)"
    else:
        assert ordeal.troubles == []
    if expected == SLOW:
        ordeal.hours_pass(1)
        ordeal.quiesce()
    if expected in (AGREES, SLOW, GHOST, LARGE):
        ordeal.assert_agrees(_left_out(ordeal, expected), ghosts)


def _left_out(ordeal: OnModel, expected: str) -> dict[tuple[str, int], str]:
    """What the engine cannot have, and what it says of it."""
    ghost = max(ordeal.model.truth.box(b"INBOX").letters)
    reasons = {GHOST: Skipped.Reason.NOT_GIVEN.value, LARGE: Skipped.Reason.LARGE.value}
    return {("INBOX", ghost): reasons[expected]} if expected in reasons else {}
