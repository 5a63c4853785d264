"""Pages for when something is not there, was refused, or broke."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from rapport.people.models import User
from rapport.web import errors


@pytest.mark.django_db
def test_what_is_not_there_says_so_inside_the_shell(client: Client, ben: User) -> None:
    client.force_login(ben)

    answer = client.get("/nowhere")

    assert answer.status_code == 404
    assert "This page isn’t here" in answer.content.decode()
    assert "Main" in answer.content.decode()


@pytest.mark.django_db
def test_a_stranger_gets_the_bare_page(client: Client) -> None:
    answer = client.get("/nowhere")

    assert answer.status_code == 404
    assert "<nav" not in answer.content.decode()


def test_a_failure_is_shown_without_the_database(rf: RequestFactory) -> None:
    answer = errors.failed(rf.get("/"))

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


def test_the_number_on_the_page_is_in_the_log(rf: RequestFactory, caplog: pytest.LogCaptureFixture) -> None:
    page = errors.failed(rf.get("/")).content.decode()

    assert caplog.messages[-1].rsplit(" ", 1)[-1] in page


def test_a_form_from_elsewhere_is_refused_with_the_next_step(rf: RequestFactory) -> None:
    answer: Any = errors.not_from_here(rf.post("/sign-in"), reason="CSRF cookie not set.")

    assert answer.status_code == 403
    assert "reload the page" in answer.content.decode()
    assert "cookie not set" not in answer.content.decode()
