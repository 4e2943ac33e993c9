"""The panel's page in a real Chromium, each figure beside its reference: `make bench`. Needs Chromium.

Everything runs on a server, a tmux, a workdir and a browser profile of its own, on loopback. Takes about two
minutes. A "frame" is the time between two of the page's animation frames, at the longest.

    python bench/ui.py [NAME ...]       NAME: runs, log, stream, idle
"""

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from common import TOKEN, Bench, fill, main, say, until
from playwright.sync_api import Page, Request, sync_playwright

STORED = 10_000
MB = 1_000_000
_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_WATCH = """
window.bench = { frame: 0, rows: 0 };
let last = performance.now();
const frame = () => {
    const now = performance.now();
    bench.frame = Math.max(bench.frame, now - last);
    last = now;
    bench.rows ||= document.querySelector('[role=row] a') ? now : 0;
    requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""


@contextlib.contextmanager
def browser(bench: Bench) -> Iterator[Page]:
    """The page of this server, logged in and not yet opened."""
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=shutil.which("chromium"), args=_OPTIONS)
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{bench.port}/login?token={TOKEN}")
        page.add_init_script(_WATCH)
        yield page
        chromium.close()


def address(bench: Bench, where: str = "") -> str:
    """Of a view."""
    return f"http://127.0.0.1:{bench.port}/ra-jobs/app{where}"


def longest_frame(page: Page, act: Callable[[], Any]) -> float:
    """While something is done, in milliseconds."""
    page.evaluate("() => void (bench.frame = 0)")
    act()
    longest: float = page.evaluate("() => bench.frame")
    return longest


def metric(page: Page, name: str) -> float:
    """One of Chromium's own."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    if name == "JSHeapUsedSize":
        devtools.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    devtools.detach()
    return float(found[name])


def print_log(bench: Bench, code: str, wait: bool = True) -> str:
    """A run of this Python code; its id."""
    program = bench.root / "print.py"
    program.write_text(code)
    body = {"name": "printer", "command": f"{sys.executable} {program}", "auto_start": True}
    run_id: str = bench.api("POST", "/runs", body)["id"]
    if wait:
        until(lambda: bench.api("GET", f"/runs/{run_id}")["status"] == "finished")
    return run_id


def runs(root: Path) -> None:
    """The list of 10,000 runs: when its first rows are there, and how smoothly it scrolls."""
    bench = Bench(root / "runs")
    fill(bench.workdir, STORED)
    with bench.running(), browser(bench) as page:
        page.goto(f"http://127.0.0.1:{bench.port}/ra-jobs/openapi.json")
        reference = page.evaluate(
            "() => performance.timing.loadEventEnd - performance.timing.navigationStart"
        )
        page.goto(address(bench))
        first = page.wait_for_function("() => bench.rows").json_value()
        say(
            f"the list of {STORED:,} runs, to its first rows",
            f"{first:.0f} ms",
            f"a bare document {reference:.0f} ms",
            first / max(reference, 1),
            "<= 1000 ms",
            first <= 1_000,
        )
        idle = longest_frame(page, lambda: page.wait_for_timeout(3_000))

        def scroll() -> None:
            page.mouse.move(600, 500)
            for _ in range(150):
                page.mouse.wheel(0, 700)
                page.wait_for_timeout(20)

        worst = longest_frame(page, scroll)
        shown = page.locator("[role=row] a").first.inner_text()
        say(
            f"the longest frame, scrolled to {shown}",
            f"{worst:.0f} ms",
            f"idle {idle:.0f} ms",
            worst / idle,
            "<= 100 ms",
            worst <= 100,
        )


def log(root: Path) -> None:
    """The end of a log of 100 MB, from the click on the run to its last line."""
    with Bench(root / "log").running() as bench, browser(bench) as page:
        print_log(bench, "for n in range(2_000_000): print(f'line {n:08d} of a log that is rather long')")
        page.goto(address(bench))
        link = page.get_by_role("link", name="printer", exact=True)
        link.wait_for()
        taken: float = page.evaluate(
            """async () => {
                const began = performance.now();
                const links = [...document.querySelectorAll('[role=row] a')];
                links.find((link) => link.textContent === 'printer').click();
                while (!document.querySelector('[role=log]')?.textContent.includes('01999999')) {
                    await new Promise(requestAnimationFrame);
                }
                return performance.now() - began;
            }"""
        )
        frame: float = page.evaluate(
            """async () => {
                const began = performance.now();
                await new Promise(requestAnimationFrame);
                return performance.now() - began;
            }"""
        )
        say(
            "the end of a log, from the click to its last line",
            f"{taken:.0f} ms",
            f"a frame {frame:.0f} ms",
            taken / frame,
            "<= 150 ms",
            taken <= 150,
        )


