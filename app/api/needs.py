"""What a route needs, said beside it: checked before its view function runs, published, tested against."""

from app.auth.decide import Need
from app.auth.privileges import Privilege

SOMEBODY = Need(text="to be authenticated")
"""Being somebody is enough."""
ADMINISTRATION = Need((Privilege.ADMINISTER,), "server")
SECURITY = ADMINISTRATION._replace(is_security=True)
"""About who may come in and do what: settings that let everybody do all do not mean this."""
CREATING = Need((Privilege.CREATE,), "namespace")


def needs(*privileges: Privilege, on: str, is_signing: bool = False) -> Need:
    """One of ``privileges`` (without any: to see it) on what the path names.

    :param on: ``server``, ``warehouse``, ``namespace``, ``table``, ``view`` or ``function``
    :param is_signing: whether a credential with the scope ``sign`` will do
    """
    return Need(privileges, on, is_signing=is_signing)


def asks(text: str) -> Need:
    """The view function asks by itself, as what is needed depends on the request's body."""
    return Need(text=text)


def describe(need: Need) -> str:
    """What the document says of it."""
    if need.text:
        return f"Needs {need.text}."
    if not need.privileges:
        return f"Needs any privilege on the {need.on}" + (
            " or on something in it." if need.on in ("warehouse", "namespace") else "."
        )
    wanted = " or ".join(f"`{privilege}`" for privilege in need.privileges)
    where = "the namespace of the function" if need.on == "function" else f"the {need.on}"
    return f"Needs {wanted} on {where}."
