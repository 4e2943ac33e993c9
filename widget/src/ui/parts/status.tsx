import type { JSX } from "preact";
import { ACTIVE, type Run, type RunStatus } from "../../api/records";
import { age, duration, remaining } from "../../format";
import { moments, seconds } from "../clock";

/** A status as a word with its colour; `stopping` is what an active run is called that was asked to stop. */
export function Status({ run }: { readonly run: Run }): JSX.Element {
  const isStopping = ACTIVE.has(run.status) && (run.stop_requested_at ?? null) !== null;
  return (
    <span class={`ra-status ra-is-${run.status}`}>
      <span class="ra-dot" />
      {isStopping ? "stopping" : run.status}
    </span>
  );
}

export function Dot({ status }: { readonly status: RunStatus }): JSX.Element {
  return <span class={`ra-dot ra-is-${status}`} />;
}

/** How long it took, or has taken so far; "" before its start. */
export function Duration({ run }: { readonly run: Run }): JSX.Element {
  const started = run.started_at ?? null;
  if (started === null) return <></>;
  const ended = run.ended_at ?? null;
  return <>{duration((ended ?? seconds.value) - started)}</>;
}

/** How long it will still take, as far as its progress tells. */
export function Remaining({ run }: { readonly run: Run }): JSX.Element {
  if (run.status !== "running" || (run.started_at ?? null) === null) return <></>;
  const left = remaining(run.progress, seconds.value - (run.started_at as number));
  return left === null ? <></> : <>{duration(left)} left</>;
}

/** How long ago; the exact time as a hint. */
export function Age({ time, suffix = "" }: { readonly time: number; readonly suffix?: string }): JSX.Element {
  const when = new Date(time * 1000);
  const words = age(time, moments.value);
  return (
    <time dateTime={when.toISOString()} title={when.toLocaleString()}>
      {words}
      {words !== "now" && suffix}
    </time>
  );
}

export function Progress({ run }: { readonly run: Run }): JSX.Element {
  const { progress, status } = run;
  if (progress === null || status !== "running") return <></>;
  const percent = Math.round(progress);
  return (
    <span
      class="ra-progress"
      role="progressbar"
      aria-valuenow={percent}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-label={`Progress of ${run.name}`}
    >
      <span class="ra-progress-bar" style={{ width: `${progress}%` }} />
    </span>
  );
}
