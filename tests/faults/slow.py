"""A client that reads as slowly as it likes."""

import socket
import struct
import time

from tests.conftest import PATIENCE, TOKEN, Server

_ROOM = 4096  # bytes that the kernel takes in advance, and doubles


class Reader:
    """A GET whose answer is read only as far as it is asked for; leaving it closes the connection."""

    def __init__(self, server: Server, path: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(("127.0.0.1", server.port))
        lines = [f"GET {server.base_url}ra-jobs{path} HTTP/1.0", "Host: 127.0.0.1"]
        self._socket.sendall("\r\n".join([*lines, f"Authorization: token {TOKEN}", "", ""]).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._socket.recv(1)
        assert head.startswith(b"HTTP/1.1 200"), head

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def take(self, size: int) -> bytes:
        """So many bytes."""
        taken = b""
        while len(taken) < size:
            more = self._socket.recv(size - len(taken))
            assert more, "it ended"
            taken += more
        return taken

    def slowly(self, piece: int, pause: float) -> bytes:
        """Read on for more than the server's patience, with pauses."""
        taken = b""
        for _ in range(75):
            taken += self.take(piece)
            time.sleep(pause)
        return taken

    def rest(self) -> bytes:
        """All that comes, to its end."""
        taken = bytearray()
        while more := self._socket.recv(1 << 20):
            taken += more
        return bytes(taken)

    def reset(self) -> None:
        """Be gone without a goodbye."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()
