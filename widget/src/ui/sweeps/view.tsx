import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { RunStatus, Sweep } from "../../api/records";
import { grouped } from "../../format";
import { Button } from "../parts/button";
import { Age } from "../parts/status";
import { hashOf, hashOfRuns } from "../route";
import { type Session, wordsOf } from "../session";
import { SweepForm } from "./form";

/** In the order in which a bar shows them, with the colours of runs. */
export const PARTS: readonly (readonly [keyof Sweep["progress"], RunStatus, string])[] = [
  ["completed", "finished", "finished"],
  ["failed", "failed", "failed"],
  ["canceled", "stopped", "stopped"],
  ["running", "running", "running"],
  ["launching", "launching", "launching"],
  ["queued", "queued", "queued"],
  ["ready", "ready", "ready"],
];

export function SweepsView({ session }: { readonly session: Session }): JSX.Element {
  const [isMaking, setMaking] = useState(false);
  const sweeps = [...session.sweeps.things.value.values()].sort((one, other) => other.created_at - one.created_at);
  const make = (
    <Button icon="plus" label="New sweep" kind="primary" onClick={() => setMaking(true)}>
      New sweep
    </Button>
  );
  return (
    <section class="ra-view" aria-label="Sweeps">
      {sweeps.length === 0 ? (
        <div class="ra-empty">
          <h2>No sweeps yet</h2>
          <p>A sweep runs one command with every combination of some parameters, so many at a time.</p>
          {make}
        </div>
      ) : (
        <div class="ra-page">
          <div class="ra-page-head">{make}</div>
          <ul class="ra-cards">
            {sweeps.map((sweep) => (
              <SweepCard key={sweep.id} session={session} sweep={sweep} />
            ))}
          </ul>
        </div>
      )}
      {isMaking && <SweepForm session={session} onClose={() => setMaking(false)} />}
    </section>
  );
}

/** A sweep with its progress, and what can be done with it. */
export function SweepCard({ session, sweep }: { readonly session: Session; readonly sweep: Sweep }): JSX.Element {
  const { progress } = sweep;
  const waiting = progress.ready + progress.queued;
  const isActive = progress.running + progress.launching + progress.queued > 0;
  const path = { sweep_id: sweep.id };
  const act = async (what: string, call: Promise<unknown>): Promise<void> => {
    try {
      await call;
      session.sweeps.take([await session.client.get("/sweeps/{sweep_id}", { path })]);
      session.say(`${what}: ${sweep.name}`);
    } catch (problem) {
      session.say(wordsOf(problem), { isError: true });
    }
  };
  return (
    <li class="ra-card">
      <div class="ra-card-head">
        <h2 dir="auto">
          <a href={hashOf({ view: "sweep", id: sweep.id })}>{sweep.name}</a>
        </h2>
        <span class="ra-faint">
          <Age time={sweep.created_at} />
        </span>
      </div>
      <code class="ra-card-command" dir="auto">
        {sweep.base_command}
      </code>
      <Bar sweep={sweep} />
      <div class="ra-card-foot">
        <p class="ra-legend">
          {PARTS.filter(([key]) => progress[key] > 0).map(([key, status, word]) => (
            <a key={key} class={`ra-is-${status}`} href={hashOfRuns({ sweep: sweep.id, statuses: [status] })}>
              <span class="ra-dot" /> {grouped(progress[key])} {word}
            </a>
          ))}
        </p>
        {waiting > 0 && progress.ready > 0 && (
          <Button
            icon="start"
            label={`Start ${sweep.name}`}
            onClick={() => {
              const query = { parallel: sweep.parallel ?? 1 };
              void act("Started", session.client.post("/sweeps/{sweep_id}/start", { path, query }));
            }}
          >
            Start, {grouped(sweep.parallel ?? 1)} at a time
          </Button>
        )}
        {isActive && (
          <Button
            icon="stop"
            label={`Stop ${sweep.name}`}
            onClick={() => void act("Stopping", session.client.post("/sweeps/{sweep_id}/stop", { path }))}
          >
            Stop
          </Button>
        )}
        {progress.failed + progress.canceled > 0 && (
          <Button
            icon="rerun"
            label={`Retry what failed or was stopped of ${sweep.name}`}
            onClick={() => void act("Retrying", session.client.post("/sweeps/{sweep_id}/retry", { path }))}
          >
            Retry {progress.failed > 0 ? "failed" : "stopped"}
          </Button>
        )}
      </div>
    </li>
  );
}

/** How many of its runs stand where, as one bar. */
export function Bar({ sweep: { name, progress } }: { readonly sweep: Sweep }): JSX.Element {
  const ended = progress.completed + progress.failed + progress.canceled;
  return (
    <div
      class="ra-bar"
      role="progressbar"
      aria-label={`Progress of ${name}`}
      aria-valuemin={0}
      aria-valuemax={progress.total}
      aria-valuenow={ended}
    >
      {PARTS.filter(([key]) => progress[key] > 0).map(([key, status]) => (
        <span key={key} class={`ra-is-${status}`} style={{ flexGrow: String(progress[key]) }} />
      ))}
    </div>
  );
}
