"""The command line, as an administrator types it, against a real Dovecot and a real SMTP server."""

import json
import mailbox
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.conftest import Shell, connecting
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Sink
from tests.world import a_letter


def test_from_an_empty_home_to_a_verified_mailbox(shell: Shell, dovecot: Dovecot, smtp: Sink, tmp_path: Path) -> None:
    """The whole way, headless: nothing is set in the environment but the home."""
    user = dovecot.new_user()
    letters = [a_letter(subject=f"Letter {number}", cc="paulo@lumen.test") for number in range(3)]
    dovecot.deliver(user, letters)
    shell.run(
        "user", "add", "ana@rapport.test", "--name", "Ana", "--admin", "--password-stdin", stdin="a fine password"
    )

    shown = shell.json(*connecting(user, dovecot, smtp), "--create-contacts", stdin="secret")
    assert isinstance(shown, dict)
    assert (shown["address"], shown["state"]) == ("sales@rapport.test", "new")
    assert "secret" not in json.dumps(shown)
    shell.run("contact", "add", "paulo@lumen.test", "--name", "Paulo Nunes")
    shell.run("company", "add", "Lumen Studio", "--domain", "lumen.test")
    assert shell.json("sync", "--once") == [{"account": "sales@rapport.test", "emails": 3, "left": 0}]

    reports = shell.json("verify", "--deep")
    assert isinstance(reports, list)
    inbox = next(report for report in reports if report["folder"] == "INBOX")
    assert (inbox["on_server"], inbox["here"], inbox["missing"], inbox["extra"]) == (3, 3, 0, 0)
    exported = shell.run("export", "sales@rapport.test", "--format", "jsonl").stdout.splitlines()
    first = json.loads(exported[0])
    assert {row["sha256"] for row in map(json.loads, exported)} == {sha256(raw).hexdigest() for raw in letters}
    assert (first["folders"], first["from"]) == (["INBOX"], {"name": "Inês Carvalho", "address": "ines@lumen.test"})
    assert {(one["name"], one["reason"]) for one in first["contacts"]} == {
        ("Inês Carvalho", "matched by address"),
        ("Paulo Nunes", "in cc"),
    }
    assert [one["name"] for one in first["companies"]] == ["Lumen Studio"]
    shell.run("export", "sales@rapport.test", "--format", "mbox", "--output", str(tmp_path / "out.mbox"))
    box = mailbox.mbox(tmp_path / "out.mbox")
    assert len(box) == 3
    box.close()

    shell.run("account", "test", "sales@rapport.test")
    shell.run("doctor")
    shell.run("account", "delete", "sales@rapport.test")
    assert shell.json("account", "list") == []
    assert dovecot.uids(user) == [1, 2, 3], "the server was not touched"
    assert b"".join(path.read_bytes() for path in (shell.home / "blobs").glob("*")).strip(b"\0") == b"", "all is wiped"


