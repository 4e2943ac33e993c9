import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type * as Heavy from "../../heavy/chart";
import { ACTIVE, type Run } from "../../api/records";
import { adopt } from "../adopt";
import { Button } from "../parts/button";
import type { Session } from "../session";
import { Chart } from "./chart";
import { Chooser, COLOURS, Legend } from "./compared";
import { useMetrics } from "./known";
import { inOrder } from "./series";

const SHOWN = 8;
const NONE: ReadonlySet<string> = new Set();

/** The run's metrics as charts, drawn anew while it runs, with those of other runs over them. */
export function Metrics({ session, run }: { readonly session: Session; readonly run: Run }): JSX.Element {
  const [others, setOthers] = useState<readonly string[]>([]);
  const [hidden, setHidden] = useState(NONE);
  const [isChoosing, setChoosing] = useState(false);
  const [heavy, setHeavy] = useState<typeof Heavy | null>(null);
  const [share, setShare] = useState(0);
  const [isLog, setLog] = useState(false);
  const [isAll, setAll] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const known = others.map((id) => session.run(id).value);
  const runs = [run, ...known.filter((each): each is Run => each !== null && !(each instanceof Error))];
  const { metrics, problem } = useMetrics(session, runs);

  const own = metrics.get(run.id);
  const series = own?.metricSeries ?? {};
  const names = inOrder(Object.keys(series).filter((name) => (series[name]?.length ?? 0) > 0));
  const isAny = names.length > 0;
  useEffect(() => {
    if (!isAny) return;
    void import("../../heavy/chart").then((loaded) => {
      adopt((place.current?.getRootNode() ?? document) as Document | ShadowRoot, loaded.css);
      setHeavy(loaded);
    });
  }, [isAny]);

  if (own === undefined && problem !== null) return <p class="ra-hint">{problem}</p>;
  if (!isAny) {
    return (
      <p class="ra-hint">{own === undefined ? "" : ACTIVE.has(run.status) ? "None so far." : "It has left none."}</p>
    );
  }
  const shown = isAll ? names : names.slice(0, SHOWN);
  const curvesOf = (name: string) =>
    runs.flatMap(({ id, name: label }, colour) => {
      const points = metrics.get(id)?.metricSeries?.[name] ?? [];
      return hidden.has(id) || points.length === 0 ? [] : [{ id, label, colour, points }];
    });
  const remove = (id: string): void => setOthers(others.filter((each) => each !== id));
  const toggle = (id: string): void => {
    const now = new Set(hidden);
    if (!now.delete(id)) now.add(id);
    setHidden(now);
  };
  return (
    <div ref={place}>
      <div class="ra-chart-bar">
        <label>
          Smoothing{" "}
          <input
            type="range"
            min="0"
            max="0.99"
            step="0.01"
            value={share}
            onInput={(event) => setShare(Number(event.currentTarget.value))}
          />
        </label>
        <Button label="Logarithmic" pressed={isLog} onClick={() => setLog(!isLog)}>
          Logarithmic
        </Button>
        <Button icon="plus" label="Compare" pressed={isChoosing} onClick={() => setChoosing(!isChoosing)}>
          Compare
        </Button>
        <span class="ra-faint">Drag to zoom, double click to see all</span>
      </div>
      {isChoosing && runs.length < COLOURS && (
        <Chooser
          session={session}
          run={run}
          taken={new Set(runs.map(({ id }) => id))}
          onChoose={({ id }) => setOthers([...others, id])}
        />
      )}
      {runs.length > 1 && <Legend runs={runs} hidden={hidden} onToggle={toggle} onRemove={remove} />}
      {heavy !== null && (
        <div class="ra-charts">
          {shown.map((name) => (
            <Chart key={name} heavy={heavy} name={name} curves={curvesOf(name)} share={share} isLog={isLog} />
          ))}
        </div>
      )}
      {shown.length < names.length && (
        <Button label="Show all metrics" onClick={() => setAll(true)}>
          Show all {names.length}
        </Button>
      )}
      {(own?.notes ?? []).map((note) => (
        <p key={note} class="ra-hint">
          {note}
        </p>
      ))}
    </div>
  );
}
