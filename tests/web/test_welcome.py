"""The first three steps."""

import pytest
from django.test import Client

from rapport.mail.models import Account
from rapport.people import verbs as people
from rapport.people.models import User
from tests.conftest import PASSWORD
from tests.world import a_folder, a_letter, an_account, arrives

pytestmark = pytest.mark.django_db

ANA = {"name": "Ana Ortega", "address": "ana@rapport.test", "password": PASSWORD}


def test_the_link_makes_the_administrator_and_signs_in(client: Client) -> None:
    link = f"/welcome/{people.first_link()}"

    assert client.get(link).status_code == 200
    assert client.post(link, ANA).headers["Location"] == "/welcome/mailbox/"

    ana = User.objects.get()
    assert (ana.name, ana.address, ana.is_admin) == ("Ana Ortega", "ana@rapport.test", True)
    assert client.get("/welcome/mailbox/").status_code == 200


def test_the_link_works_once(client: Client) -> None:
    link = f"/welcome/{people.first_link()}"
    client.post(link, ANA)

    again = Client().post(link, {**ANA, "address": "second@rapport.test"})

    assert again.status_code == 404
    assert User.objects.count() == 1


def test_any_other_link_says_so(client: Client) -> None:
    people.first_link()

    answer = client.get("/welcome/guess")

    assert answer.status_code == 404
    assert "This link doesn’t work any more" in answer.content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "short"}, "at least 10 characters"),
        ({"address": "nobody"}, "valid email address"),
        ({"name": ""}, "A name is needed"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_rest_stays(client: Client, wrong: dict[str, str], said: str) -> None:
    page = client.post(f"/welcome/{people.first_link()}", ANA | wrong).content.decode()

    assert said in page
    assert (ANA | wrong)["name"] in page
    assert PASSWORD not in page
    assert not User.objects.exists()


def test_the_first_mailbox_leads_into_the_connect_dialog(client: Client, ana: User) -> None:
    client.force_login(ana)

    answer = client.get("/welcome/mailbox/", {"address": "sales@rapport.test", "who": "shared"}, follow=True)

    assert answer.redirect_chain[-1][0] == "/connect/shared/sign-in?address=sales%40rapport.test"
    assert 'value="sales@rapport.test"' in answer.content.decode()


def test_only_an_administrator_is_offered_a_shared_mailbox(client: Client, ben: User) -> None:
    client.force_login(ben)

    assert 'value="shared"' not in client.get("/welcome/mailbox/").content.decode()


def test_the_mailbox_is_watched_coming_in(client: Client, ana: User) -> None:
    account = an_account()
    folder = a_folder(account)
    arrives(folder, a_letter(subject="Ceiling baffles"))
    client.force_login(ana)

    page = client.get(f"/welcome/mailbox/{account.uuid}").content.decode()
    piece = client.get(f"/welcome/mailbox/{account.uuid}", headers={"HX-Request": "true"}).content.decode()

    assert "sales@ is coming in" in page
    assert "Ceiling baffles" in page
    assert 'hx-trigger="every 1s"' in piece
    assert "<html" not in piece


def test_when_all_is_here_nothing_asks_any_more(client: Client, ana: User) -> None:
    account = an_account(state=Account.State.OK)
    client.force_login(ana)

    page = client.get(f"/welcome/mailbox/{account.uuid}").content.decode()

    assert "sales@ is here" in page
    assert "hx-trigger" not in page


def test_nobody_watches_another_persons_mailbox(client: Client, ana: User, cleo: User) -> None:
    account = an_account("ana@rapport.test", owner=ana)
    client.force_login(cleo)

    assert client.get(f"/welcome/mailbox/{account.uuid}").status_code == 404
