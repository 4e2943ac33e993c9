"""The options of the command that starts a server, looked at before it does: Jupyter takes any."""

import difflib
from collections.abc import Iterable, Sequence

from jupyter_core.application import JupyterApp
from jupyter_server.serverapp import ServerApp, aliases, flags

from jupyter_ra_jobs.cli.verbs import APPS, VERBS

_MISTYPED = 0.88  # of 1, by difflib: a letter or two
_STOPPING = {"-h", "--help", "--help-all", "--version", "-V"}


def complaint(words: Sequence[str], app: type[JupyterApp]) -> str | None:
    """What is wrong with them, in a line; None if nothing is. Other extensions' settings are not judged."""
    left = list(words[: words.index("--")] if "--" in words else words)
    if _STOPPING & set(left):
        return None
    switches, valued = _spelled(flags), _spelled([*aliases, *app.aliases])
    while left:
        word = left.pop(0)
        option, given, _ = word.partition("=")
        if not word.startswith("-"):
            if word in VERBS or word in APPS:
                return f"{word} must come first: jupyter ra-jobs {word} …"
            continue
        if option in switches or _is_short_for(option, switches | valued):
            continue
        right = None if option in valued else _right(option, switches | valued, app)
        if right is not None:
            verb = next((each for each in left if each in VERBS or each in APPS), None)
            if verb is not None:
                return f"an option of a verb goes behind it: jupyter ra-jobs {verb} {option} …"
            return f"{option} is no option; {right}"
        if not given:
            left[:1] = []  # its value
    return None


def _spelled(names: Iterable[str | tuple[str, ...]]) -> set[str]:
    """As they stand on a command line."""
    each = {name for some in names for name in ([some] if isinstance(some, str) else some)}
    return {f"--{name}" for name in each} | {f"-{name}" for name in each if len(name) == 1}


def _is_short_for(option: str, known: set[str]) -> bool:
    """Whether argparse may complete it, which in these parsers it does for names with a dash alone."""
    return "-" in option.lstrip("-") and any(each.startswith(option) for each in known)


def _alike(kind: str, known: Iterable[str]) -> list[str]:
    """Which of these a class is that was mistyped: other extensions have classes of their own."""
    return difflib.get_close_matches(kind, known, 1, cutoff=_MISTYPED)


def _right(option: str, known: set[str], app: type[JupyterApp]) -> str | None:
    """Advice for an option that there is not; None if there may be."""
    kind, dot, name = option.lstrip("-").partition(".")
    name = name.partition(".")[0]  # a key of a setting that is a dict may follow
    if dot and name[:1].isupper():  # a class within a class
        return None
    judged = {each.__name__: each for each in (app, ServerApp)}
    if dot and kind not in judged:
        return next((f"did you mean --{each}.{name}?" for each in _alike(kind, judged)), None)
    app = judged.get(kind, app)
    settings = {name: f"--{app.__name__}.{name}" for name in app.class_trait_names(config=True)}
    if dot and name in settings:
        return None
    alike = difflib.get_close_matches((name or kind).replace("-", "_"), settings, 1)
    near = [settings[each] for each in alike] if dot else difflib.get_close_matches(option, known, 1)
    near = near or [settings[each] for each in alike]
    return f"did you mean {near[0]}?" if near else "see jupyter ra-jobs --help"
