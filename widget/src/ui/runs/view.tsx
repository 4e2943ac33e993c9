import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { grouped } from "../../format";
import type { Filter } from "../../live/runs";
import { Button } from "../parts/button";
import { hashOfRuns } from "../route";
import type { Session } from "../session";
import { verbsOf, verbsOfAll, WORDS } from "../verbs";
import { Filters, isNarrow } from "./filters";
import { RunForm } from "./form";
import { RunList } from "./list";

export function RunsView({ session, filter }: { readonly session: Session; readonly filter: Filter }): JSX.Element {
  const [isMaking, setMaking] = useState(false);
  const key = JSON.stringify(filter);
  useEffect(() => {
    if (JSON.stringify(session.store.runs.peek().filter) !== key) void session.filter(filter);
  }, [session, key]);
  const { shown } = session.store.runs.value;
  return (
    <section class="ra-view" aria-label="Runs">
      <div class="ra-toolbar">
        <Filters session={session} filter={filter} />
        <Button icon="plus" label="New run" kind="primary" onClick={() => setMaking(true)}>
          New run
        </Button>
      </div>
      <Chosen session={session} />
      {shown.length > 0 ? (
        <RunList session={session} />
      ) : (
        <Nothing session={session} filter={filter} onMake={() => setMaking(true)} />
      )}
      {isMaking && <RunForm session={session} onClose={() => setMaking(false)} />}
    </section>
  );
}

/** What can be done with the runs that are selected. */
function Chosen({ session }: { readonly session: Session }): JSX.Element {
  const selection = session.store.selection.value;
  if (selection.size === 0) return <></>;
  const runs = session.store.runs.value.shown.filter((run) => selection.has(run.id));
  return (
    <div class="ra-chosen" role="toolbar" aria-label="Selected runs">
      <strong>{grouped(runs.length)} selected</strong>
      {verbsOfAll(runs).map((verb) => {
        const those = runs.filter((run) => verbsOf(run).includes(verb));
        return (
          <Button key={verb} icon={verb} label={WORDS[verb].does} onClick={() => void session.act(verb, those)}>
            {WORDS[verb].does}
            {those.length < runs.length && <span class="ra-faint">{grouped(those.length)}</span>}
          </Button>
        );
      })}
      <Button label="Select none" kind="quiet" onClick={() => session.store.selectAll(false)}>
        Select none
      </Button>
    </div>
  );
}

interface NothingProps {
  readonly session: Session;
  readonly filter: Filter;
  readonly onMake: () => void;
}

function Nothing({ session, filter, onMake }: NothingProps): JSX.Element {
  const problem = session.listing.value;
  if (session.store.loading.value) return <Skeleton />;
  if (problem !== null) {
    return (
      <div class="ra-empty" role="alert">
        <h2>The runs can’t be listed</h2>
        <p>{problem.message}</p>
        <Button label="Try again" onClick={() => void session.filter(filter)}>
          Try again
        </Button>
      </div>
    );
  }
  if (isNarrow(filter)) {
    return (
      <div class="ra-empty">
        <h2>No run matches</h2>
        <p>Other runs may, with fewer conditions.</p>
        <a class="ra-button" href={hashOfRuns()}>
          Show all runs
        </a>
      </div>
    );
  }
  const stored = Object.values(session.health.value?.counts ?? {}).reduce((sum, count) => sum + count, 0);
  if (stored > 0) {
    return (
      <div class="ra-empty">
        <h2>{stored === 1 ? "The one run is archived" : `All ${grouped(stored)} runs are archived`}</h2>
        <a class="ra-button" href={hashOfRuns({ archived: true })}>
          Show archived runs
        </a>
      </div>
    );
  }
  return (
    <div class="ra-empty">
      <h2>No runs yet</h2>
      <p>A run is a command that goes on whatever becomes of this page, the kernel or the server.</p>
      <Button icon="plus" label="New run" kind="primary" onClick={onMake}>
        New run
      </Button>
      <p class="ra-faint">
        Or from a notebook: <code>ra.run("python train.py")</code>
      </p>
    </div>
  );
}

function Skeleton(): JSX.Element {
  return (
    <div class="ra-skeleton" aria-busy="true" aria-label="Loading">
      {Array.from({ length: 8 }, (_, n) => (
        <div key={n} />
      ))}
    </div>
  );
}
