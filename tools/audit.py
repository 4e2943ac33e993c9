"""Ask for known vulnerabilities of what users install with us: `make audit`. 1 when there are some.

Those of tools/audit-ignore.txt don't count. Where no advisory service can be reached that is said, with the
versions to be audited elsewhere, and is no failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from closure import EXTRAS, closure

IGNORE = Path(__file__).with_name("audit-ignore.txt")
PIP_AUDIT = (sys.executable, "-m", "pip_audit")
SERVICES = ("pypi", "osv")


def ask(service: str, requirements: str, ignored: list[str]) -> list[dict[str, Any]]:
    """What the service knows of each requirement; empty when it can't be reached, or knows none of them."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(requirements)
        file.flush()
        options = [
            "--requirement",
            file.name,
            "--no-deps",
            "--disable-pip",
            "--vulnerability-service",
            service,
        ]
        options += ["--format", "json", "--progress-spinner", "off"]
        options += [word for name in ignored for word in ("--ignore-vuln", name)]
        said = subprocess.run([*PIP_AUDIT, *options], capture_output=True, text=True, check=False)
    try:
        about: list[dict[str, Any]] = json.loads(said.stdout)["dependencies"]
    except ValueError:
        last = said.stderr.strip().splitlines()[-1:]
        print(f"{service}: no answer: {' '.join(last)[:300]}")
        return []
    known = [one for one in about if "skip_reason" not in one]
    print(f"{service}: knows {len(known)} of {len(about)} packages")
    return known


def main() -> int:
    """Ask one service after the other, until one knows something."""
    lines = [line.split("#")[0].strip() for line in IGNORE.read_text().splitlines()]
    requirements = "".join(f"{name}=={version}\n" for name, version in closure(*EXTRAS).items())
    for service in SERVICES:
        known = ask(service, requirements, [line for line in lines if line])
        if not known:
            continue
        found = [(one, vulnerability) for one in known for vulnerability in one["vulns"]]
        for one, vulnerability in found:
            mended = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            print(f"VULNERABLE {one['name']} {one['version']}: {vulnerability['id']}, mended in {mended}")
            print(f"    {' '.join(vulnerability['description'].split())[:300]}")
        print(f"{len(found)} known vulnerabilities")
        return 1 if found else 0
    print(
        f"NOT AUDITED: no advisory service can be reached from here. What is installed:\n{requirements}",
        end="",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
