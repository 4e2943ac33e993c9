"""Start a server on an example project with real runs in it, and say how to talk to it: `make run`.

`--check` does the same in a folder and on a tmux server of its own, waits until the runs have ended as they
should, cleans up, and exits 0. The standard library alone; run it by the Python of an environment that has
the package with its `examples` extra.
"""

from __future__ import annotations

import argparse
import functools
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent  # not resolved: the environment's bin, not that of the Python beneath
say = functools.partial(print, flush=True)  # in step with the server's log, in a file too
TERMINAL = ("finished", "failed", "stopped")

EXAMPLE_README = """\
# Example project
`train_digits.py` trains a small network on handwritten digits: `python train_digits.py --help`.
`quickstart.ipynb` runs it from a notebook.
The runs that were started here are in `.agents/`.
"""


@dataclass(frozen=True)
class Example:
    """A run for the example project; `ends` is the status and exit code that it must come to."""

    name: str
    command: str
    start: bool = True
    ends: tuple[str, int] | None = None


EXAMPLES = (
    Example("ready to start", "python train_digits.py --hidden 128 --lr 0.1", start=False),
    Example("typo", "python train_digits.py --epochs nope", ends=("failed", 2)),
    Example("quick", "python train_digits.py --quick", ends=("finished", 0)),
    Example("a minute", "python train_digits.py --seconds 60"),
)
SWEEP: dict[str, Any] = {
    "name": "learning rate and width",
    "base_command": "python train_digits.py --quick",
    "parameters": {"lr": [0.003, 0.01, 0.03, 0.1], "hidden": [16, 64]},
    "parallel": 2,
    "auto_start": True,
}


@dataclass(frozen=True)
class Server:
    """A running Jupyter server: `url` is that of our API; the rest as Jupyter's info file tells it."""

    process: subprocess.Popen[bytes]
    url: str
    token: str = field(repr=False)
    info_file: Path

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON that the REST API answers; RuntimeError for anything but a 2xx."""
        where = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        try:
            headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
            data = None if body is None else json.dumps(body)
            connection.request(method, f"{where.path}{path.lstrip('/')}", data, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise RuntimeError(f"{method} {path}: {response.status} {text}")
        return json.loads(text)


def make_project(folder: Path) -> None:
    """A project as a researcher has it: a training script and a README."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("train_digits.py", "quickstart.ipynb"):
        shutil.copy(ROOT / "examples" / name, folder)
    (folder / "README.md").write_text(EXAMPLE_README)


