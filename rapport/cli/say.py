"""How commands speak."""

import argparse
import json
import sys
from typing import Any

Told = argparse.Namespace
Commands = Any
"""What argparse returns for ``add_subparsers``; its own type is private."""


class Failed(Exception):
    """The command did not do it; the text says why, for people."""

    def __init__(self, why: str, code: int = 1) -> None:
        super().__init__(why)
        self.code = code


def say(words: str) -> None:
    """Words go to standard error, so that data stays clean."""
    print(words, file=sys.stderr, flush=True)


def give(value: object) -> None:
    """Data goes to standard output, as one JSON value."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    print(flush=True)


def password() -> str:
    """The password that was piped in, without the line's end."""
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise Failed("No password came in on standard input.", code=2)
    return secret


def plural(count: int, one: str, many: str = "") -> str:
    """``1 email``, ``2,048 emails``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
