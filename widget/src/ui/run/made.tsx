import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ALL, type Runs } from "../../live/runs";
import { RunStore } from "../../live/store";
import { Age, Dot } from "../parts/status";
import { hashOf } from "../route";
import type { Session } from "../session";

const SHOWN = 20;

/** The runs that were made from this one, also the archived ones: reruns, retries, copies. */
export function useMade(session: Session, id: string): Runs {
  const [store] = useState(() => new RunStore(session.client, SHOWN));
  useEffect(() => session.follow(store, { ...ALL, archived: true, parent: id }), [session, store, id]);
  return store.runs.value;
}

/** The newest of them. */
export function Made({ made: { shown, next } }: { readonly made: Runs }): JSX.Element {
  const more = shown.length - SHOWN;
  return (
    <ul class="ra-files ra-made" aria-label="Runs made from this one">
      {shown.slice(0, SHOWN).map((run) => (
        <li key={run.id}>
          <a href={hashOf({ view: "run", id: run.id })}>
            <Dot status={run.status} />
            <span dir="auto">{run.name}</span>
          </a>
          <span class="ra-faint">{run.status}</span>
          <span class="ra-faint">
            <Age time={run.created_at} suffix=" ago" />
          </span>
        </li>
      ))}
      {(next !== null || more > 0) && (
        <li class="ra-faint">{next === null ? `and ${more} older` : "and older ones"}</li>
      )}
    </ul>
  );
}