@contextmanager
def running_server(
    project: Path, port: int, env: dict[str, str], program: str = "ra-jobs"
) -> Iterator[Server]:
    """A server on `project`, answering; stopped at the end. Its log goes to our stderr."""
    runtime_dir = subprocess.check_output([BIN / "jupyter", "--runtime-dir"], env=env, text=True).strip()
    command: list[str | Path] = [BIN / "jupyter", program, "--no-browser", f"--ServerApp.root_dir={project}"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    if os.geteuid() == 0:
        command += ["--allow-root"]
    # In a session of its own: Ctrl-C is ours to answer, Jupyter would ask whether we are sure.
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield await_server(process, Path(runtime_dir) / f"jpserver-{process.pid}.json")
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_server(process: subprocess.Popen[bytes], info_file: Path, timeout: float = 60) -> Server:
    """Wait for the server's info file, then for its first answer."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"The server did not start: exit code {process.returncode}, see its log above.")
        with suppress(OSError, json.JSONDecodeError):  # no file yet, half a file, or nobody listens yet
            info = json.loads(info_file.read_text())
            server = Server(process, info["url"] + "ra-jobs/", info["token"], info_file)
            server.call("GET", "/")
            return server
        time.sleep(0.1)
    raise SystemExit(f"The server did not answer within {timeout:.0f} s, see its log above.")


def create_examples(server: Server) -> None:
    server.call("POST", "/sweeps", SWEEP)
    for example in EXAMPLES:
        body = {"name": example.name, "command": example.command}
        run = server.call("POST", "/runs", body)
        if example.start:
            server.call("POST", f"/runs/{run['id']}/start")


def greet(server: Server, project: Path) -> None:
    """The URL, where the token is, the runs, and lines to copy."""
    health, runs = server.call("GET", "/"), server.call("GET", "/runs?limit=20")
    read_token = f"""import json; print(json.load(open("{server.info_file}"))["token"])"""
    curl = 'curl -s -H "Authorization: token $TOKEN"'
    wider = '{"name": "wider", "command": "python train_digits.py --hidden 256", "auto_start": true}'
    shown = next((run for run in runs if run["attach_command"]), runs[0])
    lines = [
        "",
        f"  jupyter_ra_jobs {health['version']} with {health['tmux']}, in {health['workdir']}",
        "",
        f"  The page:   {server.url}app",
        f"  The API:    {server.url}",
        f"  Its token:  in {server.info_file}",
        "",
        "  Runs, newest first:",
        *(f"    {run['id']}  {run['status']:10} {run['name']:26} {run['command']}" for run in runs),
        "",
        "  In another terminal:",
        f"    cd {project}; PATH={BIN}:$PATH",
        "    jupyter ra-jobs list",
        f"    jupyter ra-jobs logs -f {shown['id']}",
        "    jupyter ra-jobs run --follow 'python train_digits.py --quick --hidden 128'",
        "    python -c 'import jupyter_ra_jobs as ra; print(ra.runs(status=\"finished\"))'",
        "",
        "  Or over HTTP:",
        f"    RA={server.url.rstrip('/')}",
        f"    TOKEN=$(python3 -c '{read_token}')",
        f"    {curl} $RA/runs | python3 -m json.tool",
        f"    {curl} -N $RA/runs/{shown['id']}/logs/stream",
        *([f"    {curl} -X POST $RA/runs/{shown['id']}/stop"] if shown["attach_command"] else []),
        f"    {curl} -X POST $RA/runs -d '{wider}'",
        *([f"    {shown['attach_command']}"] if shown["attach_command"] else []),
        "",
        "  Ctrl-C stops the server; runs that have started go on to their end without it.",
        "",
    ]
    say("\n".join(lines))


def demo(port: int) -> None:
    """Serve until Ctrl-C."""
    project = ROOT / "build" / "example-project"
    make_project(project)
    with running_server(project, port, server_env()) as server:
        if not server.call("GET", "/runs?limit=1"):
            create_examples(server)
        greet(server, project)
        with suppress(KeyboardInterrupt):
            code = server.process.wait()
            raise SystemExit(f"The server ended by itself, with exit code {code}.")
        say("\nStopping the server.")
    say("The server has stopped. What was running goes on; `make run` finds it again.")


def check(port: int) -> None:
    """From `POST /runs` to the end of each example; SystemExit with the reason when one ends otherwise."""
    with tempfile.TemporaryDirectory(prefix="ra-jobs-check-") as folder:
        project = Path(folder) / "project"
        make_project(project)
        env = server_env() | {"TMUX_TMPDIR": folder}
        try:
            with running_server(project, port, env) as server:
                try:
                    create_examples(server)
                    greet(server, project)
                    check_examples(server)
                finally:
                    stop_all(server)
        finally:
            subprocess.run(["tmux", "kill-server"], env=env, stderr=subprocess.DEVNULL, check=False)
    say("OK")


def check_examples(server: Server) -> None:
    runs = {run["name"]: run["id"] for run in server.call("GET", "/runs")}
    for example in EXAMPLES:
        if example.ends is None:
            continue
        run = await_there(server, f"/runs/{runs[example.name]}", lambda run: run["status"] in TERMINAL)
        log = server.call("GET", f"/runs/{run['id']}/logs")["content"]
        say(f"{example.name}: {run['status']}, exit code {run['exit_code']}, {len(log)} characters of log")
        if (run["status"], run["exit_code"]) != example.ends:
            raise SystemExit(f"{example.name} should have come to {example.ends}: {run}\n{log}")
        if run["status"] == "finished" and "final val_accuracy=" not in log:
            raise SystemExit(f"{example.name} lost the last line of its log:\n{log}")
    (sweep,) = server.call("GET", "/sweeps")
    sweep = await_there(server, f"/sweeps/{sweep['id']}", lambda sweep: sweep["status"] == "completed")
    say(f"{sweep['name']}: {sweep['status']}, {sweep['progress']}")
    if sweep["progress"]["completed"] != sweep["progress"]["total"]:
        raise SystemExit(f"The sweep should have no failed run: {sweep}")


def stop_all(server: Server) -> None:
    """Stop what is active and wait for it: a run outlives its server, and even its tmux server."""
    for run in server.call("GET", "/runs"):
        if run["status"] in ("queued", "launching", "running"):
            server.call("POST", f"/runs/{run['id']}/stop")
            ended = await_there(server, f"/runs/{run['id']}", lambda run: run["status"] in TERMINAL)
            say(f"{run['name']}: {ended['status']}, exit code {ended['exit_code']}")


def await_there(server: Server, path: str, condition: Callable[[Any], bool], timeout: float = 90) -> Any:
    deadline = time.monotonic() + timeout
    while True:
        found = server.call("GET", path)
        if condition(found):
            return found
        if time.monotonic() > deadline:
            raise SystemExit(f"Not within {timeout:.0f} s: {found}")
        time.sleep(0.2)


def server_env() -> dict[str, str]:
    """Ours, with this environment's programs first, so that a run's `python` is this one."""
    env = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": sys.prefix}
    env.pop("TMUX", None)  # an outer tmux would otherwise decide over TMUX_TMPDIR
    return env


def main() -> None:
    parser = argparse.ArgumentParser(description="Start a server on an example project with real runs in it.")
    parser.add_argument("--port", type=int, default=8888, help="or the next that is free")
    parser.add_argument("--check", action="store_true", help="see the runs to their end, clean up, and exit")
    args = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # however we are ended, the server is stopped
    try:
        (check if args.check else demo)(args.port)
    except KeyboardInterrupt:  # before the server was up
        sys.exit(130)


if __name__ == "__main__":
    main()
