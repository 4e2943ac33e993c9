"""A progress bar while something is waited for, where tqdm is installed."""

import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jupyter_ra_jobs.cells.plain import clip


@contextmanager
def bar(name: str, total: float, wanted: bool | None) -> Iterator[Callable[[float, str], None]]:
    """Shows how far it is, of `total`, with a word beside; None: only to somebody who looks."""
    if wanted is False or (wanted is None and importlib.util.find_spec("tqdm") is None):
        yield lambda done, word: None
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that ipywidgets is missing: then the bar is text
        from tqdm.auto import tqdm

    hidden = None if wanted is None and not _in_a_notebook() else False  # None: unless stderr is a terminal
    with tqdm(total=total, desc=clip(name, 40), disable=hidden, leave=True) as shown:

        def show(done: float, word: str) -> None:
            shown.n = min(done, total)
            shown.set_postfix_str(word)

        yield show


def _in_a_notebook() -> bool:
    """Whether a cell shows what is printed, though that is no terminal."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")
