"""The three steps of connecting a mailbox."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from django.test import Client
from django.utils.timezone import now

from rapport.connect import models
from rapport.connect import test as testing
from rapport.connect.test import FoundFolder, Result, Settings
from rapport.connect.words import Words
from rapport.mail.models import Account
from rapport.people.models import User
from rapport.providers.errors import Certificate
from tests.world import an_account

pytestmark = pytest.mark.django_db

TYPED = {
    "address": "Info@rapport.test",
    "password": "unique-canary",
    "username": "",
    "incoming_host": "imap.rapport.test",
    "incoming_port": "993",
    "incoming_security": "ssl",
    "incoming_pin": "",
    "outgoing_host": "smtp.rapport.test",
    "outgoing_port": "465",
    "outgoing_security": "ssl",
    "outgoing_pin": "",
}
FOLDERS = [
    FoundFolder("INBOX", "INBOX", "INBOX", 0, "inbox", selectable=True, count=12),
    FoundFolder("Sent", "Sent", "Sent", 0, "sent", selectable=True, count=3),
    FoundFolder("Customers", "Customers", "Customers", 0, "", selectable=False, count=None),
    FoundFolder("Customers/New", "Customers/New", "New", 1, "", selectable=True, count=1),
    FoundFolder("Trash", "Trash", "Trash", 0, "trash", selectable=True, count=7),
]
PASSED = Result(None, None, FOLDERS, {"now": 0, "1m": 1, "3m": 1234, "6m": 5000}, (12, 34))
PASSWORD_REFUSED = Words("password", "The password was refused", "Only the password isn’t right.", "a1 NO <b>no</b>")
SELF_SIGNED = Certificate("ab" * 32, ("mail.test",), "mail.test", "2026-01-01T00:00:00", "2027-01-01T00:00:00", True)
UNTRUSTED = Words("certificate", "The certificate is self-signed", "Allow it only if …", certificate=SELF_SIGNED)
Answers = Callable[[Result], list[tuple[Settings, str]]]


@pytest.fixture
def servers_answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """What the servers will say; and what they were asked."""
    asked: list[tuple[Settings, str]] = []

    def answer(result: Result) -> list[tuple[Settings, str]]:
        def try_out(settings: Settings, password: str, **_: object) -> Result:
            asked.append((settings, password))
            return result

        monkeypatch.setattr(testing, "try_out", try_out)
        return asked

    yield answer
    asked.clear()


def by_htmx(target: str) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Target": target}


def what_passed(client: Client, **typed: str) -> UUID:
    client.post("/connect/shared/sign-in", TYPED | typed, headers=by_htmx("res"))
    return models.Tested.objects.get().uuid


# --- who may ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/connect/shared", "/connect/shared/sign-in", "/connect/everybody"])
def test_a_shared_mailbox_is_the_administrators_to_connect(client: Client, ben: User, address: str) -> None:
    client.force_login(ben)

    assert client.get(address).status_code == 404
    assert client.get("/connect/personal", {"who": "shared"}).status_code == 404


def test_posting_past_the_page_tests_nothing(client: Client, ben: User, servers_answer: Answers) -> None:
    asked = servers_answer(PASSED)
    client.force_login(ben)

    assert client.post("/connect/shared/sign-in", TYPED).status_code == 404
    assert asked == []


def test_each_step_says_what_colleagues_will_see(client: Client, ben: User) -> None:
    client.force_login(ben)

    page = client.get("/connect/personal").content.decode()

    assert "Only you open this mailbox" in page
    assert 'value="shared"' not in page
    assert client.get("/connect/personal", {"who": "personal"}).headers["Location"] == "/connect/personal/sign-in"


@pytest.mark.parametrize("address", ["/connect/shared", "/connect/shared/sign-in"])
def test_a_step_is_a_page_a_dialog_and_a_piece(client: Client, ana: User, address: str) -> None:
    an_account()
    client.force_login(ana)

    page = client.get(address).content.decode()
    dialog = client.get(address, headers=by_htmx("dialog-host")).content.decode()
    piece = client.get(address, headers=by_htmx("dialog")).content.decode()

    assert page.startswith("<!doctype html>")
    assert dialog.startswith('<dialog class="dlg"')
    assert piece.startswith("<form")
    assert "All inboxes" in page


# --- the test -----------------------------------------------------------------------------------------------------------


def test_the_test_is_asked_exactly_what_was_typed(client: Client, ana: User, servers_answer: Answers) -> None:
    asked = servers_answer(PASSED)
    client.force_login(ana)

    what_passed(client, username="DOM\\info", incoming_port="143", incoming_security="starttls", incoming_pin="AB" * 32)

    settings, password = asked[0]
    assert (settings.address, settings.kind, settings.username) == ("info@rapport.test", "shared", "DOM\\info")
    assert (settings.incoming.port, settings.incoming.security.value) == (143, "starttls")
    assert settings.incoming.pinned == "ab" * 32
    assert password == "unique-canary"


def test_a_failure_is_a_piece_with_every_sentence(client: Client, ana: User, servers_answer: Answers) -> None:
    other = Words("speaks-plain", "Receiving works, sending doesn’t", "This port …", "", None,
                  (("outgoing_security", "starttls"),), "Switch to STARTTLS")  # fmt: skip
    servers_answer(Result(PASSWORD_REFUSED, other))
    client.force_login(ana)

    answer = client.post("/connect/shared/sign-in", TYPED, headers=by_htmx("res"))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The password was refused" in page
    assert "a1 NO &lt;b&gt;no&lt;/b&gt;" in page
    assert 'data-fix="outgoing_security=starttls"' in page
    assert 'data-invalid="password outgoing_security"' in page
    assert "<form" not in page
    assert not models.Tested.objects.exists()


def test_a_cause_both_servers_share_is_told_once(client: Client, ana: User, servers_answer: Answers) -> None:
    servers_answer(Result(PASSWORD_REFUSED, PASSWORD_REFUSED))
    client.force_login(ana)

    page = client.post("/connect/shared/sign-in", TYPED, headers=by_htmx("res")).content.decode()

    assert page.count("The password was refused") == 1
    assert page.count("doesn’t work yet") == 2


def test_an_untrusted_certificate_can_be_allowed_by_its_fingerprint(
    client: Client, ana: User, servers_answer: Answers
) -> None:
    servers_answer(Result(UNTRUSTED, UNTRUSTED))
    client.force_login(ana)

    page = client.post("/connect/shared/sign-in", TYPED, headers=by_htmx("res")).content.decode()

    assert "AB:AB:AB" in page
    assert "1 Jan 2026 to 1 Jan 2027" in page
    fix = parse_qs(page.partition('data-fix="')[2].partition('"')[0].replace("&amp;", "&"))
    assert fix == {"incoming_pin": ["ab" * 32], "outgoing_pin": ["ab" * 32]}


def test_without_scripts_everything_typed_stays_but_the_password(
    client: Client, ana: User, servers_answer: Answers
) -> None:
    servers_answer(Result(PASSWORD_REFUSED, PASSWORD_REFUSED))
    client.force_login(ana)

    page = client.post("/connect/shared/sign-in", TYPED | {"username": "DOM\\info"}).content.decode()

    for value in ("Info@rapport.test", "DOM\\info", "imap.rapport.test", "smtp.rapport.test"):
        assert f'value="{value}"' in page
    assert "The password was refused" in page
    assert "unique-canary" not in page


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"address": "nobody"}, "That is not an email address."),
        ({"password": ""}, "password is missing"),
        ({"incoming_port": "imap"}, "is not a port number"),
        ({"incoming_port": "70000"}, "65535"),
        ({"outgoing_host": "smtp.test/x"}, "is not a server’s name"),
        ({"incoming_pin": "x"}, "valid value"),
        ({"incoming_security": "ssl3"}, "valid choice"),
    ],
)
def test_what_cannot_be_right_is_said_before_any_server_is_asked(
    client: Client, ana: User, servers_answer: Answers, wrong: dict[str, str], said: str
) -> None:
    asked = servers_answer(PASSED)
    client.force_login(ana)

    answer = client.post("/connect/shared/sign-in", TYPED | wrong, headers=by_htmx("res"))

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert asked == []


def test_a_passed_test_leads_to_the_folders(client: Client, ana: User, servers_answer: Answers) -> None:
    servers_answer(PASSED)
    client.force_login(ana)

    answer = client.post("/connect/shared/sign-in", TYPED, headers=by_htmx("res"))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "4 folders found" in page
    assert "1,234 emails in the last 3 months" in page
    assert f'href="/connect/shared/what/{models.Tested.objects.get().uuid}"' in page
    assert "unique-canary" not in page


# --- what to sync -------------------------------------------------------------------------------------------------------


def test_folders_periods_and_what_they_mean(client: Client, ana: User, servers_answer: Answers) -> None:
    servers_answer(PASSED)
    client.force_login(ana)

    page = client.get(f"/connect/shared/what/{what_passed(client)}").content.decode()

    assert "2 of 4" in page
    assert page.index('value="INBOX"') < page.index('value="Sent"') < page.index('value="Trash"')
    assert 'value="INBOX" checked' in page
    assert 'value="Trash">' in page
    assert "Not part of the first sync" in page
    assert "About 1,234 emails, since" in page
    assert "can’t be changed after you connect" in page


def test_connecting_takes_exactly_what_was_tested(client: Client, ana: User, servers_answer: Answers) -> None:
    servers_answer(PASSED)
    an_account()
    client.force_login(ana)
    where = f"/connect/shared/what/{what_passed(client)}"

    answer = client.post(
        where,
        {"folders": ["INBOX", "Customers", "invented"], "period": "1m", "create_contacts": "on"},
        headers=by_htmx("dialog"),
    )

    account = Account.objects.get(address="info@rapport.test")
    inbox = account.folders.get(name="INBOX")
    assert answer.headers["HX-Redirect"] == f"/inbox/{inbox.uuid}/"
    assert (account.kind, account.create_contacts, account.incoming_host) == ("shared", True, "imap.rapport.test")
    assert list(account.folders.filter(active=True)) == [inbox]
    assert client.post(where, {"period": "1m"}).status_code == 404


def test_the_first_mailbox_is_watched_coming_in(client: Client, ana: User, servers_answer: Answers) -> None:
    servers_answer(PASSED)
    client.force_login(ana)

    answer = client.post(f"/connect/shared/what/{what_passed(client)}", {"folders": ["INBOX"], "period": "now"})

    assert answer.headers["Location"] == f"/welcome/mailbox/{Account.objects.get().uuid}"


def test_what_is_already_connected_is_said(client: Client, ana: User, servers_answer: Answers) -> None:
    servers_answer(PASSED)
    an_account("info@rapport.test")
    client.force_login(ana)

    answer = client.post(f"/connect/shared/what/{what_passed(client)}", {"folders": ["INBOX"], "period": "now"})

    assert answer.status_code == 422
    assert "info@rapport.test is already connected." in answer.content.decode()
    assert Account.objects.count() == 1


def test_a_test_is_good_for_fifteen_minutes(client: Client, ana: User, servers_answer: Answers) -> None:
    servers_answer(PASSED)
    client.force_login(ana)
    uuid = what_passed(client)
    models.Tested.objects.update(at=now() - timedelta(minutes=16))

    page = client.post(f"/connect/shared/what/{uuid}", {"period": "now"}).content.decode()

    assert "more than 15 minutes old" in page
    assert 'value="imap.rapport.test"' in page
    assert "unique-canary" not in page
    assert not Account.objects.exists()


def test_nobody_uses_what_another_person_tested(client: Client, ana: User, ben: User, servers_answer: Answers) -> None:
    servers_answer(PASSED)
    client.force_login(ana)
    client.post("/connect/personal/sign-in", TYPED, headers=by_htmx("res"))
    uuid = models.Tested.objects.get().uuid

    client.force_login(ben)

    assert client.get(f"/connect/personal/what/{uuid}").status_code == 404
    assert client.post(f"/connect/personal/what/{uuid}", {"period": "now"}).status_code == 404
    assert 'value="imap.rapport.test"' not in client.get(f"/connect/personal/sign-in?again={uuid}").content.decode()


def test_a_personal_test_cannot_be_connected_as_shared(client: Client, ana: User, servers_answer: Answers) -> None:
    servers_answer(PASSED)
    client.force_login(ana)
    client.post("/connect/personal/sign-in", TYPED, headers=by_htmx("res"))

    assert client.post(f"/connect/shared/what/{models.Tested.objects.get().uuid}", {"period": "now"}).status_code == 404
    assert not Account.objects.exists()
