"""Finding emails by their words."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.connect import remove
from rapport.mail import index
from rapport.mail.models import Account, Message
from tests.world import a_folder, a_letter, an_account, arrives


def _subjects(words: str) -> list[str]:
    rows = {message.pk: message.subject for message in Message.objects.all()}
    return [rows[key] for key in index.find(words)]


@pytest.fixture
def mail(db: None) -> None:
    arrives(
        a_folder(an_account()),
        a_letter("Inês Carvalho <ines@lumen.test>", subject="Baffles", text="The board signed off."),
        a_letter("hendrik@brouwer.test", subject="Échos", text="It still echoes near the counter."),
    )


@pytest.mark.usefixtures("mail")
def test_words_of_the_text_the_subject_and_the_people() -> None:
    assert _subjects("board signed") == ["Baffles"]
    assert _subjects("BAFFLES") == ["Baffles"]
    assert _subjects("carvalho") == ["Baffles"]
    assert _subjects("lumen") == ["Baffles"]
    assert _subjects("ines@lumen.test") == ["Baffles"]
    assert _subjects("echos") == ["Échos"]
    assert _subjects("board counter") == []


@pytest.mark.usefixtures("mail")
def test_the_last_word_may_be_begun_only() -> None:
    assert _subjects("coun") == ["Échos"]
    assert _subjects("the board si") == ["Baffles"]


@pytest.mark.usefixtures("mail")
def test_the_newest_come_first() -> None:
    assert _subjects("the") == ["Échos", "Baffles"]


@pytest.mark.usefixtures("mail")
def test_what_is_deleted_is_found_no_more() -> None:
    remove.account(Account.objects.get())

    assert index.find("board") == []


@pytest.mark.usefixtures("mail")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.text(max_size=40))
def test_anything_may_be_typed(words: str) -> None:
    """R45: quotes, operators, wildcards and control characters are only what lies between words."""
    index.find(words)


@pytest.mark.parametrize(
    "words", ['"', "a AND (b", "NEAR(zebra", "head:x", "' OR 1=1 --", "*", "^", "-", "a:*b & !c", "\x00"]
)
@pytest.mark.usefixtures("mail")
def test_operators_are_not_obeyed(words: str) -> None:
    assert index.find(words) == []
