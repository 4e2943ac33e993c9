"""The dependency audit: what it says of an answer, and of none. (The services can't be had in a test.)"""

import json
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
ADVISORY = {"id": "GHSA-1", "fix_versions": ["7.0"], "aliases": ["CVE-1"], "description": "Lets\nanybody in."}


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool."""
    monkeypatch.syspath_prepend(TOOLS)
    import audit  # type: ignore[import-not-found]

    monkeypatch.setattr(audit, "closure", lambda *extras: {"tornado": "6.4", "six": "1.17"})
    return audit


def answers(audit: ModuleType, monkeypatch: pytest.MonkeyPatch, tornado: dict[str, Any] | None) -> None:
    """What stands for pip-audit says this of tornado, and does not know six; or fails, as it does offline."""
    script = "import sys; sys.exit('no such host')"
    if tornado is not None:
        about = [{"name": "tornado", **tornado}, {"name": "six", "skip_reason": "not found"}]
        script = f"print({json.dumps({'dependencies': about})!r})"
    monkeypatch.setattr(audit, "PIP_AUDIT", (sys.executable, "-c", script))


def test_vulnerable(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It fails, and says what to do."""
    answers(audit, monkeypatch, {"version": "6.4", "vulns": [ADVISORY]})
    assert audit.main() == 1
    said = capsys.readouterr().out
    assert "VULNERABLE tornado 6.4: GHSA-1, mended in 7.0\n    Lets anybody in." in said


def test_not_vulnerable(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says of how many it knows that."""
    answers(audit, monkeypatch, {"version": "6.4", "vulns": []})
    assert audit.main() == 0
    assert capsys.readouterr().out == "pypi: knows 1 of 2 packages\n0 known vulnerabilities\n"


@pytest.mark.parametrize("tornado", [None, {"skip_reason": "not found"}])
def test_nobody_knows(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tornado: dict[str, Any] | None,
) -> None:
    """No service, or one that knows none of the packages: no audit, no failure, and not "0 known"."""
    answers(audit, monkeypatch, tornado)
    assert audit.main() == 0
    said = capsys.readouterr().out
    assert "NOT AUDITED" in said
    assert "tornado==6.4\nsix==1.17\n" in said
    assert "0 known" not in said


def test_ignored(audit: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The ids of the ignore file are handed on, without what is said of them."""
    monkeypatch.setattr(audit, "IGNORE", tmp_path / "ignore")
    audit.IGNORE.write_text("# why\nGHSA-1  # until then\n\nCVE-2\n")
    given = tmp_path / "given"
    script = f"import sys; open({str(given)!r}, 'w').write(' '.join(sys.argv))"
    monkeypatch.setattr(audit, "PIP_AUDIT", (sys.executable, "-c", script))
    audit.main()
    assert shlex.split(given.read_text())[-4:] == ["--ignore-vuln", "GHSA-1", "--ignore-vuln", "CVE-2"]


LICENCES = {
    "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0": True,
    "(Apache-2.0 OR BSD-2-Clause) AND MIT": True,
    "Apache Software License; MIT License": True,
    "Mozilla Public License 2.0 (MPL 2.0)": True,
    "MIT AND GPL-3.0-only": False,
    "GNU Lesser General Public License v3 (LGPLv3)": False,
    "MIT with a condition": False,
    "UNKNOWN": False,
    "": False,
}


@pytest.mark.parametrize(("licence", "allowed"), LICENCES.items())
def test_licences(monkeypatch: pytest.MonkeyPatch, licence: str, allowed: bool) -> None:
    """All parts must be of those that we accept, wholly."""
    monkeypatch.syspath_prepend(TOOLS)
    import licences  # type: ignore[import-not-found]

    assert licences.is_allowed(licence) is allowed
