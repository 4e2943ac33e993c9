import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { duration, number } from "../../format";
import { inOrder } from "../metrics/series";
import { Icon } from "../parts/icon";
import { Dot } from "../parts/status";
import { hashOf, hashOfRuns } from "../route";
import { type Session, wordsOf } from "../session";
import { bestOf, columnsOf, isLessBetter, judgedOf, type SweepRow } from "./columns";
import type * as Plots from "./plot";
import { SweepCard } from "./view";

/** The server sorts all of them; so many are shown. */
const SHOWN = 500;

interface Order {
  readonly by: string;
  readonly order: "asc" | "desc";
}

/** A sweep with the table of its runs. */
export function SweepView({ session, id }: { readonly session: Session; readonly id: string }): JSX.Element {
  const sweep = session.sweeps.things.value.get(id);
  const [rows, setRows] = useState<readonly SweepRow[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [order, setOrder] = useState<Order | null>(null);
  const progress = JSON.stringify(sweep?.progress ?? null);

  useEffect(() => {
    const abort = new AbortController();
    const path = { sweep_id: id };
    const query = { limit: SHOWN, ...(order && { sort: order.by, order: order.order }) };
    session.client.get("/sweeps/{sweep_id}/table", { path, query, signal: abort.signal }).then(
      (found) => {
        setRows(found);
        setProblem(null);
      },
      (raised: unknown) => {
        if (!abort.signal.aborted) setProblem(wordsOf(raised));
      },
    );
    return () => abort.abort();
  }, [session, id, progress, order]);

  const { parameters, metrics } = useMemo(() => columnsOf(rows ?? []), [rows]);
  const [chosen, setChosen] = useState("");
  const [plots, setPlots] = useState<typeof Plots | null>(null);
  const sorted = order !== null && metrics.includes(order.by) ? order.by : undefined;
  const judged = metrics.includes(chosen) ? chosen : (sorted ?? judgedOf(metrics)?.metric ?? inOrder(metrics)[0]);
  const isPlotted = judged !== undefined && parameters.length > 0 && (rows?.length ?? 0) > 1;
  useEffect(() => {
    if (isPlotted) void import("./plot").then(setPlots);
  }, [isPlotted]);
  const best = judged === undefined ? undefined : bestOf(rows ?? [], judged);
  const sort = (by: string): void => {
    const first = metrics.includes(by) && !isLessBetter(by) ? "desc" : "asc";
    const other = first === "asc" ? "desc" : "asc";
    setOrder(order?.by === by ? (order.order === first ? { by, order: other } : null) : { by, order: first });
  };
  const heading = (name: string, isNumber: boolean, kind = ""): JSX.Element => (
    <th
      key={`${kind} ${name}`}
      scope="col"
      class={isNumber ? "ra-number" : ""}
      aria-sort={order?.by === name ? (order.order === "asc" ? "ascending" : "descending") : "none"}
    >
      <button type="button" onClick={() => sort(name)}>
        {name}
        {order?.by === name && <Icon name={order.order === "asc" ? "up" : "down"} />}
      </button>
    </th>
  );
  return (
    <section class="ra-view ra-page ra-sweep" aria-label="Sweep">
      <a class="ra-back" href="#/sweeps">
        <Icon name="back" /> Sweeps
      </a>
      {sweep && (
        <ul class="ra-cards">
          <SweepCard session={session} sweep={sweep} />
        </ul>
      )}
      <p>
        <a class="ra-legend" href={hashOfRuns({ sweep: id })}>
          Its runs in the list
        </a>
      </p>
      {problem !== null && (
        <p class="ra-error" role="alert">
          {problem}
        </p>
      )}
      {isPlotted && plots !== null && (
        <div>
          <label class="ra-plot-choice">
            <span class="ra-faint">Metric</span>
            <select value={judged} onChange={(event) => setChosen(event.currentTarget.value)}>
              {inOrder(metrics).map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <plots.Plot rows={rows ?? []} parameters={parameters} metric={judged} best={best} />
        </div>
      )}
      {rows !== null && rows.length > 0 && (
        <div class="ra-grid">
          <table>
            <thead>
              <tr>
                {heading("name", false)}
                {heading("status", false)}
                {parameters.map((name) => heading(name, true, "parameter"))}
                {metrics.map((name) => heading(name, true, "metric"))}
                {heading("duration", true)}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.run_id} class={row.run_id === best ? "ra-best" : ""}>
                  <th scope="row">
                    <a href={hashOf({ view: "run", id: row.run_id })}>{row.name}</a>
                    {row.run_id === best && <span class="ra-label ra-label-sweep">best {judged}</span>}
                  </th>
                  <td>
                    <span class={`ra-status ra-is-${row.status}`}>
                      <Dot status={row.status} />
                      {row.status}
                    </span>
                  </td>
                  {parameters.map((name) => (
                    <td key={`parameter ${name}`} class="ra-number">
                      {shown(row.parameters[name])}
                    </td>
                  ))}
                  {metrics.map((name) => (
                    <td key={`metric ${name}`} class="ra-number">
                      {shown(row.metrics[name])}
                    </td>
                  ))}
                  <td class="ra-number">{row.duration === null ? "" : duration(row.duration)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows !== null && rows.length >= SHOWN && <p class="ra-hint">The first {SHOWN}; sort to see others.</p>}
    </section>
  );
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return number(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}
