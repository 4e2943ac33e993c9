"""The way to the server, from what server.json says; the sidecar and the doctor take the same."""

import socket
from typing import Any


def connect(server: dict[str, Any], seconds: float) -> socket.socket:
    """A connection to it, with this time limit for each step. Raises OSError, KeyError and ValueError."""
    if "socket" in server:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(seconds)
        connection.connect(server["socket"])
    else:
        connection = socket.create_connection((server["host"], int(server["port"])), seconds)
    if server["scheme"] != "https":
        return connection
    with connection:  # which is an empty shell once it is wrapped
        import ssl

        # The server's own certificate is the only one that counts; what name it bears does not.
        context = ssl.create_default_context(cafile=server.get("certificate"))
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context.wrap_socket(connection)
