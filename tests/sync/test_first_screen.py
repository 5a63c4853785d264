"""How little is asked before the first screen of mail is there."""

import pytest

from rapport.providers.imap import Mailbox as Imap
from rapport.sync import hold, intake, plan
from rapport.sync.pull import Pass
from tests.sync.conftest import Mailbox
from tests.world import a_letter


class Seen(Exception):
    """The first emails were stored."""


@pytest.mark.parametrize("mailbox", ["dovecot"], indirect=True)
def test_the_first_fifty_come_within_twelve_round_trips(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(60):
        mailbox.deliver(a_letter(subject=str(number)))
    stored: list[int] = []

    def store(_folder: object, arrived: list[object], *_rest: object) -> None:
        stored.append(len(arrived))
        raise Seen

    monkeypatch.setattr(intake, "store", store)
    claim = hold.take(mailbox.account)
    assert claim is not None
    signed_in = mailbox.sign_in()
    assert isinstance(signed_in, Imap)
    before = signed_in.session.wire.waits

    with pytest.raises(Seen):
        Pass(mailbox.account, signed_in, mailbox.parsers, claim).run()

    assert stored == [plan.FIRST_CHUNK]
    assert signed_in.session.wire.waits - before <= 12
    signed_in.close()
