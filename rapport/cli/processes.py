"""The processes one command starts: what they are given, and how they are stopped."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

POLITE = 15.0
"""Seconds a process has to finish what it is committing."""
DEMO_HOME = Path(__file__).resolve().parents[2] / ".demo"
_AT_HOME = "import sys; from rapport.cli.main import main; sys.exit(main())"
"""The command without the question whether it is at home."""
_OF_THE_USER = ("RAPPORT_DATABASE_URL", "RAPPORT_KEYS_FILE", "RAPPORT_SECRET_KEY")


def start(*command: str, output: int | None = None) -> "subprocess.Popen[bytes]":
    """A Python module as a process of its own, with our environment.

    In a session of its own: Ctrl+C reaches the command only, which then stops the others in order.
    """
    return subprocess.Popen([sys.executable, "-m", *command], stdout=output, start_new_session=True)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to end, and see that it does."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(POLITE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def enter_the_demo(words: Sequence[str]) -> None:
    """Become the same command in the demo's own home, before any setting is read: nothing of the user's is touched."""
    told = dict(os.environ)
    for name in _OF_THE_USER:
        told.pop(name, None)
    told |= {"RAPPORT_DEMO": "1", "RAPPORT_HOME": str(DEMO_HOME), "RAPPORT_URL": f"http://127.0.0.1:{_port(words)}"}
    os.execve(sys.executable, [sys.executable, "-c", _AT_HOME, "demo", *words], told)


def _port(words: Sequence[str]) -> str:
    """The port as far as it is said plainly; whatever else is wrong, the command itself says."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--port" or word.startswith("--port="):
            return following if word == "--port" else word.partition("=")[2]
    return "8000"
