import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Run } from "../../api/records";
import { hashOf } from "../route";
import type { Session } from "../session";
import { inView, revealing } from "../window";
import { ROW, RunRow } from "./row";

const AROUND = 8;
/** So many rows before the end of what is loaded, more is asked for. */
const AHEAD = 60;
const COLUMNS = ["Select", "Status", "Run", "Sweep and tags", "Duration", "Age", "Actions"];

/** Where the list of each session was when it was last left. */
const left = new WeakMap<Session, number>();

/** All runs that match, of which only those in view are drawn. */
export function RunList({ session }: { readonly session: Session }): JSX.Element {
  const { shown, next } = session.store.runs.value;
  const selection = session.store.selection.value;
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(left.get(session) ?? 0);
  const [viewport, setViewport] = useState(800);
  const [current, setCurrent] = useState(0);
  const focusing = useRef(false);

  useLayoutEffect(() => {
    const box = scroller.current as HTMLDivElement;
    box.scrollTop = left.get(session) ?? 0;
    const observer = new ResizeObserver(() => setViewport(box.clientHeight - (head.current?.offsetHeight ?? 0)));
    observer.observe(box);
    return () => observer.disconnect();
  }, [session]);

  const { from, to } = inView(top, viewport, ROW, shown.length, AROUND);
  useEffect(() => {
    if (next !== null && to > shown.length - AHEAD && shown.length > 0) void session.more();
  }, [session, next, to, shown.length]);

  const at = Math.min(current, shown.length - 1);
  useLayoutEffect(() => {
    if (!focusing.current) return;
    focusing.current = false;
    scroller.current?.querySelector<HTMLElement>(`[data-index="${at}"]`)?.focus({ preventScroll: true });
  });

  function go(index: number): void {
    const box = scroller.current as HTMLDivElement;
    const target = Math.max(0, Math.min(shown.length - 1, index));
    box.scrollTop = revealing(target, box.scrollTop, viewport, ROW);
    setTop(box.scrollTop);
    focusing.current = true;
    setCurrent(target);
  }

  function pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isRow = event.target instanceof HTMLElement && event.target.dataset["index"] !== undefined;
    const page = Math.max(1, Math.floor(viewport / ROW) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    const run = shown[at];
    if (steps[event.key] !== undefined) go(at + (steps[event.key] as number));
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(shown.length - 1);
    else if (event.key === "Enter" && isRow && run) session.navigation.go(hashOf({ view: "run", id: run.id }));
    else if (event.key === " " && isRow && run) select(run, event.shiftKey);
    else return;
    event.preventDefault();
  }

  function select(run: Run, range: boolean): void {
    if (range) session.store.extend(run.id);
    else session.store.toggle(run.id);
  }

  const isAll = shown.length > 0 && selection.size === shown.length;
  return (
    <div class="ra-table">
      <div
        ref={scroller}
        class="ra-scroller"
        role="grid"
        aria-label="Runs"
        aria-rowcount={next === null ? shown.length + 1 : -1}
        onKeyDown={pressed}
        onScroll={(event) => {
          setTop(event.currentTarget.scrollTop);
          left.set(session, event.currentTarget.scrollTop);
        }}
      >
        <div ref={head} class="ra-head" role="row" aria-rowindex={1}>
          {COLUMNS.map((column, n) => (
            <span key={column} role="columnheader" class={`ra-head-${n}`}>
              {n > 0 ? (
                <span class={column === "Actions" ? "ra-hidden" : ""}>{column}</span>
              ) : (
                <input
                  type="checkbox"
                  aria-label="Select all that are listed"
                  checked={isAll}
                  ref={(box) => {
                    if (box) box.indeterminate = selection.size > 0 && !isAll;
                  }}
                  onClick={() => session.store.selectAll(!isAll)}
                />
              )}
            </span>
          ))}
        </div>
        <div class="ra-rows" role="rowgroup" style={{ height: `${shown.length * ROW}px` }}>
          {shown.slice(from, to).map((run, n) => (
            <RunRow
              key={run.id}
              session={session}
              run={run}
              index={from + n}
              isSelected={selection.has(run.id)}
              isCurrent={from + n === at}
              onSelect={select}
              onFocus={setCurrent}
            />
          ))}
        </div>
      </div>
    </div>
  );
}
