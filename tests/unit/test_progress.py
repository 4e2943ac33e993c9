"""The last progress bar in a log's tail, as each library draws it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ra_jobs.progress import TAIL, Epoch, look, progress

BARS = {
    " 37%|███▋      | 37/100 [00:01<00:02, 30.00it/s]": 37,
    "train:  45%|####5     | 45/100 [00:01<00:01, 5it/s, loss=0.3, acc=97%]": 45,
    "  5%|▌         | 1.2M/23.4M [00:01<00:20, 1.1MB/s]": 5,
    "train: 45% 45/100 [00:01<00:02, 3it/s]": 45,
    "Working... ━━━━━━━━━━━╸━━━━━━━━━━  45% 0:00:10": 45,
    "   ━━━━━━━━━━━━━━━━━━━ 12.5/50.0 MB 5.0 MB/s eta 0:00:07": 25,
    "\x1b[1m37/100\x1b[0m \x1b[32m━━━━━\x1b[0m\x1b[37m━━━━━━━━━\x1b[0m 2s 30ms/step - acc: 0.9": 37,
    "3/10 [=======>......................] - ETA: 3s - loss: 0.5": 30,
    "[#####     ] 50%": 50,
    "|█████-----| 50.0% Complete": 50,
    "data.tar  45%[=======>         ]   1.21M  600KB/s": 45,
    "##################                                45.2%": 45.2,
    "\r45.2%": 45.2,
    "3/10 [==>....]" + "\b" * 14 + "4/10 [===>...]": 40,
    "INFO Progress: 45%": 45,
    "Epoch 3/10": 30,
    "epoch [3/10]": 30,
    "Epoch 003/010 | loss 0.3 | acc 97.5%": 30,
    "2024-01-03 12:00:00 epoch 3 of 10 took 5 s": 30,
    "Step 100/1000": 10,
    "iteration: 5/20 loss 3": 25,
    "Epoch [3/10], Step [100/600], Loss: 0.3": 21.67,
    "Epoch 3/10: 45%|####5     |": 24.5,
    "Epoch 3/10:  45%|####5     | 45/100 [00:01<00:02]": 24.5,
    "Epoch 3/10 ━━━━━━━━━━━━━━ 45/100 0:00:02 • 0:00:03": 24.5,
    "Epoch 3/10\n 45/100 [=====>......] - ETA: 3s": 24.5,
    "Epoch 3/10\n\r 44%|####| 44/100 [00:01<00:02]\r 45%|####| 45/100 [00:01<00:02]": 24.5,
    # An epoch without a total: only the epoch's own bar can be told.
    "Epoch 3:  45%|████▌     | 45/100 [00:01<00:01, v_num=2]": 45,
    "Epoch: [3][ 45/100]\tTime  0.1 (0.2)\tLoss 3.2": 45,
    "Epoch [1][50/200]\tlr: 0.1, loss: 3": 25,
}
NO_BARS = [
    "",
    "acc: 97.5%",
    "GPU 45%",
    "97.5%",
    "val loss 0.3, accuracy 97.5% (best 98%)",
    "| metric | 97%|",
    "| 97% | 45% |",
    "37it [00:01, 30.00it/s]",
    "loss 3/10",
    "Epoch 12/10",
    "Epoch 3/0",
    "minibatch 3/4",
    "2024/01/03 12:00",
    "-------- 45% --------",
    "250%|####| 5/2 [00:01<00:02]",
]


@pytest.mark.parametrize("text", BARS)
def test_bars(text: str) -> None:
    """Each, alone and with lines around it."""
    assert progress(text.encode()) == BARS[text]
    assert progress(f"hello\n{text}\nacc: 97.5%\n".encode()) == BARS[text]


@pytest.mark.parametrize("text", NO_BARS)
def test_no_bars(text: str) -> None:
    """A percentage in a sentence, a table, a bar without a total, numbers that make no sense."""
    assert progress(text.encode()) is None


def test_last_bar_counts() -> None:
    """Redrawn in place or one after the other; wiped away at its end, it still counts."""
    bar = "{:3d}%|#####     | {}/100 [00:01<00:02]"
    drawn = "\r".join(bar.format(n, n) for n in range(40))
    assert progress(drawn.encode()) == 39
    assert progress(f"{drawn}\n\r{bar.format(7, 7)}".encode()) == 7
    assert progress(f"{drawn}\r{' ' * 40}\r".encode()) == 39


def test_half_drawn() -> None:
    """The log is read while it is written: half a bar is none yet."""
    whole = b"\r 41%|####      | 41/100 [00:01<00:02]\r 42%|####      | 42/100 [00:01<00:02]"
    for length in range(len(whole) // 2, len(whole)):
        assert progress(whole[:length]) in (41, 42)


def test_tail_that_begins_anywhere() -> None:
    """What is cut at its beginning may be half a number: not taken."""
    text = b"\r100%|##########| 100/100 [00:01<00:00]" * 1_000
    for cut in range(60):
        assert progress(text[cut : TAIL + cut]) == 100
    assert progress(b"00%|" + b"#" * TAIL) is None


def nested(outer: int, inner: int) -> str:
    """As tqdm draws two bars: the cursor comes back to the outer one."""
    return (
        f"\router: {outer:3d}%|###   | {outer}/100 [00:01<00:02]"
        f"\n\rinner: {inner:3d}%|###   | {inner}/100 [00:01<00:02]\x1b[A"
    )


def test_outer_of_nested() -> None:
    """The outer bar tells how far the whole is, at whatever byte the log was read."""
    drawn = "".join(nested(30, n) for n in range(0, 100, 10)).encode()
    first = len(nested(30, 0))
    assert progress(drawn) == 30
    assert {progress(drawn[:length]) for length in range(first, len(drawn))} == {30}


def test_outer_is_out_of_sight() -> None:
    """Only the inner bar was redrawn lately: nothing is known anew, rather than something wrong."""
    drawn = "".join(f"\n\rinner: {n % 100:3d}%|###   | {n % 100}/100 [00:01<00:02]\x1b[A" for n in range(500))
    assert progress(drawn.encode()) is None


def test_nested_then_another() -> None:
    """When the outer bar is complete, what comes below it counts."""
    drawn = nested(100, 100) + "\n\reval:   5%|###   | 5/100 [00:01<00:02]"
    assert progress(drawn.encode()) == 5


def test_rich_rows() -> None:
    """All rows are drawn again and again; the first that is not complete counts."""

    def frame(*rows: int) -> str:
        return "\n".join(f"task {n} ━━━━━━━━━━╸━━━ {percent:3d}% 0:00:01" for n, percent in enumerate(rows))

    again = "\r\x1b[2K\x1b[1A\x1b[2K"
    assert progress((frame(20, 80) + again + frame(30, 90)).encode()) == 30
    assert progress((frame(20, 80) + again + frame(100, 90)).encode()) == 90
    assert progress((frame(20, 80) + again + frame(100, 100) + "\n").encode()) == 100


def test_epoch_that_scrolled_away() -> None:
    """Who looks again and again still knows the epoch when its line is no longer in the tail."""
    percent, epoch = look(b"Epoch 3/10\n 1/100 [>.....]", None)
    assert (percent, epoch) == (20.1, Epoch(3, 10))
    inner = b"\r 45/100 [===>...]" * 1_000
    assert look(inner, epoch) == (24.5, epoch)
    assert look(inner, None) == (45, None)


def test_bar_over_the_epochs() -> None:
    """A bar that itself counts the epochs is not taken for a part of one."""
    assert progress(b"Epoch 3/10 loss 0.3\n\r 30%|###   | 3/10 [00:01<00:02]") == 30


@given(st.binary(max_size=2 * TAIL))
def test_any_bytes(tail: bytes) -> None:
    """Nothing that a run can write makes it fail."""
    percent = progress(tail)
    assert percent is None or 0 <= percent <= 100


PIECES = [
    *BARS,
    *NO_BARS,
    "\r",
    "\n",
    "\x1b[A",
    "\x1b[2B",
    "\x1b[999A",
    "\x1b]0;x",
    "\x1b",
    "9" * 30,
    "%|",
    "━",
    "é",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60), st.integers(0, 50))
def test_any_bars(pieces: list[str], cut: int) -> None:
    """Whatever mixture of bars and controls."""
    percent = progress("".join(pieces).encode()[cut:])
    assert percent is None or 0 <= percent <= 100


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        " ",
        "#",
        "━",
        "[",
        "|",
        "=",
        "\r",
        "\n",
        "\x1b[",
        "\x1b]",
        "%|",
        "1%|",
        "1/",
        "epoch ",
        "[=",
        "O#",
    ],
)
def test_hostile_repetition(unit: str) -> None:
    """What a careless pattern would take minutes for; pytest's time limit is the only clock here."""
    for end in ("", "%", "1%", "/", "]"):
        progress((unit * TAIL + end).encode())
