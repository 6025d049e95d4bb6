"""gunicorn's own messages as the JSON lines of everything else."""

from typing import Any

from gunicorn.glogging import Logger

from app.observability.logs import JsonHandler


class JsonLogger(Logger):  # type: ignore[misc]
    """No access log: the application writes its own line per request."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers[:] = [JsonHandler()]
        self.access_log.handlers.clear()
