"""The server's settings: which of them would it not take?"""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from traitlets import TraitError
from traitlets.config import Config

from jupyter_ra_jobs.app import RaJobsApp
from jupyter_ra_jobs.doctor.findings import Finding, fail

_EVERYTHING_HANGS_ON = "workdir"


def checked(config: Config, files: Iterable[str]) -> tuple[RaJobsApp | None, list[Finding]]:
    """The settings, with the defaults in the place of wrong ones; None without a workdir to look at."""
    config = deepcopy(config)
    findings = []
    for section in RaJobsApp.section_names():
        for name, value in list(config.get(section, {}).items()):
            try:
                RaJobsApp(config=Config({section: {name: value}}))
            except TraitError as problem:
                findings.append(_wrong(section, name, value, problem, files))
                del config[section][name]
                if name == _EVERYTHING_HANGS_ON:
                    return None, findings
    return RaJobsApp(config=config), findings


def _wrong(section: str, name: str, value: Any, problem: TraitError, files: Iterable[str]) -> Finding:
    trait = RaJobsApp.class_traits()[name]
    given = repr(str(value) if isinstance(value, str) else value)  # from the command line: a str of its own
    bounds = [
        f"{word} {bound}" for word in ("min", "max") if (bound := getattr(trait, word, None)) is not None
    ]
    right = ", ".join([trait.info(), *bounds])
    where = "".join(f"in {file}, or " for file in files)
    return fail(
        "settings",
        f"{section}.{name} can't be {given}: {problem}",
        f"{where}on the command line, set it to {right}; its default is {trait.default()!r} "
        "(docs/configuration.md)",
    )
