"""Secrets at rest."""

import json
import stat
from pathlib import Path

import pytest
from django.conf import settings

from rapport.connect import keys
from rapport.connect.keys import CannotOpen, seal, unseal


def test_a_secret_comes_back_only_in_its_place() -> None:
    """Swapping two rows' ciphertexts fails (R28)."""
    sealed = seal("hunter2", "connect_secret:1:sealed")

    assert unseal(sealed, "connect_secret:1:sealed") == "hunter2"
    assert b"hunter2" not in sealed
    with pytest.raises(CannotOpen):
        unseal(sealed, "connect_secret:2:sealed")


def test_a_changed_secret_does_not_open() -> None:
    sealed = bytearray(seal("hunter2", "here"))
    sealed[-1] ^= 1

    with pytest.raises(CannotOpen):
        unseal(bytes(sealed), "here")


def test_another_keys_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = seal("hunter2", "here")
    monkeypatch.setattr(settings, "KEYS_FILE", tmp_path / "other.json")

    with pytest.raises(CannotOpen, match="does not hold the key"):
        unseal(sealed, "here")


def test_the_keys_file_is_private() -> None:
    keys.ready()

    assert stat.S_IMODE(Path(settings.KEYS_FILE).stat().st_mode) == 0o600
    assert json.loads(Path(settings.KEYS_FILE).read_text())
