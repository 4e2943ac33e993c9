"""Output as a terminal would show it in the end."""

import random
import string

import pytest

from jupyter_ra_jobs.mcp_server.plain import fold, plain, shorten


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("", ""),
        ("one\ntwo\n", "one\ntwo"),
        ("\n\none\n\n", "\n\none\n"),
        ("a\r\nb\r\n", "a\nb"),
        ("\x1b[1;31mred\x1b[0m and \x1b[38;5;12mblue\x1b[m", "red and blue"),
        ("  1%|   |\r 50%|=  |\r100%|===|\ndone", "100%|===|\ndone"),
        ("working...\rok\x1b[K\n", "ok"),
        ("working...\rok\n", "okrking..."),  # a terminal shows no less
        ("working\x1b[2K\rok", "ok"),
        ("bar\r   \rnext", "next"),
        ("abc\b\bX", "aXc"),
        ("outer 1\ninner 1\x1b[A\router 2\ninner 2\n", "outer 2\ninner 2"),
        ("one\ntwo\n\x1b[1A\x1b[2Kthree\n", "one\nthree"),
        ("one\ntwo\nthree\x1b[2F\x1b[Jfour", "four"),
        ("\x1b]0;a title\x07text\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "textlink"),
        ("\x1b[2J\x1b[Htop\x1b[5;5Hthere", "top\nthere"),
        ("a\x1b[4Cb\x1b[2Dc\x1b[1Gd", "d   cb"),
        ("cut \x1b[3", "cut"),
        ("nul\0 bell\x07 c1\x9b tab\tend", "nul bell c1 tab\tend"),
        ("größe 日本\r", "größe 日本"),
    ],
)
def test_fold(printed: str, shown: str) -> None:
    """What is left."""
    assert plain(printed) == shown


def test_whatever() -> None:
    """No output makes it fail, and none is long to fold: what a program could print to harm it."""
    chance = random.Random(7)
    signs = [
        "\x1b",
        "[",
        "]",
        "\r",
        "\n",
        "\b",
        ";",
        "9",
        "A",
        "B",
        "C",
        "D",
        "G",
        "H",
        "J",
        "K",
        *string.printable,
    ]
    for _ in range(200):
        assert "\x1b" not in plain("".join(chance.choices(signs, k=500)))
    for text in (
        "x" * 50_000 + "\rx" * 50_000,
        "\x1b[999C" * 20_000 + "x",
        "\n" * 50_000 + "\x1b[A" * 20_000,
    ):
        assert sum(map(len, fold(text))) <= len(text)


def test_shorten() -> None:
    """Says how much is left out."""
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd" * 1_000, 3) == "abc… [3,997 more characters]"
