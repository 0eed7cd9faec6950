"""Ports of this machine: whether one is free before a server is started on it."""

import socket

from localcloud.errors import PortTakenError


def ensure_free(port: int, setting: str) -> None:
    """Raise PortTakenError, naming the setting, when a listener holds 127.0.0.1:port.

    Port 0 always passes: the operating system will choose a free one.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Without it, connections of a server that has just stopped would count as a taken port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTakenError(port, setting) from error
