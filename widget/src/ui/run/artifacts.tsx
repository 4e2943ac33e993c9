import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Run } from "../../api/records";
import type { components } from "../../api/schema";
import { bytes } from "../../format";
import { Icon } from "../parts/icon";
import { Age } from "../parts/status";
import { type Session, wordsOf } from "../session";

type Artifact = components["schemas"]["Artifact"];

const SHOWN = 200;

/** What the run left, to be downloaded; looked for again when its status changes. */
export function Artifacts({ session, run }: { readonly session: Session; readonly run: Run }): JSX.Element {
  const [found, setFound] = useState<readonly Artifact[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    session.client
      .get("/runs/{run_id}/artifacts", { path: { run_id: run.id }, signal: abort.signal })
      .then(setFound, (raised: unknown) => {
        if (!abort.signal.aborted) setProblem(wordsOf(raised));
      });
    return () => abort.abort();
  }, [session, run.id, run.status]);
  if (problem !== null) return <p class="ra-hint">{problem}</p>;
  if (found === null) return <></>;
  if (found.length === 0) return <p class="ra-hint">None.</p>;
  return (
    <ul class="ra-files">
      {found.slice(0, SHOWN).map(({ name, type, size, modified_at, certain }) => (
        <li key={name}>
          <a
            href={session.client.url("/runs/{run_id}/artifacts/{name}", { path: { run_id: run.id, name } })}
            download={name.split("/").at(-1)}
          >
            <Icon name="download" />
            <span dir="auto">{name}</span>
          </a>
          <span class="ra-faint">{type}</span>
          <span class="ra-faint">{bytes(size)}</span>
          <span class="ra-faint">
            <Age time={modified_at} />
          </span>
          {!certain && <span class="ra-hint">perhaps another run’s</span>}
        </li>
      ))}
      {found.length > SHOWN && <li class="ra-faint">and {found.length - SHOWN} more</li>}
    </ul>
  );
}
