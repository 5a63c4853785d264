"""A few warm child processes that parse messages, and are replaced when one makes them fail (R62)."""

import fcntl
import os
import queue
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event, Lock
from typing import Self

from rapport.mime import limits
from rapport.mime.message import ParsedMessage, Unreadable
from rapport.mime.reader import ANSWER, ATTACHMENT, DONE, LENGTH, MEMORY, OUT_OF_MEMORY, PARSE, READY, REQUEST
from rapport.mime.wire import Outcome, from_json

WALL = 15.0
"""Seconds from handing messages over to having their answer."""
START = 30.0
"""Seconds a child may take to start, on a machine that is very busy."""
_CHUNK = 1 << 20
_FRAME = 256_000
"""Octets of mail that go to a child at once, give or take the last message."""
_MOST_IN_A_FRAME = 64
_LONGEST_ANSWER = 64_000_000
"""Octets; a child that promises more is not believed."""
_NO_SENSE = "The parser gave an answer that makes no sense."


class Parsers:
    """Parses messages in ``count`` child processes. Any number of threads may call it; each call takes one child."""

    def __init__(self, count: int = 2, *, wall: float = WALL, memory: int = MEMORY) -> None:
        self._wall = wall
        self._memory = memory
        self._count = count
        self._closed = Event()
        self._lock = Lock()
        self._threads: ThreadPoolExecutor | None = None
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(_Child(self._memory))

    def parse(self, raw: bytes) -> ParsedMessage:
        """Read a message; `Unreadable` says why it could not be read."""
        (outcome,) = self._read([raw])
        if isinstance(outcome, Unreadable):
            raise outcome
        return outcome

    def attachment(self, raw: bytes, position: int) -> bytes:
        """The decoded octets of one part of a message."""
        with self._child() as child:
            return child.ask(ATTACHMENT, position, [raw], self._wall)

    def parse_all(self, messages: Iterable[bytes]) -> Iterator[Outcome]:
        """Read many messages, all children at once; results in order, an `Unreadable` in place of what has none.

        It reads ahead by a few frames, so that children go on while the results are put to use.
        """
        waiting: deque[Future[list[Outcome]]] = deque()
        for frame in _frames(messages):
            waiting.append(self._pool().submit(self._read_each, frame))
            if len(waiting) > self._count * 2:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def close(self) -> None:
        """End the children; a message being read is given up."""
        self._closed.set()
        if self._threads:
            self._threads.shutdown(wait=True, cancel_futures=True)
        while not self._idle.empty():
            with suppress(queue.Empty):
                self._idle.get_nowait().end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_each(self, frame: list[bytes]) -> list[Outcome]:
        """Read a frame; where one of its messages makes a child fail, each alone, so that the others are read."""
        try:
            return self._read(frame)
        except Unreadable as reason:
            if len(frame) == 1:
                return [reason]
            return [outcome for raw in frame for outcome in self._read_each([raw])]

    def _read(self, frame: list[bytes]) -> list[Outcome]:
        with self._child() as child:
            answer = child.ask(PARSE, 0, frame, self._wall)
        try:
            outcomes = from_json(answer)
        except (ValueError, KeyError, TypeError) as trouble:
            raise Unreadable(_NO_SENSE) from trouble
        if len(outcomes) != len(frame):
            raise Unreadable(_NO_SENSE)
        return outcomes

    @contextmanager
    def _child(self) -> Iterator["_Child"]:
        if self._closed.is_set():
            raise RuntimeError("These parsers are closed.")
        child = self._idle.get()
        try:
            yield child
        finally:
            if self._closed.is_set():
                child.end()
            else:
                self._idle.put(child if child.alive else _Child(self._memory))

    def _pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="mime")
            return self._threads


def _frames(messages: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Messages in bundles that cost one writing and one reading; a large one soon goes alone."""
    frame: list[bytes] = []
    octets = 0
    for raw in messages:
        frame.append(raw)
        octets += len(raw)
        if octets >= _FRAME or len(frame) >= _MOST_IN_A_FRAME:
            yield frame
            frame, octets = [], 0
    if frame:
        yield frame


class _Child:
    """One child process and the two pipes to it."""

    def __init__(self, memory: int) -> None:
        # An empty environment: a process that reads hostile bytes is given no secrets. It ends when its input ends.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rapport.mime.reader", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        self._pipes = [pipe for pipe in (self._process.stdin, self._process.stdout) if pipe]
        self._in, self._out = (pipe.fileno() for pipe in self._pipes)
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        _widen(self._in)
        _widen(self._out)
        self._ready = False
        self.alive = True

    def ask(self, verb: bytes, position: int, raws: list[bytes], wall: float) -> bytes:
        """Hand messages over and wait for the answer. After any failure but a plain `Unreadable` the child is dead."""
        try:
            if not self._ready:
                self._start()
            return self._exchange(verb, position, raws, time.monotonic() + wall)
        except TimeoutError:
            self.end()
            raise Unreadable(f"Reading it took longer than {wall:g} seconds.") from None
        except (BrokenPipeError, EOFError):
            raise Unreadable(self._why_it_died()) from None
        except BaseException as trouble:
            if not isinstance(trouble, Unreadable):
                self.end()
            raise

    def end(self) -> None:
        self.alive = False
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()
        for pipe in self._pipes:
            pipe.close()

    def _start(self) -> None:
        kind, _ = ANSWER.unpack(self._read(ANSWER.size, time.monotonic() + START))
        if kind != READY:
            raise EOFError
        self._ready = True

    def _exchange(self, verb: bytes, position: int, raws: list[bytes], deadline: float) -> bytes:
        # More of one than is ever read need not be sent; one octet more tells that there was more.
        raws = [raw if len(raw) <= limits.MESSAGE else raw[: limits.MESSAGE + 1] for raw in raws]
        lengths = b"".join([LENGTH.pack(len(raw)) for raw in raws])
        head = REQUEST.pack(verb, position, len(raws)) + lengths
        together = sum(map(len, raws)) <= _CHUNK
        for piece in [b"".join((head, *raws))] if together else [head, *raws]:
            self._write(piece, deadline)
        kind, length = ANSWER.unpack(self._read(ANSWER.size, deadline))
        if length > _LONGEST_ANSWER:
            raise EOFError
        content = self._read(length, deadline)
        if kind == DONE:
            return content
        raise Unreadable(content.decode(errors="replace")[:500])

    def _write(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._in, left[:_CHUNK]) :]
            except BlockingIOError:
                _wait(self._in, select.POLLOUT, deadline)

    def _read(self, length: int, deadline: float) -> bytes:
        out = bytearray()
        while len(out) < length:
            _wait(self._out, select.POLLIN, deadline)
            with suppress(BlockingIOError):
                chunk = os.read(self._out, min(_CHUNK, length - len(out)))
                if not chunk:
                    raise EOFError
                out += chunk
        return bytes(out)

    def _why_it_died(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        status = self._process.poll()
        self.end()
        if status in (OUT_OF_MEMORY, -signal.SIGABRT):
            return "Reading it needed too much memory."
        if status in (-signal.SIGXCPU, -signal.SIGKILL):
            return "Reading it took too much processor time."
        return f"The process reading it died (status {status})."


def _widen(pipe: int) -> None:
    """Room for a whole frame, where the system has it to give: fewer turns between parent and child."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK)


def _wait(pipe: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
