import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Run } from "../../api/records";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { Dot } from "../parts/status";
import type { Session } from "../session";

/** Colours that can be told apart; so many runs are compared at most. */
export const COLOURS = 8;

const TYPED = 200;
const OFFERED = 8;

interface LegendProps {
  /** The first is the run that is looked at. */
  readonly runs: readonly Run[];
  readonly hidden: ReadonlySet<string>;
  readonly onToggle: (id: string) => void;
  readonly onRemove: (id: string) => void;
}

/** Which line is whose; each can be hidden, and all but the first taken away. */
export function Legend({ runs, hidden, onToggle, onRemove }: LegendProps): JSX.Element {
  return (
    <ul class="ra-compared" aria-label="Compared runs">
      {runs.map((run, n) => (
        <li key={run.id}>
          <button type="button" class="ra-chip" aria-pressed={!hidden.has(run.id)} onClick={() => onToggle(run.id)}>
            <span class="ra-swatch" style={{ background: `var(--ra-series-${n})` }} />
            <span dir="auto">{run.name}</span>
          </button>
          {n > 0 && <Button icon="close" label={`Without ${run.name}`} kind="quiet" onClick={() => onRemove(run.id)} />}
        </li>
      ))}
    </ul>
  );
}

interface ChooserProps {
  readonly session: Session;
  readonly run: Run;
  readonly taken: ReadonlySet<string>;
  readonly onChoose: (run: Run) => void;
}

/** Others to compare a run with: those of its sweep at first, any by their names. */
export function Chooser({ session, run, taken, onChoose }: ChooserProps): JSX.Element {
  const [text, setText] = useState("");
  const [found, setFound] = useState<readonly Run[] | null>(null);
  const sweep = text === "" ? run.sweep_id : null;
  useEffect(() => {
    const abort = new AbortController();
    const query = { limit: 50, ...(text !== "" && { q: text }), ...(sweep !== null && { sweep_id: sweep }) };
    const timer = setTimeout(
      () => {
        session.client.get("/runs", { query, signal: abort.signal }).then(setFound, () => setFound([]));
      },
      text === "" ? 0 : TYPED,
    );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [session, sweep, text]);
  const offered = (found ?? []).filter(({ id, status }) => !taken.has(id) && status !== "ready").slice(0, OFFERED);
  return (
    <div class="ra-chooser">
      <label class="ra-search">
        <Icon name="search" />
        <input
          type="search"
          value={text}
          placeholder={run.sweep_id === null ? "Search runs" : "Of its sweep; or search"}
          aria-label="Search runs to compare with"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <ul aria-label="Runs to compare with">
        {offered.map((each) => (
          <li key={each.id}>
            <button type="button" class="ra-offer" onClick={() => onChoose(each)}>
              <Dot status={each.status} />
              <span dir="auto">{each.name}</span>
              <span class="ra-faint">{each.id}</span>
            </button>
          </li>
        ))}
        {found !== null && offered.length === 0 && <li class="ra-hint">No other run.</li>}
      </ul>
    </div>
  );
}
