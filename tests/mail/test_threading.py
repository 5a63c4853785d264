"""Which emails belong together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.mail import threading
from rapport.mail.models import Listing, Message, Thread
from rapport.mail.threading import digests, group
from tests.world import a_folder, a_letter, an_account, arrives


def _same(*messages: Message) -> bool:
    return len(set(Message.objects.filter(pk__in=[m.pk for m in messages]).values_list("thread", flat=True))) == 1


def test_an_answer_joins_what_it_answers(db: None) -> None:
    question, answer = arrives(
        a_folder(an_account()),
        a_letter(message_id="<q@world.test>"),
        a_letter(answers="<q@world.test>"),
    )

    assert _same(question, answer)


def test_equal_subjects_alone_never_merge(db: None) -> None:
    """D13."""
    one, other = arrives(a_folder(an_account()), a_letter(subject="Invoice"), a_letter(subject="Re: Invoice"))

    assert not _same(one, other)


def test_a_late_parent_joins_its_children(db: None) -> None:
    """Newest first: the answers are here before the question; the old address leads to the one thread."""
    inbox = a_folder(an_account())
    (second,) = arrives(inbox, a_letter(answers="<b@world.test>", message_id="<c@world.test>"))
    (first,) = arrives(inbox, a_letter(message_id="<a@world.test>"))
    assert not _same(first, second)
    before = Message.objects.get(pk=first.pk).thread

    (parent,) = arrives(inbox, a_letter(answers="<a@world.test>", message_id="<b@world.test>"))

    assert _same(first, second, parent)
    kept = Message.objects.get(pk=first.pk).thread
    emptied = Thread.objects.exclude(pk=kept.pk).get()
    assert emptied.joined_to == kept
    assert Listing.objects.get().count == 3
    assert before in (kept, emptied)


def test_threads_of_two_accounts_never_meet(ana: object, db: None) -> None:
    """A forged header reaches into no other mailbox (R6)."""
    (ours,) = arrives(a_folder(an_account()), a_letter(message_id="<q@world.test>"))
    (theirs,) = arrives(a_folder(an_account("info@rapport.test")), a_letter(answers="<q@world.test>"))

    assert not _same(ours, theirs)


def test_no_id_never_equals_no_id() -> None:
    assert digests("", ["", "<>", " "]) == ()
    assert len(group([(), ()], {})) == 2


def test_a_forged_list_of_references_ties_no_knot() -> None:
    many = digests("<own@x>", [f"<{number}@x>" for number in range(10_000)])

    assert len(many) == threading.MOST_REFERENCES + 1


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=3), max_size=8), st.randoms())
def test_the_order_of_arrival_does_not_matter(batch: list[list[str]], chance: object) -> None:
    """Q10: any order of the same emails makes the same groups."""
    order = list(range(len(batch)))
    chance.shuffle(order)  # type: ignore[attr-defined]  # hypothesis hands out random.Random

    straight = {frozenset(one.members) for one in group(batch, {})}
    shuffled = {frozenset(order[m] for m in one.members) for one in group([batch[n] for n in order], {})}

    assert straight == shuffled


@pytest.mark.parametrize("size", [1, 2, 5])
def test_any_split_into_batches_makes_the_same_threads(db: None, size: int) -> None:
    letters = [
        a_letter(message_id="<1@w.test>"),
        a_letter(message_id="<2@w.test>", answers="<1@w.test>"),
        a_letter(message_id="<3@w.test>", answers="<9@w.test>"),
        a_letter(message_id="<4@w.test>", answers="<2@w.test>"),
        a_letter(message_id="<9@w.test>", answers="<4@w.test>"),
    ]
    inbox = a_folder(an_account())

    messages = [m for start in range(0, 5, size) for m in arrives(inbox, *letters[start : start + size])]

    assert _same(*messages)
