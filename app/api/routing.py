"""Routes on the raw path: WSGI servers decode ``PATH_INFO``, which would turn ``a%2Fb`` into two segments."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class RawPath:
    """Gives the application the path as it was sent, without one trailing slash."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        target: str = environ["RAW_URI"]
        path = target.partition("?")[0] if target.startswith("/") else urlsplit(target).path
        environ["PATH_INFO"] = path.removesuffix("/") or "/"
        return self._application(environ, start_response)
