"""One process that answers requests and does the jobs.

waitress runs the WSGI application on threads in this very process, which matters: the in-process event engine locks its
folder to one process, so nothing may fork between us and it.
"""

import gc
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType

from whytree import options
from whytree.workspace.terminal.client import CommandError
from whytree.workspace.terminal.serving import announced, running_server

from ..boot import prepare

log = logging.getLogger("whytree")

# How long a thread that computes keeps the interpreter while another one wants it. A page lets it go at each of its queries,
# and with the usual 5 ms waits so long for whoever reads events, each time (docs/decisions/0052).
SWITCH_SECONDS = 0.001


def serve(chosen: options.Options, *, ready: Callable[[str], None]) -> None:
    """Answer until a signal says stop; `ready` is called with the address once requests are taken."""
    data = options.ensure_data_folder(chosen)
    running = running_server(data)
    if running:
        raise CommandError(f"A server is running on {data} already: {running}. Use it, or stop it first.")
    application = prepare()
    listener = _listen(chosen.host, chosen.port)

    import waitress
    from django.conf import settings

    from whytree.errors import WhytreeError
    from whytree.stores.engine.damage import damage
    from whytree.workspace.background.jobs import start_workers
    from whytree.workspace.background.lifecycle import run_start, shut_down

    from .lanes import Channel, Lanes
    from .room import keep_room

    try:
        if damaged := damage():  # opens and migrates the event store before the first request
            log.error(damaged)
        run_start()
    except WhytreeError as error:
        raise CommandError(error.message) from error
    server = waitress.create_server(
        application,
        sockets=[listener],
        _dispatcher=Lanes(chosen.threads),
        max_request_body_size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1024,
        channel_timeout=60,
        connection_limit=2000,
        cleanup_interval=1,
        recv_bytes=65_536,  # a batch of events is some 50 KB: read it in one go, not in eight
        asyncore_use_poll=True,  # select() stops at descriptor 1,024, and the event engine keeps many open
        ident="whytree",
        clear_untrusted_proxy_headers=False,  # `proxies.BehindProxy` does, for every WSGI server
    )
    server.channel_class = Channel
    keep_room(server)
    # The command line on this machine goes straight to the port; people are told the public address.
    address = f"http://{_shown_host(chosen.host)}:{listener.getsockname()[1]}"
    stop = threading.Event()
    workers = start_workers(stop) if chosen.jobs else []
    _stop_on_signals(stop)
    gc.freeze()  # what start-up made stays: looking through it again and again took 4 % of capture's time
    gc.set_threshold(20_000, 20, 20)
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        with announced(data, address):
            ready(chosen.public_url or address)
            server.run()
    finally:
        # Nothing else of the server is closed: a request that outlives it would still write to its waker's descriptor, which
        # may be another file's by then.
        listener.close()
        stop.set()
        for worker in workers:
            worker.join(timeout=20)
        shut_down()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"Port {port} on {host} cannot be used: {error.strerror}. Choose another: WHYTREE_PORT=8788"
        ) from error
    listener.listen(1024)
    return listener


def _shown_host(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _stop_on_signals(stop: threading.Event) -> None:
    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():  # a second Ctrl-C does not wait
            raise SystemExit(130)
        stop.set()
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
