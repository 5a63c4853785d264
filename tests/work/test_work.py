"""Due rows and the loop."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from rapport.work.loop import run_due
from rapport.work.models import Due, ask


@pytest.mark.django_db
def test_asking_twice_is_asking_once() -> None:
    done: list[int] = []
    ask("relink", 7)
    ask("relink", 7)

    assert run_due({"relink": done.append}) == 1
    assert done == [7]
    assert not Due.objects.exists()


@pytest.mark.django_db
def test_only_one_takes_it_and_the_claim_lapses() -> None:
    ask("relink", 7)
    one, other = Due.objects.get(), Due.objects.get()

    assert one.take()
    assert not other.take()
    assert not Due.objects.due().exists()
    assert Due.objects.due(now() + timedelta(minutes=10)).exists()


@pytest.mark.django_db
def test_what_fails_is_put_off_and_stops_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    def fails(about: int) -> None:
        if about == 1:
            raise ValueError("no")
        done.append(about)

    done: list[int] = []
    ask("relink", 1)
    ask("relink", 2)

    assert run_due({"relink": fails}) == 1
    assert done == [2]
    row = Due.objects.get()
    assert row.not_before > now()
    assert "no" in row.trouble


@pytest.mark.django_db
def test_asking_while_it_runs_has_it_run_again() -> None:
    done: list[int] = []

    def runs(about: int) -> None:
        done.append(about)
        if len(done) == 1:
            ask("relink", about)

    ask("relink", 7)
    while run_due({"relink": runs}):
        pass

    assert done == [7, 7]


@pytest.mark.django_db
def test_a_kind_nobody_does_waits() -> None:
    ask("erase", 7)

    assert run_due({"relink": print}) == 0
    assert Due.objects.exists()
