"""`show`: one run or sweep in full."""

import argparse
from typing import Any

import msgspec

from jupyter_ra_jobs.cli import codes, completing, output
from jupyter_ra_jobs.cli.parsing import Parser, completed_by
from jupyter_ra_jobs.cli.reaching import client, find

_COUNTED = "run_ids"  # ten thousand ids are for a program


def arguments(parser: Parser, verb: str) -> None:
    """What it takes."""
    completed_by(parser.add_argument("id", help="of a run or sweep, or how it begins"), completing.both())
    parser.add_argument("--json", action="store_true", help="the record, as the HTTP API has it")


def call(args: argparse.Namespace) -> int:
    """Show it."""
    with client(args) as server:
        record = find(server, args.id)
    if args.json:
        output.write(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
        return codes.OK
    known = {
        name: value for name, value in msgspec.to_builtins(record).items() if value not in (None, [], {})
    }
    width = max(len(name) for name in known)
    for name, value in known.items():
        first, *more = _lines(name, value)
        output.write(
            "".join(
                f"{head:{width}}  {line}\n" for head, line in [(name, first), *(("", m) for m in more)]
            ).encode()
        )
    return codes.OK


def _lines(name: str, value: Any) -> list[str]:
    if name.endswith("_at"):
        return [f"{output.moment(value)}  ({output.age(value)} ago)"]
    if name == _COUNTED:
        return [f"{len(value)}; `jupyter ra-jobs list --sweep ID` shows them"]
    if isinstance(value, str):
        if name == "status" and output.colours():
            return [output.status(value)]
        return [output.plain(line) for line in value.splitlines()] or [""]
    return [output.plain(msgspec.json.encode(value).decode())]
