"""Two terminals: the command's own pty, and the tmux window that shows it."""

import contextlib
import fcntl
import os
import re
import struct
import termios

_CHUNK = 65536
_READ_AT_ONCE = 16 * _CHUNK
_WINDOW_HOLDS = 256 * 1024
_KEYS_HELD = 4096
_DEFAULT_SIZE = (24, 80)

# What a terminal answers when output asks it for its name, size, cursor position, colours, settings.
_ANSWERS = re.compile(rb"\x1b(?:\[[?>]?[0-9;]*\$?[cnRty]|\[\?[0-9;]*u|[P\]_][^\x07\x1b]*(?:\x07|\x1b\\))")

# Indices into what termios.tcgetattr returns.
_IFLAG, _OFLAG, _LFLAG, _CC = 0, 1, 3, 6


class Pty:
    """The command's terminal. What the command writes is read here, to the last byte, unchanged."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.master, self.slave = os.openpty()
        mode = termios.tcgetattr(self.slave)
        mode[_OFLAG] &= ~termios.ONLCR  # the log gets \n where the command wrote \n
        mode[_IFLAG] |= getattr(termios, "IUTF8", 0)
        termios.tcsetattr(self.slave, termios.TCSANOW, mode)
        os.set_blocking(self.master, False)
        self._keys = bytearray()
        self.resize(size)

    def control(self) -> None:
        """In the child: lead a session whose terminal, and standard streams, this is."""
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(self.slave, fd)

    def resize(self, size: tuple[int, int]) -> None:
        """Rows and columns; the kernel tells the command's foreground processes."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def let_go(self) -> None:
        """Close our copy of the command's side: from now on its last holder's exit ends the output."""
        os.close(self.slave)

    def read(self) -> tuple[bytes, bool]:
        """What there is, up to a bound, and whether this was the end: nobody can write any more."""
        parts: list[bytes] = []
        size = 0
        while size < _READ_AT_ONCE:
            try:
                part = os.read(self.master, _CHUNK)
            except BlockingIOError:
                break
            except OSError:  # EIO: the last holder of the other side is gone, and all was read
                return b"".join(parts), True
            if not part:
                return b"".join(parts), True
            parts.append(part)
            size += len(part)
        return b"".join(parts), False

    def type(self, keys: bytes) -> None:
        """Hand keys to the command; what it can't take yet waits here.

        A program that asks its terminal something reads the answer raw. To one that reads lines tmux
        answers unasked, since a query was in a binary file, say: the echo of that would be in the log.
        """
        if keys and self._reads_lines():
            keys = _ANSWERS.sub(b"", keys)
        self._keys += keys
        with contextlib.suppress(BlockingIOError, OSError):
            while self._keys:
                del self._keys[: os.write(self.master, self._keys)]

    @property
    def typing(self) -> bool:
        """Whether keys wait that the command has not taken."""
        return bool(self._keys)

    @property
    def full(self) -> bool:
        """Whether more keys should wait in the window."""
        return len(self._keys) >= _KEYS_HELD

    def _reads_lines(self) -> bool:
        return bool(termios.tcgetattr(self.master)[_LFLAG] & termios.ICANON)

    def translates_output(self) -> bool:
        """False once the command has set its terminal raw, as full-screen programs do."""
        return bool(termios.tcgetattr(self.master)[_OFLAG] & termios.OPOST)


class Window:
    """The tmux pane that this process runs in: shows the output, takes keys, tells its size.

    It never slows the command: what the pane cannot take is skipped there, with a notice.
    """

    def __init__(self, keys_fd: int, screen_fd: int) -> None:
        self.keys_fd = keys_fd
        self.screen_fd = screen_fd
        self._waiting = bytearray()
        self._skipped = 0
        self._mode = termios.tcgetattr(keys_fd)
        self._mode[_IFLAG] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON | termios.ISTRIP)
        self._mode[_LFLAG] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
        self._mode[_CC][termios.VMIN], self._mode[_CC][termios.VTIME] = 1, 0
        self._translates = bool(self._mode[_OFLAG] & termios.OPOST)
        termios.tcsetattr(keys_fd, termios.TCSANOW, self._mode)
        os.set_blocking(keys_fd, False)
        os.set_blocking(screen_fd, False)

    @classmethod
    def open(cls) -> "Window | None":
        """The window on this process's own standard streams; None where they are no terminal."""
        if not (os.isatty(0) and os.isatty(1)):
            return None
        return cls(0, 1)

    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        try:
            rows, columns, _, _ = struct.unpack(
                "HHHH", fcntl.ioctl(self.screen_fd, termios.TIOCGWINSZ, b"\0" * 8)
            )
        except OSError:
            return _DEFAULT_SIZE
        return (rows, columns) if rows and columns else _DEFAULT_SIZE

    def keys(self) -> bytes:
        """What was typed; raises OSError when the window is gone."""
        try:
            typed = os.read(self.keys_fd, _KEYS_HELD)
        except BlockingIOError:
            return b""
        if not typed:
            raise OSError("the window is closed")
        return typed

    def show(self, output: bytes, translates: bool) -> None:
        """Show output, or skip it while the window holds as much as it may."""
        if translates != self._translates:
            self._translate(translates)
        if self._skipped or len(self._waiting) + len(output) > _WINDOW_HOLDS:
            self._skipped += len(output)
        else:
            self._waiting += output
        self.flush()

    def flush(self) -> None:
        """Give the pane what it takes; raises OSError when the window is gone."""
        try:
            while self._waiting:
                del self._waiting[: os.write(self.screen_fd, self._waiting[:_CHUNK])]
                if not self._waiting and self._skipped:
                    notice = f"\x1b[0m\r\n[{self._skipped:,} bytes not shown here; run.log has them]\r\n"
                    self._waiting += notice.encode()
                    self._skipped = 0
        except BlockingIOError:
            pass

    @property
    def behind(self) -> bool:
        """Whether output waits that the pane has not taken."""
        return bool(self._waiting)

    def _translate(self, translates: bool) -> None:
        """Follow the command's terminal: cooked output ends lines with \\n alone, raw output means it."""
        self._translates = translates
        if translates:
            self._mode[_OFLAG] |= termios.OPOST
        else:
            self._mode[_OFLAG] &= ~termios.OPOST
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self.keys_fd, termios.TCSANOW, self._mode)
