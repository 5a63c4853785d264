"""Signing in and out."""

import pytest
from django.test import Client
from pytest_django import Settings

from rapport.people.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(client: Client, address: str, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    answer = client.post("/sign-in", {"address": address, "password": password, **more})
    return answer.status_code, answer.headers.get("Location", "")


def test_every_page_leads_a_stranger_to_the_door(client: Client) -> None:
    answer = client.get("/contacts/")

    assert answer.headers["Location"] == "/sign-in?next=/contacts/"


def test_an_address_and_its_password_open(client: Client, ben: User) -> None:
    assert sign_in(client, " BEN@rapport.test ") == (302, "/")
    assert client.get("/contacts/").status_code == 200


def test_the_session_is_another_one_afterwards(client: Client, ben: User) -> None:
    client.get("/sign-in")
    client.session["before"] = "mine"
    client.session.save()
    before = client.session.session_key

    sign_in(client, ben.address)

    assert client.session.session_key != before


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/contacts/?q=a", "/contacts/?q=a"),
        ("https://evil.test/", "/"),
        ("//evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_next_leads_only_to_pages_of_ours(client: Client, ben: User, wanted: str, led: str) -> None:
    assert sign_in(client, ben.address, next=wanted) == (302, led)


def test_unknown_wrong_and_inactive_get_the_same_answer(client: Client, ana: User, ben: User) -> None:
    User.objects.filter(pk=ana.pk).update(is_active=False)

    answers = [
        client.post("/sign-in", {"address": address, "password": password})
        for address, password in ((ben.address, "wrong"), ("nobody@rapport.test", PASSWORD), (ana.address, PASSWORD))
    ]

    pages = {
        answer.content.decode().replace(address, "").partition("<main")[2].partition("csrfmiddlewaretoken")[0]
        for answer, address in zip(answers, (ben.address, "nobody@rapport.test", ana.address), strict=True)
    }
    assert {answer.status_code for answer in answers} == {422}
    assert len(pages) == 1
    assert all(b"That email and password" in answer.content for answer in answers)


def test_who_guesses_is_paused_and_the_colleague_elsewhere_is_not(client: Client, ben: User) -> None:
    statuses = [sign_in(client, ben.address, f"guess {number}")[0] for number in range(6)]

    assert statuses[-1] == 429
    assert sign_in(client, ben.address)[0] == 429
    assert (
        Client(REMOTE_ADDR="192.0.2.7")
        .post("/sign-in", {"address": ben.address, "password": PASSWORD})
        .headers["Location"]
        == "/"
    )


def test_the_password_never_comes_back(client: Client, ben: User) -> None:
    answer = client.post("/sign-in", {"address": ben.address, "password": "unique-canary"})

    assert b"unique-canary" not in answer.content
    assert ben.address in answer.content.decode()


def test_the_demo_is_filled_in(client: Client, settings: Settings) -> None:
    settings.DEMO_SIGN_IN = ("mara@demo.test", "demo password")

    page = client.get("/sign-in").content.decode()

    assert 'value="mara@demo.test"' in page
    assert 'value="demo password"' in page
    assert "This is the demo" in page


def test_signing_out_is_a_form_and_nothing_else(client: Client, ben: User) -> None:
    client.force_login(ben)

    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    assert client.get("/contacts/").status_code == 302


def test_signing_in_needs_our_own_form(ben: User) -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in", {"address": ben.address, "password": PASSWORD})

    assert answer.status_code == 403
