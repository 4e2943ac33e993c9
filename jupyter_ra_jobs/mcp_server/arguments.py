"""What tools are given: types with their bounds, and words for a language model."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, WithJsonSchema

from jupyter_ra_jobs.errors import BadInput

Status = Literal["ready", "queued", "launching", "running", "finished", "failed", "stopped"]
Order = Literal["asc", "desc"]
Which = Literal["last", "min", "max"]
Method = Literal["grid", "random", "zip"]

_Id = Field(min_length=1, max_length=100)

RunId = Annotated[str, _Id, Field(description="The run's id, 12 hex digits.")]
SweepId = Annotated[str, _Id, Field(description="The sweep's id, 12 hex digits.")]
AlertId = Annotated[str, _Id, Field(description="The alert's id, from list_alerts.")]
# Any, so that the words for a wrong one are ours.
Statuses = Annotated[
    Any,
    WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(get_args(Status))}}),
    Field(description="Only runs of these statuses; none given: of any."),
]
Seconds = Annotated[
    int, Field(ge=1, le=50, description="How long to wait at most; then call again if it is not done.")
]

Command = Annotated[
    str,
    Field(
        min_length=1,
        description="A shell command, given to `bash -c` as it is. It gets no input, and must not background "
        "itself: the run ends when the command does.",
    ),
]
Name = Annotated[str, Field(max_length=500, description="A name for people; made from the command if empty.")]
Workdir = Annotated[
    str,
    Field(
        max_length=4096,
        description="The folder to run in: absolute, or relative to the server's workdir; empty: that one.",
    ),
]
Env = Annotated[
    dict[str, str] | None,
    Field(description="Environment variables over those of the server. It is stored: prefer no secrets."),
]
Tags = Annotated[Sequence[str], Field(max_length=100, description="Words to find it by.")]
Timeout = Annotated[
    float | None, Field(gt=0, le=1e9, description="Seconds after which a run is ended, and has failed.")
]
After = Annotated[
    Sequence[str],
    Field(
        max_length=1000,
        description="Ids of runs that must have finished first; if one fails, so does what waits for it.",
    ),
]
Retries = Annotated[
    int,
    Field(
        ge=0,
        le=100,
        description="How often to run it again if it fails: as a new run, with this one as parent_run_id.",
    ),
]
Gpus = Annotated[
    int | None,
    Field(
        ge=0,
        le=1024,
        description="GPUs for this run alone, by CUDA_VISIBLE_DEVICES; it waits until they are free. 0: "
        "none; null: all that the server sees, those of others too.",
    ),
]
Priority = Annotated[int, Field(ge=-1000, le=1000, description="Higher ones leave the queue first.")]
Notes = Annotated[str, Field(max_length=100_000, description="Words for people, kept with it.")]
Start = Annotated[bool, Field(description="Start at once; false: only create.")]

SweepCommand = Annotated[
    str,
    Field(
        min_length=1,
        description="The shell command of each run. A parameter's value goes where `{name}` stands, quoted "
        "for the shell; parameters that have no place are appended as ` --name=value`.",
    ),
]
# Any, so that the words for a wrong one are the server's.
_Values = Annotated[Any, WithJsonSchema({"anyOf": [{"type": "array", "items": {}}, {"type": "object"}]})]
Parameters = Annotated[
    dict[str, _Values],
    Field(
        description='A list of values for each parameter: {"lr": [0.1, 0.01], "seed": [0, 1, 2]}. With '
        'method "random" a parameter may be a range instead: {"min": 1e-5, "max": 0.1, "log": true} or '
        '{"min": 1, "max": 8, "int": true}.'
    ),
]
HowCombined = Annotated[
    Method,
    Field(
        description="grid: every combination. zip: the first values together, then the second. random: "
        "max_runs draws by the seed."
    ),
]
MaxRuns = Annotated[
    int | None, Field(ge=1, description="Most runs to make; random needs it, a larger grid is cut to it.")
]
Seed = Annotated[int | None, Field(description="For random: the same seed draws the same values.")]
Parallel = Annotated[int, Field(ge=1, le=10_000, description="How many of its runs run at a time.")]


def statuses(asked: Any) -> list[str]:
    """Those that a run can have; one may come without its list. Raises BadInput, which names all."""
    names = [asked] if isinstance(asked, str) and asked else asked or []
    if not isinstance(names, list | tuple) or not all(name in get_args(Status) for name in names):
        raise BadInput(f"status: {asked!r:.100} is none; give a list of any of {', '.join(get_args(Status))}")
    return list(names)
