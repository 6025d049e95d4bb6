"""gunicorn's own messages as lines of ours: ``logger_class`` in gunicorn.conf.py."""

from typing import Any

from gunicorn.glogging import Logger

from app.observability.logs import JsonHandler


class JsonLogger(Logger):  # type: ignore[misc]
    """Master and workers write JSON lines to standard output; no access log, the request line is ours."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self._access_log_enabled = False
        self.access_log.handlers.clear()
        self.error_log.handlers[:] = [JsonHandler()]
