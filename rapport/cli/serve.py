"""``rapport serve``: the pages and the engine, two processes under one command."""

import logging
import signal
import subprocess
import threading
import time
from types import FrameType

import uvicorn
from django.conf import settings

from rapport.cli import processes
from rapport.cli.jobs import JOBS
from rapport.cli.say import Commands, Failed, Told, say
from rapport.people import verbs
from rapport.people.models import User
from rapport.sync.engine import Engine


def add_to(commands: Commands) -> None:
    """Offer the commands."""
    serve = commands.add_parser("serve", help="the pages and the engine")
    _listen(serve)
    serve.set_defaults(run=_serve)
    web = commands.add_parser("web", help="only the pages")
    _listen(web)
    web.set_defaults(run=_web)
    worker = commands.add_parser("worker", help="only the engine")
    worker.set_defaults(run=_worker)


def _listen(command: Commands) -> None:
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    command.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")


def _serve(told: Told) -> int:
    if not User.objects.exists():
        say("Nobody is here yet. Open this link once, to become the administrator:")
        say(f"  {settings.URL.rstrip('/')}/welcome/{verbs.first_link()}")
    ready = f"Rapport is at http://{told.host}:{told.port}. Stop it with Ctrl+C."
    return run_both(start_pages(told.host, told.port), ready=ready)


def start_pages(host: str, port: int) -> "subprocess.Popen[bytes]":
    """The pages as a process of their own."""
    return processes.start("rapport.cli", "web", "--host", host, "--port", str(port))


def run_both(web: "subprocess.Popen[bytes]", *others: "subprocess.Popen[bytes]", ready: str) -> int:
    """The pages and the engine until one is told to stop; the engine is started again when it dies."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    engine = processes.start("rapport.cli", "worker")
    say(ready)
    while not stopping.wait(0.3):
        if web.poll() is not None:
            break
        if engine.poll() is not None:
            say("The engine ended and is started again.")
            time.sleep(1.0)
            engine = processes.start("rapport.cli", "worker")
    for process in (web, engine, *others):
        processes.stop(process)
    return 0 if stopping.is_set() else 1


def _web(told: Told) -> int:
    config = uvicorn.Config(
        "rapport.asgi:application",
        host=told.host,
        port=told.port,
        log_level="warning",
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    try:
        server.run()
    except SystemExit as error:
        raise Failed(f"Port {told.port} on {told.host} is in use. Choose another: --port N") from error
    return 0 if server.started else 1


def _worker(_: Told) -> int:
    engine = Engine(JOBS)

    def stop(_number: int, _frame: FrameType | None) -> None:
        engine.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    logging.getLogger("rapport").setLevel(logging.INFO)
    engine.run()
    return 0