_PACED = """
import sys, time
line = b"step 12345 loss 0.123 \\x1b[32mok\\x1b[0m and some more words, so that it is a line\\n"
block = line * (2_000_000 // len(line))
began = time.monotonic()
for n in range(50):
    sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    time.sleep(max(0, began + (n + 1) * 0.1 - time.monotonic()))
print("THE END", flush=True)
"""


def stream(root: Path) -> None:
    """100 MB printed at 20 MB/s while the page follows: how late its end is, frames, memory."""
    with Bench(root / "stream").running() as bench, browser(bench) as page:
        run_id = print_log(bench, "import time; time.sleep(3)\n" + _PACED, wait=False)
        page.goto(address(bench, f"#/runs/{run_id}"))
        page.get_by_role("log", name="Log").wait_for()
        log = Path(bench.api("GET", f"/runs/{run_id}")["run_dir"]) / "run.log"
        until(lambda: log.exists() and log.stat().st_size > 0)
        began = time.monotonic()

        def follow() -> None:
            page.wait_for_function(
                "() => document.querySelector('[role=log]').textContent.includes('THE END')"
            )

        worst = longest_frame(page, follow)
        shown = time.monotonic()
        printed = log.stat().st_mtime - time.time() + time.monotonic()
        size = log.stat().st_size / MB
        late, took = shown - printed, printed - began
        say(
            f"{size:.0f} MB printed in {took:.1f} s: the page is behind by",
            f"{late * 1e3:.0f} ms",
            f"{took * 1e3:.0f} ms",
            late / took,
            "<= 1000 ms",
            late <= 1,
        )
        say(
            "the longest frame meanwhile",
            f"{worst:.0f} ms",
            "a frame 17 ms",
            worst / 17,
            "<= 100 ms",
            worst <= 100,
        )
        heap = metric(page, "JSHeapUsedSize") / MB
        say(
            "the page's heap after it",
            f"{heap:.0f} MB",
            f"{size:.0f} MB",
            heap / size,
            "<= 200 MB",
            heap <= 200,
        )


def idle(root: Path) -> None:
    """A list with a run at work that says nothing, left open."""
    with Bench(root / "idle").running() as bench, browser(bench) as page:
        body = {"name": "quiet", "command": "sleep 600", "auto_start": True}
        run_id = bench.api("POST", "/runs", body)["id"]
        page.goto(address(bench))
        page.get_by_role("link", name="quiet", exact=True).wait_for()
        page.wait_for_timeout(3_000)
        asked: list[str] = []

        def heard(request: Request) -> None:
            asked.append(request.url)

        page.on("request", heard)
        before, began = metric(page, "TaskDuration"), time.monotonic()
        page.wait_for_timeout(20_000)
        share = (metric(page, "TaskDuration") - before) / (time.monotonic() - began)
        page.goto("about:blank")
        page.wait_for_timeout(1_000)
        before, began = metric(page, "TaskDuration"), time.monotonic()
        page.wait_for_timeout(10_000)
        blank = (metric(page, "TaskDuration") - before) / (time.monotonic() - began)
        say(
            "an idle panel's share of a processor",
            f"{share * 100:.2f} %",
            f"a blank page {blank * 100:.2f} %",
            share / max(blank, 1e-4),
            "<= 1 %",
            share <= 0.01,
        )
        say("its requests in 20 s", f"{len(asked)}", "its stream is open", len(asked), "0", not asked)
        bench.api("POST", f"/runs/{run_id}/stop")
        until(lambda: bench.api("GET", f"/runs/{run_id}")["status"] == "stopped")


BENCHES: dict[str, Callable[[Path], None]] = {"runs": runs, "log": log, "stream": stream, "idle": idle}


if __name__ == "__main__":
    main(__doc__ or "", BENCHES)
