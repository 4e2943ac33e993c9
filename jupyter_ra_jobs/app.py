"""The extension: its settings, and the one place where its objects are built."""

import datetime
import re
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

from jupyter_core.application import JupyterApp
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from msgspec import Struct
from traitlets import Bool, Enum, Float, Integer, List, TraitError, Unicode, default, validate

from jupyter_ra_jobs import grids
from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.cli.codes import USAGE
from jupyter_ra_jobs.cli.serving import complaint
from jupyter_ra_jobs.cli.verbs import APPS, VERBS
from jupyter_ra_jobs.errors import RaJobsError
from jupyter_ra_jobs.executors.tmux import TmuxExecutor
from jupyter_ra_jobs.export import ExportApp
from jupyter_ra_jobs.handlers import all_routes
from jupyter_ra_jobs.launcher import LaunchSettings
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.rules import RULES
from jupyter_ra_jobs.services import Services, Settings

S = TypeVar("S", bound=Struct)

PREFIX = "/ra-jobs"
_GPU = re.compile(r"[A-Za-z0-9_/-]+")
_ANY_ADDRESS = {"", "*", "0.0.0.0"}  # noqa: S104 - compared with, not bound to


class RaJobsApp(ExtensionApp):
    """Run commands in tmux windows and watch them, over HTTP."""

    name = "ra_jobs"
    version = __version__
    description = "Start a Jupyter server that runs and watches experiments in a workdir."
    examples = "jupyter ra-jobs --workdir /path/to/project"
    # traitlets' own words would name the program as the extension is named.
    subcommand_description = "What a subcommand takes is shown by `jupyter ra-jobs SUBCOMMAND --help`."
    extension_url = f"{PREFIX}/app"
    load_other_extensions = True
    aliases = {**JupyterApp.aliases, "workdir": "RaJobsApp.workdir"}
    subcommands = {
        "doctor": ("jupyter_ra_jobs.doctor.DoctorApp", APPS["doctor"]),
        "export": (ExportApp, APPS["export"]),
        "mcp": ("jupyter_ra_jobs.mcp_server.app.McpApp", APPS["mcp"]),
    }

    workdir = Unicode(
        "",
        help="""Folder that holds `.agents/` with all data, and where relative paths of runs begin.
        Empty: the server's root folder.""",
    ).tag(config=True)
    tmux_socket = Unicode(
        "",
        help="""Name of the tmux socket, as `tmux -L` takes it, for a tmux server of its own.
        Empty: the user's default one.""",
    ).tag(config=True)
    tmux_session = Unicode("research-agent", help="Name of the tmux session that holds the windows.").tag(
        config=True
    )
    shell = Unicode("bash", help="Shell that is given each command, as `SHELL -c -- COMMAND`.").tag(
        config=True
    )
    capture = Enum(
        ["sidecar", "pipe-pane"],
        "sidecar",
        help="""How output gets into run.log. `sidecar`: through a pty of the sidecar's own, byte for byte,
        whatever becomes of tmux. `pipe-pane`: through tmux, with \\r\\n for newlines; the command then
        dies with the tmux server.""",
    ).tag(config=True)
    max_running = Integer(
        16, min=0, help="How many runs may be active at once; further ones wait in the queue. 0: no limit."
    ).tag(config=True)
    auto_start_queued = Bool(
        False, help="Start queued runs by themselves, as slots become free, without a call of /start."
    ).tag(config=True)
    interrupt_grace = Float(
        10.0, min=0, help="Seconds that a stopped run has after SIGINT, before SIGTERM follows."
    ).tag(config=True)
    terminate_grace = Float(
        5.0, min=0, help="Seconds that it has after SIGTERM, before SIGKILL follows."
    ).tag(config=True)
    leftover_grace = Float(
        2.0,
        min=0,
        help="""Seconds that background processes have after their run's command has ended, before they are
        ended too.""",
    ).tag(config=True)
    max_log_bytes = Integer(
        10_000_000_000,
        min=0,
        help="""Bytes that a run's log may take on the disk. Of a longer one the beginning stays (an eighth of
        that) and the end; the middle is given back to the disk, where the file system can. 0: no limit.""",
    ).tag(config=True)
    log_page_bytes = Integer(10_000, min=1024, help="Bytes of a log page when no limit is asked for.").tag(
        config=True
    )
    log_page_max_bytes = Integer(
        102_400, min=1024, help="Most bytes of a log page; a higher limit is lowered to it."
    ).tag(config=True)
    log_stream_bytes = Integer(
        102_400, min=1, help="Most bytes of a log's end that a stream begins with."
    ).tag(config=True)
    log_search_seconds = Float(
        10.0, min=0.1, help="Seconds that one search request may take; it then says from where to go on."
    ).tag(config=True)
    max_streams = Integer(
        500,
        min=1,
        help="""How many event streams may be open at once, with each log that /events tells of as one more;
        beyond that, 503.""",
    ).tag(config=True)
    stream_patience = Float(
        60.0,
        min=1,
        help="""Seconds that the reader of an event stream may take nothing of what is sent to it. Then its
        connection is closed, and others can have its place.""",
    ).tag(config=True)
    max_file_bytes = Integer(
        1 << 30, min=0, help="Most bytes of a file that a caller may upload for runs."
    ).tag(config=True)
    max_sweep_runs = Integer(
        grids.USUAL_MOST, min=1, help="Most runs that one sweep may have; larger grids need max_runs."
    ).tag(config=True)
    gpus = List(
        Unicode(),
        None,
        allow_none=True,
        help="""GPUs to give to runs that ask for some, by the ids that CUDA_VISIBLE_DEVICES takes. None: what
        the server's own CUDA_VISIBLE_DEVICES names, else all that nvidia-smi lists.""",
    ).tag(config=True)
    alert_rules = List(
        Enum(list(RULES)),
        list(RULES),
        help="""Rules that raise alerts by themselves: `non_finite` (a metric is NaN or infinite), `stalled`
        (no output for long), `out_of_memory`, `disk_low`. Leave out those that are not wanted.""",
    ).tag(config=True)
    stalled_after = Float(
        1800.0, min=0, help="Seconds without output after which a run counts as stalled."
    ).tag(config=True)
    disk_low_bytes = Integer(
        1 << 30,
        min=0,
        help="Free bytes below which a file system that runs write to counts as nearly full.",
    ).tag(config=True)

    @default("open_browser")
    def _default_open_browser(self) -> bool:
        return False  # it serves programs and kernels too, and restarts on machines without a screen

    @validate("gpus")
    def _check_gpus(self, proposal: Any) -> list[str] | None:
        for gpu in proposal["value"] or []:
            if not _GPU.fullmatch(gpu):  # "0,1" would be one GPU that is two
                raise TraitError(f"gpus: {gpu!r} is no GPU's id; name each by its own, as 0 or GPU-8e2c…")
        named: list[str] | None = proposal["value"]
        return named

    @validate("tmux_session")
    def _check_session(self, proposal: Any) -> str:
        name = str(proposal["value"])
        if not name or any(sign in name for sign in ":.=\0\n"):
            raise TraitError(f"tmux_session: {name!r} is no session name; it may not hold any of `: . =`")
        return name

    def emit_subcommands_help(self) -> Generator[str, None, None]:
        """The verbs of the command line too, which need no server of ours and are not started by us."""
        yield from ["Subcommands", "===========", "What can be said as `jupyter ra-jobs VERB --help`:", ""]
        for verb, text in {**{verb: text for verb, (_, text) in VERBS.items()}, **APPS}.items():
            yield from [verb, f"    {text}"]
        yield ""

    def _link_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Take the settings. A wrong one must not leave us with the defaults, of the workdir for one."""
        try:
            super()._link_jupyter_server_extension(serverapp)
        except TraitError as problem:
            if self._is_started_alone:
                sys.exit(f"jupyter ra-jobs: {problem}")
            self._wrong_setting = RaJobsError(f"wrong setting: {problem}")
            self.serverapp = serverapp
            self._linked = True

    @classmethod
    def launch_instance(cls, argv: Any = None, **kwargs: Any) -> None:
        """Start a server for us alone, as `jupyter ra-jobs` does."""
        words = sys.argv[1:] if argv is None else argv
        if wrong := None if words[:1] and words[0] in cls.subcommands else complaint(words, cls):
            sys.stderr.write(f"jupyter ra-jobs: {wrong}\n")
            sys.exit(USAGE)
        cls._is_started_alone = True
        super().launch_instance(argv=argv, **kwargs)  # type: ignore[no-untyped-call]

    _is_started_alone = False
    _wrong_setting: RaJobsError | None = None

    @property
    def services(self) -> Services | None:
        """The parts behind the routes; None when they could not be built."""
        built = self.settings.get("ra_jobs_services")
        return built if isinstance(built, Services) else None

    def _jupyter_server_config(self) -> dict[str, Any]:
        """Root the server that we start ourselves at the workdir."""
        config: dict[str, Any] = super()._jupyter_server_config()  # type: ignore[no-untyped-call]
        if self.workdir:
            config["ServerApp"]["root_dir"] = str(Path(self.workdir).expanduser().absolute())
            # Else notebook_shim, which comes with JupyterLab, has it be the current folder: "outside root".
            config["FileContentsManager"] = {"preferred_dir": ""}
        return config

    def initialize_settings(self) -> None:
        """Build everything. What fails ends a server of our own; in another one, our routes tell it."""
        if self._wrong_setting is not None:
            self._fail(self._wrong_setting)
            return
        assert self.serverapp is not None
        root = Path(self.workdir or self.serverapp.root_dir).expanduser().absolute()
        try:
            self.settings["ra_jobs_services"] = self.build(root, self._on_tick)
        except RaJobsError as problem:
            if self._is_started_alone:
                sys.exit(f"jupyter ra-jobs: {problem}")
            self._fail(problem)

    def build(self, workdir: Path, on_tick: Callable[[int], None]) -> Services:
        """The parts behind the routes, as the settings say. Raises RaJobsError."""
        executor = TmuxExecutor(
            socket=self.tmux_socket,
            session=self.tmux_session,
            capture=self.capture,
            terminate_grace=self.terminate_grace,
        )
        decided = self._decided(Settings), self._decided(LaunchSettings)
        return Services(Layout(workdir), executor, *decided, self.log, on_tick)

    def _decided(self, kind: type[S]) -> S:
        """The settings that `kind` names, each a trait of that name."""
        return kind(**{name: getattr(self, name) for name in kind.__struct_fields__})

    def initialize_handlers(self) -> None:
        """Serve our routes."""
        self.handlers.extend(all_routes(PREFIX))

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        if self.services is None:
            return
        try:
            await self.services.start(_where(serverapp), Path(serverapp.runtime_dir))
        except RaJobsError as problem:
            self._fail(problem)

    async def stop_extension(self) -> None:
        """End politely; the runs go on."""
        if self.services is not None:
            await self.services.close()

    def current_activity(self) -> bool | None:
        """Active runs keep Jupyter's idle shutdown away."""
        try:
            return bool(self.services and self.services.store.active_count()) or None
        except RaJobsError:  # the store is away: there may be some
            return True

    def _on_tick(self, active: int) -> None:
        assert self.serverapp is not None
        if active:  # what JupyterHub's culler looks at: any setting with this ending
            now = datetime.datetime.now(datetime.timezone.utc)
            self.serverapp.web_app.settings["ra_jobs_last_activity"] = now

    def _fail(self, problem: RaJobsError) -> None:
        self.log.error("jupyter_ra_jobs could not start: %s", problem)
        self.settings["ra_jobs_services"] = problem
        assert self.serverapp is not None
        self.serverapp.web_app.settings["ra_jobs_services"] = problem


def _where(serverapp: ServerApp) -> dict[str, Any]:
    """How a process on this machine reaches the server."""
    path = url_path_join(serverapp.base_url, PREFIX)
    where: dict[str, Any] = {"path": path, "version": __version__}
    if serverapp.sock:
        return {**where, "scheme": "http", "socket": str(Path(serverapp.sock).absolute())}
    scheme = "https" if serverapp.certfile else "http"
    host = "127.0.0.1" if serverapp.ip in _ANY_ADDRESS else "::1" if serverapp.ip == "::" else serverapp.ip
    where |= {"scheme": scheme, "host": host, "port": serverapp.port}
    if serverapp.certfile:
        where["certificate"] = str(Path(serverapp.certfile).absolute())
    return where


main = RaJobsApp.launch_instance
