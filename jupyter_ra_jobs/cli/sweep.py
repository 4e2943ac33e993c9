"""`sweep`: a command for each combination of parameters."""

import argparse

from jupyter_ra_jobs import grids
from jupyter_ra_jobs.cli import codes, making, values, waiting
from jupyter_ra_jobs.cli.calling import say
from jupyter_ra_jobs.cli.parsing import Parser, count
from jupyter_ra_jobs.cli.reaching import client
from jupyter_ra_jobs.client.names import name_of
from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.models import NewSweep

_PREVIEWED = 10


def arguments(parser: Parser, verb: str) -> None:
    """What it takes."""
    parser.usage = "%(prog)s [options] -p NAME=VALUES 'command {NAME}' | %(prog)s [options] -- command word …"
    parser.advice = "options of the command itself go behind --"
    parser.add_argument(
        "command",
        nargs="+",
        help="as of `run`; a value goes where {NAME} stands, else to the end as --NAME=value",
    )
    parser.add_argument(
        "-p",
        "--parameter",
        dest="parameters",
        metavar="NAME=VALUES",
        action="append",
        default=[],
        help="values with commas between; 0:3 is 0,1,2; or a JSON list",
    )
    parser.add_argument("--grid", metavar="FILE", help="a JSON object of lists; - is stdin")
    parser.add_argument(
        "--parallel", type=count, default=1, metavar="N", help="so many at a time; 1 unless said"
    )
    parser.add_argument("--method", choices=["grid", "random", "zip"], default="grid")
    parser.add_argument("--max-runs", type=count, metavar="N", help="not more; how many to draw at random")
    parser.add_argument("--seed", type=int, help="of the random draw")
    parser.add_argument("--goal", help="what it is for")
    making.add_options(parser)
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument(
        "--wait", action="store_true", help="until all have ended; exit with 0 if all have finished"
    )
    ends.add_argument("--dry-run", action="store_true", help="print the first commands, and make nothing")


def call(args: argparse.Namespace) -> int:
    """Make the sweep, or show what it would be."""
    if args.no_start and args.wait:
        raise BadInput("--no-start: what was not started has no end to wait for")
    parameters = values.parameters(args.parameters, args.grid)
    command = args.command[0] if len(args.command) == 1 else grids.joined(args.command, parameters)
    if not command.strip():
        raise BadInput("the command is empty")
    if args.dry_run:
        return _preview(command, parameters, args)
    _tell_of_places(command, parameters)
    with client(args) as server:
        new = NewSweep(
            name=name_of(command) if args.name is None else args.name,
            base_command=command,
            parameters=parameters,
            parallel=args.parallel,
            method=args.method,
            max_runs=args.max_runs,
            seed=args.seed,
            goal=args.goal,
            **making.options(server, args),
        )
        with making.perhaps_made("sweep", "jupyter ra-jobs list sweeps"):
            sweep = server.create_sweep(new)
        print(sweep.id, flush=True)
        return waiting.wait(server, sweep) if args.wait else codes.OK


def _preview(command: str, parameters: dict[str, object], args: argparse.Namespace) -> int:
    """By the same code as the server's, which has the last word on how many there may be."""
    cells, runs, _ = grids.preview(
        parameters, args.method, first=_PREVIEWED, max_runs=args.max_runs, seed=args.seed
    )
    for cell in cells:
        print(grids.command(command, cell), flush=True)
    _tell_of_places(command, parameters)
    shown = f", of which these are the first {_PREVIEWED}" if runs > _PREVIEWED else ""
    say(f"{runs:,} run{'' if runs == 1 else 's'}{shown}")
    if args.method == "random" and args.seed is None:
        say("without --seed, the next draw is another one")
    if runs > (usual := grids.USUAL_MOST):
        say(f"a server takes {usual:,} in a sweep, unless its max_sweep_runs says otherwise; see --max-runs")
    return codes.OK


def _tell_of_places(command: str, parameters: dict[str, object]) -> None:
    """What looks like the place of a parameter, and is none, may be a slip."""
    for warning in grids.warnings(command, parameters):
        say(warning)
