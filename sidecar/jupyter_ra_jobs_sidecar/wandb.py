"""Hears `WANDB_RUN_DIR: <path>` in the command's output."""

_MARK = b"WANDB_RUN_DIR:"
_LONGEST = 4096


class RunDirLines:
    """Finds the paths in output that comes in pieces, cut anywhere.

    A path ends with its line, or with an escape sequence; a longer one than 4 KB is none.
    """

    def __init__(self) -> None:
        self._held = b""
        """What could be the beginning of a mark, or of a line with one."""

    def feed(self, output: bytes) -> list[str]:
        """The paths whose lines this output completes."""
        data = self._held + output if self._held else output
        self._held = b""
        paths: list[str] = []
        at = data.find(_MARK)
        while at >= 0:
            begin = at + len(_MARK)
            line = data[begin : begin + _LONGEST]
            ends = [end for end in (line.find(b"\n"), line.find(b"\r")) if end >= 0]
            if not ends and len(line) < _LONGEST:
                self._held = data[at:]
                return paths
            if ends:
                paths += _path(line[: min(ends)])
            at = data.find(_MARK, begin)
        for size in range(len(_MARK) - 1, 0, -1):
            if data.endswith(_MARK[:size]):
                self._held = data[-size:]
                break
        return paths

    def end(self) -> list[str]:
        """The path in the last line, should nothing have ended that."""
        return self.feed(b"\n")


def _path(line: bytes) -> list[str]:
    """What a line names, as a list of one; of none, when it is no text or nothing."""
    try:
        path = line.partition(b"\x1b")[0].strip().decode()
    except UnicodeDecodeError:
        return []
    return [path] if path and "\0" not in path else []
