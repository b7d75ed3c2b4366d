"""The dashboard under a path and behind a proxy: its pages ask for everything below that path, whatever the scheme.

optuna-dashboard knows no path but the root: its page and its script are written anew for another one.
"""

import gzip
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from search.dashboard.guard import Application, Environ, Headers
from search.errors import SearchError

_SCRIPT = "/static/bundle.js"
_OUTDATED = ("content-length", "content-encoding", "etag", "last-modified", "accept-ranges")
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_IF_RANGE")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of optuna-dashboard as it is under another path, plain and compressed."""

    plain: bytes
    compressed: bytes


class Mounted:
    """An application whose root is `path`, whether a proxy passes that on or takes it away.

    Raises SearchError if this optuna-dashboard is another than the one whose files can be written anew.
    """

    def __init__(self, application: Application, path: str = "/") -> None:
        self._application, self._prefix = application, path.rstrip("/")
        self._page = _page(self._prefix) if self._prefix else None
        self._script = _script(self._prefix) if self._prefix else None

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        environ["PATH_INFO"] = path = self._below(environ.get("PATH_INFO", ""))
        environ.setdefault("HTTP_ACCEPT_ENCODING", "identity")  # which optuna-dashboard takes for granted
        asset = self._asset(path)
        if asset is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return self._application(
                environ, lambda status, headers, *more: self._start(start_response, status, headers, *more)
            )
        for condition in _CONDITIONS:
            environ.pop(condition, None)  # of the file as it was written
        return self._answer(asset, environ, start_response)

    def _below(self, path: str) -> str:
        if self._prefix and (path == self._prefix or path.startswith(f"{self._prefix}/")):
            return path.removeprefix(self._prefix) or "/"
        return path

    def _asset(self, path: str) -> Asset | None:
        if path == "/dashboard" or path.startswith("/dashboard/"):
            return self._page
        return self._script if path == _SCRIPT else None

    def _start(self, start: Callable[..., Any], status: str, headers: Headers, *more: Any) -> Any:
        """Begin an answer whose redirection names neither scheme nor host: a proxy may have others."""
        return start(status, [(k, self._moved(v)) if k.lower() == "location" else (k, v) for k, v in headers], *more)

    def _moved(self, location: str) -> str:
        parts = urlsplit(location)
        return self._prefix + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def _answer(self, asset: Asset, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Let the application say whether the asset may be had, and with which headers; its content is ours."""
        started: list[tuple[Any, ...]] = []
        content = self._application(environ, lambda *arguments: started.append(arguments))
        status, headers, *more = started[-1]
        if not status.startswith("200"):
            self._start(start_response, status, headers, *more)
            return content
        if hasattr(content, "close"):
            content.close()
        packed = "gzip" in environ["HTTP_ACCEPT_ENCODING"]
        body = asset.compressed if packed else asset.plain
        kept = [(name, value) for name, value in headers if name.lower() not in _OUTDATED]
        kept += [("Content-Length", str(len(body))), ("Vary", "Accept-Encoding")]
        start_response(status, [*kept, ("Content-Encoding", "gzip")] if packed else kept)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _page(prefix: str) -> Asset:
    icon = f'</title><link rel="icon" href="{prefix}/favicon.ico">'
    return _rewritten("index.html", {'src="/static/': f'src="{prefix}/static/', "</title>": icon})


def _script(prefix: str) -> Asset:
    """Return the script that asks below `prefix` for pages, answers and artifacts."""
    changes = {
        'url_prefix:"/dashboard"': f'url_prefix:"{prefix}/dashboard"',
        "this.baseURL=(": f'this.baseURL="{prefix}"+(',
        "`/artifacts/": f"`{prefix}/artifacts/",
        "`${e}/artifacts/": f"`{prefix}${{e}}/artifacts/",
        "](/artifacts/": f"]({prefix}/artifacts/",
    }
    return _rewritten("public/bundle.js", changes)


def _rewritten(name: str, changes: dict[str, str]) -> Asset:
    import optuna_dashboard

    text = (Path(optuna_dashboard.__file__).parent / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        if old not in text:
            raise SearchError(
                f"dashboard_path cannot be had with optuna-dashboard {optuna_dashboard.__version__}, whose {name} has "
                f"no {old!r}; leave dashboard_path out, and give the dashboard a host name of its own"
            )
        text = text.replace(old, new)
    plain = text.encode()
    return Asset(plain, gzip.compress(plain, 6))
