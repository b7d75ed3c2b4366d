"""optuna-dashboard for a storage, under a production server."""

import ipaddress
import logging
from collections.abc import Callable

from search.errors import SearchError
from search.storage import open_storage, quieten_optuna

THREADS = 8


def serve(url: str, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; calls `ready` with the page's address once it listens.

    Anybody who reaches the page may delete studies, so that it listens on the loopback interface alone. Raises
    SearchError for another address, one that is taken, or a storage that is none.
    """
    host = _loopback(host)
    import optuna_dashboard
    import waitress

    quieten_optuna()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a full queue for a moment is how polling looks
    application = optuna_dashboard.wsgi(open_storage(url).rdb)
    try:
        server = waitress.create_server(application, host=host, port=port, threads=THREADS)
    except OSError as error:
        raise SearchError(
            f"the dashboard cannot listen on {host}:{port}: {error.strerror}; choose another --port"
        ) from error
    shown = f"[{host}]" if ":" in host else host
    ready(f"http://{shown}:{server.effective_port}/")
    try:
        server.run()
    finally:
        server.close()


def _loopback(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"  # the name may stand for two addresses, and so for two servers with two ports
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise SearchError(
            f"host is {host!r}; the dashboard has no protection of its own and listens on 127.0.0.1 alone"
        )
    return host
