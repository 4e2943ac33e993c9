import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Client } from "../../api/client";
import type { Sweep } from "../../api/records";
import { grouped, number } from "../../format";
import { Button } from "../parts/button";
import { wordsOf } from "../session";
import { Bar, PARTS } from "../sweeps/view";
import { type Best, bestOfSweep } from "./best";
import { Frame, type Way } from "./frame";

interface Props {
  readonly client: Client;
  readonly way: Way;
  readonly sweep: Sweep;
  readonly isAway: boolean;
  readonly take: (sweep: Sweep) => void;
}

/** Not at each of a thousand ends. */
const AT_MOST_EVERY = 2_000;

/** A sweep in a cell: how far it is, its best run, and what can be done with it. */
export function SweepCard({ client, way, sweep, isAway, take }: Props): JSX.Element {
  const problem = useSignal("");
  const { progress } = sweep;
  const ended = progress.completed + progress.failed + progress.canceled;
  const best = useBest(client, sweep.id, progress.completed);
  const isActive = progress.running + progress.launching + progress.queued > 0;
  const path = { sweep_id: sweep.id };
  async function act(call: Promise<unknown>): Promise<void> {
    try {
      await call;
      take(await client.get("/sweeps/{sweep_id}", { path }));
      problem.value = "";
    } catch (raised) {
      problem.value = wordsOf(raised);
    }
  }
  const parallel = sweep.parallel ?? 1;
  return (
    <Frame
      way={way}
      kind="sweep"
      id={sweep.id}
      name={sweep.name}
      command={sweep.base_command}
      isAway={isAway}
      status={<strong class="ra-live-count">{`${grouped(ended)} of ${grouped(progress.total)}`}</strong>}
      actions={
        <>
          {progress.ready > 0 && (
            <Button
              icon="start"
              label={`Start, ${grouped(parallel)} at a time`}
              kind="quiet"
              onClick={() => void act(client.post("/sweeps/{sweep_id}/start", { path, query: { parallel } }))}
            />
          )}
          {isActive && (
            <Button
              icon="stop"
              label="Stop"
              kind="quiet"
              onClick={() => void act(client.post("/sweeps/{sweep_id}/stop", { path }))}
            />
          )}
          {progress.failed > 0 && (
            <Button
              icon="rerun"
              label="Retry what failed"
              kind="quiet"
              onClick={() => void act(client.post("/sweeps/{sweep_id}/retry", { path }))}
            />
          )}
        </>
      }
    >
      <Bar sweep={sweep} />
      <p class="ra-legend">
        {PARTS.filter(([key]) => progress[key] > 0).map(([key, status, word]) => (
          <span key={key} class={`ra-is-${status}`}>
            <span class="ra-dot" /> {grouped(progress[key])} {word}
          </span>
        ))}
      </p>
      {best !== undefined && (
        <p class="ra-live-best">
          <span class="ra-label ra-label-sweep">
            best {best.metric} {number(best.value)}
          </span>
          <code dir="auto">{valuesOf(best)}</code>
        </p>
      )}
      {problem.value !== "" && (
        <p class="ra-error" role="alert">
          {problem.value}
        </p>
      )}
    </Frame>
  );
}

function valuesOf({ row }: Best): string {
  const values = Object.entries(row.parameters).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return values.length > 0 ? values.join(" ") : row.name;
}

function useBest(client: Client, id: string, completed: number): Best | undefined {
  const [best, setBest] = useState<Best>();
  const [due, setDue] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setDue(completed), due === 0 ? 0 : AT_MOST_EVERY);
    return () => clearTimeout(timer);
  }, [completed]);
  useEffect(() => {
    if (due === 0) return undefined;
    const abort = new AbortController();
    bestOfSweep(client, id, abort.signal).then(setBest, () => undefined);
    return () => abort.abort();
  }, [client, id, due]);
  return best;
}
