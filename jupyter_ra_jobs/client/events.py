"""Server-sent events: from bytes, however they were cut, to the data of each event."""


class Events:
    """Reads the form that our server writes: one `data:` line an event."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, part: bytes) -> list[bytes]:
        """The data of the events that are whole now."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        return [line.removeprefix(b"data:").strip() for line in lines if line.startswith(b"data:")]