def test_what_is_made_is_private(shell: Shell) -> None:
    shell.run("account", "list")

    for name in ("keys.json", "secret_key", *([] if shell.database else ["rapport.sqlite3"])):
        assert stat.S_IMODE((shell.home / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("change", "password", "said"),
    [
        ({}, "wrong", "The password was refused"),
        ({"incoming": "imap.rapport.invalid:993/ssl"}, "secret", "There is no server called imap.rapport.invalid"),
        ({"incoming": "127.0.0.1:1/ssl"}, "secret", "Nothing listens on 127.0.0.1, port 1"),
        ({"incoming": "127.0.0.1:{imap}/ssl"}, "secret", "This port speaks STARTTLS, not TLS"),
        ({"incoming": "127.0.0.1:{imaps}/none"}, "secret", "This port speaks TLS from the start"),
        ({"incoming": "127.0.0.1:{imaps}/ssl"}, "secret", "The certificate is self-signed"),
        ({"outgoing": "127.0.0.1:1/none"}, "secret", "Receiving works, sending doesn’t"),
    ],
    ids=["password", "name", "port", "tls on plain", "plain on tls", "certificate", "smtp"],
)
def test_every_failure_has_its_own_sentence(  # noqa: PLR0917  # a table's columns beside the servers
    shell: Shell, dovecot: Dovecot, smtp: Sink, change: dict[str, str], password: str, said: str
) -> None:
    """Nothing is stored (S20)."""
    ports = {"imap": dovecot.port, "imaps": dovecot.tls_port}
    told = {name: value.format(**ports) for name, value in change.items()}

    failed = shell.run(*connecting(dovecot.new_user(), dovecot, smtp, **told), stdin=password, code=1)

    assert said in failed.stderr
    assert failed.stdout == ""
    assert shell.json("account", "list") == []


def test_an_untrusted_certificate_is_allowed_by_its_fingerprint(shell: Shell, dovecot: Dovecot, smtp: Sink) -> None:
    """S19, D8: exactly this one."""
    words = connecting(dovecot.new_user(), dovecot, smtp, incoming=f"127.0.0.1:{dovecot.tls_port}/ssl")
    failed = shell.run(*words, stdin="secret", code=1)
    fingerprint = failed.stderr.rpartition("--allow-certificate ")[2].split()[0]

    shell.run(*words, "--allow-certificate", "0" * 64, stdin="secret", code=1)
    shell.run(*words, "--allow-certificate", fingerprint, stdin="secret")
    shell.run("sync", "--once")


def test_clear_text_beyond_loopback_has_to_be_said(shell: Shell, dovecot: Dovecot, smtp: Sink) -> None:
    words = connecting("ana", dovecot, smtp, incoming="imap.rapport.invalid:143/none")

    assert "clear text" in shell.run(*words, stdin="secret", code=2).stderr


def test_folders_are_chosen_by_name(shell: Shell, dovecot: Dovecot, smtp: Sink) -> None:
    user = dovecot.new_user()
    failed = shell.run(*connecting(user, dovecot, smtp, folders="INBOX,Quotes"), stdin="secret", code=1)
    assert "No such folder: Quotes. There are:" in failed.stderr

    shown = shell.json(*connecting(user, dovecot, smtp, folders="INBOX,Sent"), stdin="secret")

    assert isinstance(shown, dict)
    assert {one["name"] for one in shown["folders"] if one["active"]} == {"INBOX", "Sent"}


def test_a_changed_password_disables_only_after_a_second_refusal(shell: Shell) -> None:
    """S29, D7, B11: what is here stays."""
    with Dovecot(users=["ana"]) as own, Sink() as smtp:
        own.deliver("ana", [a_letter()])
        shell.run(*connecting("ana", own, smtp), stdin="secret")
        shell.run("sync", "--once")
        own.set_password("ana", "changed")
        smtp.accept("changed")

        back = ("account", "reconnect", "sales@rapport.test", "--password-stdin")
        assert "The password was refused" in shell.run("sync", "--once", code=1).stderr
        first = shell.json("account", "show", "sales@rapport.test")
        shell.run("sync", "--once", code=1)
        second = shell.json("account", "show", "sales@rapport.test")

        assert "password was refused" in shell.run(*back, stdin="wrong", code=1).stderr
        shell.run(*back, stdin="changed")
        own.deliver("ana", [a_letter()])
        shell.run("sync", "--once")
        third = shell.json("account", "show", "sales@rapport.test")

    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert isinstance(third, dict)
    assert (first["state"], second["state"], third["state"]) == ("unreached", "refused", "ok")
    assert (second["emails"], third["emails"]) == (1, 2)
    assert third["id"] == first["id"], "the same account"


def test_what_is_too_large_is_named_and_comes_when_asked_for(shell: Shell, dovecot: Dovecot, smtp: Sink) -> None:
    """Over 50 MB: listed, skipped by name, fetched on demand (D17, R61)."""
    user = dovecot.new_user()
    large = a_letter(subject="large") + b"large\r\n" * (51 * 1024 * 1024 // 7)
    dovecot.deliver(user, [a_letter(), large])
    shell.run(*connecting(user, dovecot, smtp), stdin="secret")

    shell.run("sync", "--once")
    before = next(one for one in shell.json("verify") if one["folder"] == "INBOX")  # type: ignore[attr-defined]  # a list
    shell.run("sync", "--once", "--large")
    after = next(one for one in shell.json("verify", "--deep") if one["folder"] == "INBOX")  # type: ignore[attr-defined]  # as above

    assert (before["here"], before["skipped"], before["missing"]) == (1, [{"reason": "too large", "count": 1}], 0)
    assert (after["here"], after["skipped"], after["missing"], after["extra"]) == (2, [], 0, 0)


def test_wrong_use_is_exit_2(shell: Shell) -> None:
    shell.run("account", "connect", "x@rapport.test", code=2)
    shell.run("host", "allow", "nonsense", code=2)
    shell.run("sync", code=2)
    assert "No mailbox nobody@rapport.test" in shell.run("sync", "nobody@rapport.test", "--once", code=1).stderr
