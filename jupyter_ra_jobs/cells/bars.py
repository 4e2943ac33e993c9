"""A progress bar while something is waited for, where tqdm is installed; and what is said meanwhile."""

import importlib.util
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jupyter_ra_jobs.cells.plain import clip


class _Shown(threading.local):
    """The bar that this thread shows."""

    tell: Callable[[str], object] | None = None


_shown = _Shown()


def tell(sentence: str) -> None:
    """Say something to who waits: in the bar if there is one, else on stderr."""
    line = clip(sentence, 500)
    if _shown.tell is not None:
        _shown.tell(line)
    else:
        print(line, file=sys.stderr, flush=True)


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
        last = ""

        def show(done: float, word: str) -> None:
            nonlocal last
            last = word
            shown.n = min(done, total)
            shown.set_postfix_str(word)

        def tell_beside(line: str) -> None:
            if _in_a_notebook():
                shown.set_postfix_str(f"{last}; {line}")
            else:  # which has no room for it
                shown.write(line, file=sys.stderr)

        _shown.tell = None if shown.disable else tell_beside
        try:
            yield show
        finally:
            _shown.tell = None


def _in_a_notebook() -> bool:
    """Whether a cell shows what is printed, though that is no terminal."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")
