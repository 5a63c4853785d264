"""The process in which messages are parsed: ``python -m rapport.mime.reader``, started by `child.Parsers`.

It reads one request after another from its standard input and writes one answer each: a frame of messages to parse, or
one of which an attachment is wanted. It has no environment, no open files but its pipes, and a limit on memory and on
time per request (R62); whatever a message makes it do ends with it.
"""

import os
import resource
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from rapport.mime.charsets import warm_up
from rapport.mime.message import Unreadable
from rapport.mime.parse import attachment, parse
from rapport.mime.wire import Outcome, to_json

MEMORY = 440 * 1024 * 1024
"""Octets of address space beyond what the process needs before its first message: with that, less than 512 MB."""
CPU = 10
"""Seconds of processor time for one request."""

REQUEST = struct.Struct(">cQI")
"""Verb, position, number of messages; then the length of each, then their octets."""
LENGTH = struct.Struct(">Q")
ANSWER = struct.Struct(">cQ")
"""Kind, length; then that many octets."""

PARSE, ATTACHMENT = b"p", b"a"
READY, DONE, UNREADABLE = b"r", b"d", b"u"
_STATM = Path("/proc/self/statm")
OUT_OF_MEMORY = 12
"""Exit status."""


def main(memory: int = MEMORY) -> None:
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    # A library that prints must not write into the answers.
    sys.stdout = sys.stderr
    _prepare(memory)
    _send(answers, READY, b"")
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        verb, position, count = REQUEST.unpack(head)
        _allow_time()
        try:
            lengths = [size for (size,) in LENGTH.iter_unpack(requests.read(LENGTH.size * count))]
            _send(answers, *_answer(verb, position, [requests.read(length) for length in lengths]))
        except MemoryError:
            # What is left of the heap is of no use to the next message.
            os._exit(OUT_OF_MEMORY)


def _answer(verb: bytes, position: int, raws: list[bytes]) -> tuple[bytes, bytes]:
    if verb == PARSE:
        return DONE, to_json([_outcome(raw) for raw in raws])
    try:
        return DONE, attachment(raws[0], position)
    except Unreadable as reason:
        return UNREADABLE, str(reason).encode()


def _outcome(raw: bytes) -> Outcome:
    try:
        return parse(raw)
    except Unreadable as reason:
        return reason


def _prepare(memory: int) -> None:
    warm_up()
    parse(_SAMPLE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    used = _address_space()
    if used:
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))


def _address_space() -> int:
    """Octets this process has mapped; 0 where the system does not say so, and has no such limit either."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _allow_time() -> None:
    """Give the next request its own processor time: the system counts from the start of the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + CPU + 1, hard))


def _send(answers: BinaryIO, kind: bytes, content: bytes) -> None:
    answers.write(ANSWER.pack(kind, len(content)))
    answers.write(content)
    answers.flush()


_SAMPLE = (
    b"From: a <a@b.example>\r\nSubject: =?utf-8?q?x?=\r\nDate: Mon, 6 May 2024 10:00:00 +0000\r\n"
    b"Content-Type: text/html\r\n\r\n<p>Hello</p>"
)
"""Read once, so that everything a message needs is loaded before memory is limited."""


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
