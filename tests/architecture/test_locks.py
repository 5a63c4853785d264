"""The locked packages are the ones we ask for, and nobody can exchange one on the way."""

import re
import tomllib

from tests.architecture.tree import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
RUN = (CHECKOUT / "requirements" / "run.lock").read_text(encoding="utf-8")
DEV = (CHECKOUT / "requirements" / "dev.lock").read_text(encoding="utf-8")


def test_everything_we_ask_for_is_locked() -> None:
    assert _names(PROJECT["project"]["dependencies"]) <= _locked(RUN).keys()
    assert _names(PROJECT["dependency-groups"]["dev"]) <= _locked(DEV).keys()


def test_developers_run_what_users_run() -> None:
    """``bin/.setup`` counts on it: who has dev.lock has run.lock."""
    assert _locked(RUN).items() <= _locked(DEV).items()


def test_every_locked_package_has_its_hash() -> None:
    for lock in (RUN, DEV):
        packages = re.split(r"\n(?=\S)", lock.strip())

        assert [package for package in packages if "--hash=sha256:" not in package] == []


def test_locks_name_no_registry() -> None:
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url.*|--find-links.*", RUN + DEV) == []


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}


def _locked(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))
