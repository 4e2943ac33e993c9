import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { number } from "../../format";
import { hashOf } from "../route";
import { axisOf } from "./axes";
import type { SweepRow } from "./columns";

const HEIGHT = 240;
const TOP = 30;
const BOTTOM = 12;
const SIDE = 64;
/** Axes nearer to each other can't be read; the plot is scrolled then. */
const APART = 110;

interface Props {
  readonly rows: readonly SweepRow[];
  readonly parameters: readonly string[];
  readonly metric: string;
  readonly best: string | undefined;
}

/**
 * A metric over the parameters, as parallel coordinates: a line for each run, from axis to axis, in the colour of its
 * value. All of it is in the table too, which is for who can't see this.
 */
export function Plot({ rows, parameters, metric, best }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(800);
  const [pointed, setPointed] = useState<string | null>(null);
  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const observer = new ResizeObserver(() => setRoom(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const measured = rows.filter((row) => Number.isFinite(row.metrics[metric] ?? NaN));
  const names = [...parameters, metric];
  const axes = names.map((name, n) =>
    axisOf(measured.map((row) => (n < parameters.length ? row.parameters[name] : row.metrics[name]))),
  );
  const width = Math.max(room, (names.length - 1) * APART + 2 * SIDE);
  const x = (n: number): number => SIDE + (n * (width - 2 * SIDE)) / Math.max(1, names.length - 1);
  const y = (at: number): number => TOP + (1 - at) * (HEIGHT - TOP - BOTTOM);
  const placed = measured.flatMap((row) => {
    const ats = axes.map((axis, n) =>
      axis.place(n < parameters.length ? row.parameters[names[n] as string] : row.metrics[metric]),
    );
    return ats.some((at) => at === null) ? [] : [{ row, ats: ats as number[] }];
  });
  // What is looked at is drawn last, over the others.
  const rank = ({ run_id }: SweepRow): number => (run_id === pointed ? 2 : run_id === best ? 1 : 0);
  placed.sort((one, other) => rank(one.row) - rank(other.row));
  const shown = measured.find((row) => row.run_id === pointed) ?? measured.find((row) => row.run_id === best);
  return (
    <figure class="ra-plot" aria-label={`${metric} over ${parameters.join(", ")}`}>
      <div ref={box} class="ra-plot-box">
        <svg width={width} height={HEIGHT} aria-hidden="true" onPointerLeave={() => setPointed(null)}>
          {placed.map(({ row, ats }) => (
            <a
              key={row.run_id}
              href={hashOf({ view: "run", id: row.run_id })}
              tabindex={-1}
              onPointerEnter={() => setPointed(row.run_id)}
            >
              <path class="ra-plot-reach" d={pathOf(ats, x, y)} />
              <path
                class={`ra-plot-line${row.run_id === best ? " ra-plot-best" : ""}${row.run_id === pointed ? " ra-plot-pointed" : ""}`}
                style={{ "--ra-value": `${Math.round((ats.at(-1) as number) * 100)}%` }}
                d={pathOf(ats, x, y)}
              />
            </a>
          ))}
          {axes.map((axis, n) => (
            <g key={names[n]} class={n === parameters.length ? "ra-plot-metric" : ""}>
              <line x1={x(n)} x2={x(n)} y1={y(0)} y2={y(1)} />
              <text class="ra-plot-name" x={x(n)} y={14} text-anchor="middle">
                {names[n]}
              </text>
              {axis.ticks.map(({ at, label }) => (
                <text key={label} x={x(n) + (n === 0 ? -8 : 8)} y={y(at) + 4} text-anchor={n === 0 ? "end" : "start"}>
                  {label.length > 14 ? `${label.slice(0, 13)}…` : label}
                </text>
              ))}
            </g>
          ))}
        </svg>
      </div>
      <figcaption class="ra-hint">
        {shown && (
          <>
            {shown.run_id === best ? "Best: " : ""}
            <a href={hashOf({ view: "run", id: shown.run_id })}>{shown.name}</a>, {metric}{" "}
            {number(shown.metrics[metric] ?? NaN)}
          </>
        )}
        {placed.length < rows.length && ` · ${rows.length - placed.length} without a value are not drawn`}
      </figcaption>
    </figure>
  );
}

function pathOf(ats: readonly number[], x: (n: number) => number, y: (at: number) => number): string {
  return ats
    .map((at, n) => {
      if (n === 0) return `M${x(0)} ${y(at)}`;
      const middle = (x(n - 1) + x(n)) / 2;
      return `C${middle} ${y(ats[n - 1] as number)} ${middle} ${y(at)} ${x(n)} ${y(at)}`;
    })
    .join("");
}
