"""What it costs to read a message: in this process, through children, and beside other parsers on the same mail.

``python bench/parsing.py [COUNT]``: figures in microseconds of processor time per message, the best of several runs,
with what the machine did meanwhile in them; only the ratios mean anything elsewhere. ``FOLDER`` in the environment
names a folder of ``.eml`` files to take instead of made-up letters.
"""

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.letters import letters
from rapport.mime.child import Parsers
from rapport.mime.parse import parse
from rapport.mime.wire import from_json, to_json

RUNS = 5
FIELDS = ("subject", "from", "to", "cc", "date", "message-id", "references")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    mails = _mails(count)
    octets = sorted(map(len, mails))
    print(f"{len(mails)} messages, median {octets[len(octets) // 2]}, mean {round(statistics.mean(octets))} octets")
    ours = _cost("ours, in this process, whole", parse, mails)
    _wire(mails)
    for children in (1, 2):
        _pool(mails, children)
    for name, read in _peers().items():
        other = _cost(name, read, mails)
        print(f"{'':44}{other / ours:8.2f} of ours")


def _mails(count: int) -> list[bytes]:
    if folder := os.environ.get("FOLDER"):
        return [path.read_bytes() for path in sorted(Path(folder).rglob("*.eml"))[:count]]
    return [raw for raw, _ in letters(count)]


def _cost(name: str, read: Callable[[bytes], object], mails: Sequence[bytes]) -> float:
    best = float("inf")
    for _ in range(RUNS):
        started = time.process_time()
        for raw in mails:
            read(raw)
        best = min(best, time.process_time() - started)
    cost = best / len(mails) * 1e6
    print(f"{name:44}{cost:8.1f} µs")
    return cost


def _wire(mails: Sequence[bytes]) -> None:
    """Both ends of the pipe: the child's writing, the parent's reading."""
    read = [parse(raw) for raw in mails]
    frames = [read[start : start + 40] for start in range(0, len(read), 40)]
    texts = [to_json(frame) for frame in frames]
    per = 1e6 / len(mails)
    for name, act, over in (("to JSON", to_json, frames), ("from JSON", from_json, texts)):
        print(f"  of it {name:38}{min(_time(act, over) for _ in range(RUNS)) * per:8.1f} µs")


def _time(act: Callable[[Any], object], over: Sequence[object]) -> float:  # Any: one of two functions
    started = time.process_time()
    for one in over:
        act(one)
    return time.process_time() - started


def _pool(mails: Sequence[bytes], children: int) -> None:
    walls: list[float] = []
    parents: list[float] = []
    start = _through(mails[:1], children, 1, [], [])
    theirs = _through(mails, children, RUNS, walls, parents) - start
    per = 1e6 / len(mails)
    print(f"{f'through {children} of them':44}{min(walls) * per:8.1f} µs of time, {len(mails) / min(walls):.0f}/s")
    print(f"{'  the parent’s processor time':44}{min(parents) * per:8.1f} µs")
    print(f"{'  the children’s, on average':44}{theirs * per / RUNS:8.1f} µs")
    print(f"{'  the largest child':44}{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:8.0f} MB")


def _through(mails: Sequence[bytes], children: int, runs: int, walls: list[float], parents: list[float]) -> float:
    """Seconds of processor time the children took, their start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Parsers(children) as parsers:
        list(parsers.parse_all([b"\n"] * children * 64))
        for _ in range(runs):
            wall, own = time.perf_counter(), time.process_time()
            for _outcome in parsers.parse_all(mails):
                pass
            walls.append(time.perf_counter() - wall)
            parents.append(time.process_time() - own)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _peers() -> dict[str, Callable[[bytes], object]]:
    peers: dict[str, Callable[[bytes], object]] = {
        "standard library, compat32": _compat32,
        "standard library, policy.default": _default,
    }
    try:
        # Not one of our packages: measured where somebody has installed it.
        peers["fast-mail-parser (Rust), raw"] = import_module("fast_mail_parser").parse_email
    except ImportError:
        print("(fast-mail-parser is not installed)")
    return peers


def _compat32(raw: bytes) -> None:
    """As much of what ours reads as it takes few lines to ask for: some headers, and the bodies decoded."""
    message: Message = message_from_bytes(raw)
    for name in FIELDS:
        message.get(name)
    for part in message.walk():
        if part.get_content_maintype() == "text":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                content.decode(part.get_content_charset() or "utf-8", "replace")


def _default(raw: bytes) -> None:
    message: EmailMessage = message_from_bytes(raw, policy=policy.default)
    for name in FIELDS:
        str(message.get(name))
    for part in message.walk():
        if part.get_content_maintype() == "text":
            part.get_content()


if __name__ == "__main__":
    main()
