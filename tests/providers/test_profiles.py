"""What is known of providers beforehand, and a person's own settings above it."""

import pytest

from rapport.providers import profiles
from rapport.providers.profiles import BadProfile


@pytest.mark.parametrize(
    ("host", "name", "connections"),
    [
        ("imap.gmail.com", "gmail", 15),
        ("IMAP.Gmail.com.", "gmail", 15),
        ("outlook.office365.com", "microsoft", 20),
        ("p57-imap.mail.me.com", "icloud", 5),
        ("imap.mail.eu-west-1.awsapps.com", "workmail", 10),
        ("imap.yandex.com.tr", "yandex", 10),
        ("gmail.com.example.test", "default", 10),
        ("mail.example.test", "default", 10),
        ("", "default", 10),
    ],
)
def test_a_provider_is_known_by_its_host(host: str, name: str, connections: int) -> None:
    profile = profiles.of(host)

    assert (profile.name, profile.connections) == (name, connections)


def test_only_what_is_known_to_be_wrong_is_switched_off() -> None:
    """Hazards 10, 26, 28, 30, 59 and 63: each at the providers where it was met."""
    assert not profiles.of("imap.mail.me.com").esearch
    assert not profiles.of("imap.mail.me.com").qresync
    assert not profiles.of("imap.mail.yahoo.com").search
    assert not profiles.of("imap.mail.us-east-1.awsapps.com").condstore
    assert profiles.of("imap.163.com").id_first
    assert profiles.of("imap.yandex.ru").keepalive < 9 * 60
    default = profiles.of("mail.example.test")
    assert (default.esearch, default.qresync, default.condstore, default.search) == (True, True, True, True)
    assert not default.id_first


def test_a_persons_own_setting_stands_above() -> None:
    profile = profiles.of("imap.gmail.com", {"esearch": False, "connections": 3})

    assert (profile.name, profile.connections, profile.esearch, profile.qresync) == ("gmail", 3, False, True)


@pytest.mark.parametrize("words", [{"nonsense": True}, {"connections": True}, {"esearch": 1}, {"name": True}])
def test_a_setting_nobody_knows_is_refused(words: dict[str, bool | int]) -> None:
    with pytest.raises(BadProfile):
        profiles.of("imap.gmail.com", words)
