"""What the supervisor's children get as environment: the settings they must agree on."""

import os

from app.cli.supervision import notify
from app.config import Settings
from app.config.certificates import CHECKED
from app.config.options import options, variable_name
from app.observability.state import ROOT
from app.server.lifeline import LISTENER, SUPERVISOR

_DECIDED = ("home", "database.embedded", "database.host", "database.port", "database.user")
_DATABASE = ("database.password", "database.database", "database.ssl_mode")


def child_environment(settings: Settings, listener: int | None) -> dict[str, str]:
    """The supervisor's own environment, with what it decided itself spelled out."""
    known = {option.key: option for option in options(Settings)}
    environment = {**os.environ, SUPERVISOR: str(os.getpid()), CHECKED: "1"}
    environment.pop(notify.VARIABLE, None)  # gunicorn would announce itself too early
    for key in (*_DECIDED, *_DATABASE):
        file = f"{variable_name(key)}_FILE"
        if settings.database.embedded:
            environment.pop(file, None)
        if file not in environment:  # a secret in a file stays there
            environment[variable_name(key)] = known[key].kind.show(settings.value(key))
    if settings.origin("auth.signing_key") == "default":
        environment[variable_name("auth.signing_key")] = settings.auth.signing_key  # one that was made here
    if listener is not None:
        environment[LISTENER] = str(listener)
    if (ROOT / "setup.cfg").is_file():  # a checkout that is not installed
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return environment
