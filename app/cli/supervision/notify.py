"""Telling systemd how far the node is (``Type=notify``); does nothing elsewhere."""

import os
import socket

VARIABLE = "NOTIFY_SOCKET"


def notify(state: str) -> None:
    """Send ``READY=1`` or ``STOPPING=1`` to the service manager, if there is one."""
    address = os.environ.get(VARIABLE)
    if not address:
        return
    if address.startswith("@"):  # the abstract namespace
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.sendto(state.encode(), address)
