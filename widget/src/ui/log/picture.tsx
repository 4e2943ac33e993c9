import { useComputed, useSignal } from "@preact/signals";
import type { JSX, TargetedEvent } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { inView } from "../window";
import { kindsOf } from "./kinds";
import { Layout } from "./layout";
import { Line, LINE } from "./line";
import type { LogModel } from "./model";
import type { View } from "./view";

const AROUND = 20;
/** Pixels from an end at which the next page is asked for. */
const AHEAD = "600px 0px";
/** So near to the end counts as at it. */
const NEAR = 4;
const UNWRAPPED = Infinity;

/**
 * The lines in view. What is looked at stays where it is while older pages come above it; at the end, it stays at
 * the end while more is added.
 */
export function Picture({ model, view }: { readonly model: LogModel; readonly view: View }): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const above = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLDivElement>(null);
  const ruler = useRef<HTMLSpanElement>(null);
  const top = useSignal(0);
  const box = useSignal({ height: 400, columns: 80 });
  const frame = useSignal(0);
  /** The row at the top of the view, and how many pixels of it are above. */
  const anchor = useRef<{ row: number; above: number }>({ row: 0, above: 0 });

  // However often the lines change, they are drawn once a frame.
  useEffect(() => {
    let request = 0;
    const end = model.version.subscribe(() => {
      request ||= requestAnimationFrame(() => {
        request = 0;
        frame.value++;
      });
    });
    return () => {
      end();
      cancelAnimationFrame(request);
    };
  }, [model, frame]);

  const columns = useComputed(() => (view.isWrapped.value ? box.value.columns : UNWRAPPED));
  const before = useRef<Layout | null>(null);
  const layout = useMemo(
    () => (before.current = new Layout(model.lines, columns.value, before.current)),
    [frame.value, columns.value, model],
  );

  useLayoutEffect(() => {
    const element = scroller.current as HTMLDivElement;
    const measure = (): void => {
      const wide = (ruler.current?.getBoundingClientRect().width ?? 80) / 10 || 8;
      const padding = 2 * 16;
      const room = Math.max(20, Math.floor((element.clientWidth - padding) / wide));
      box.value = { height: element.clientHeight, columns: room };
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);

  // Before it is painted: at the end, or where the row that was looked at is now.
  useLayoutEffect(() => {
    const element = scroller.current as HTMLDivElement;
    const wanted = view.wanted.value;
    let place: number;
    if (wanted !== null) {
      place = layout.lineOf(wanted) * LINE - Math.max(0, element.clientHeight / 3);
      view.wanted.value = null;
      view.isAtEnd.value = false;
    } else if (view.isAtEnd.peek()) place = layout.count * LINE;
    else place = layout.lineOf(anchor.current.row) * LINE + anchor.current.above;
    if (Math.abs(element.scrollTop - place) >= 1) element.scrollTop = place;
    remember(element);
  }, [layout, view.wanted.value, view.isAtEnd.value, box.value]);

  function remember(element: HTMLDivElement): void {
    top.value = element.scrollTop;
    const line = Math.min(Math.floor(element.scrollTop / LINE), Math.max(0, layout.count - 1));
    const { row } = layout.place(line);
    anchor.current = { row, above: element.scrollTop - layout.lineOf(row) * LINE };
    view.top.value = row;
  }

  function scrolled(event: TargetedEvent<HTMLDivElement>): void {
    const element = event.currentTarget;
    const isAtEnd = element.scrollHeight - element.clientHeight - element.scrollTop <= NEAR;
    // Growing lines scroll by themselves; who goes up wants to stay there.
    if (isAtEnd && !model.isApart.peek()) view.isAtEnd.value = true;
    else if (element.scrollTop < top.peek()) view.isAtEnd.value = false;
    remember(element);
  }

  useEffect(() => {
    const watch = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          if (entry.target === above.current) void model.older();
          else void model.newer();
        }
      },
      { root: scroller.current, rootMargin: AHEAD },
    );
    // Observed anew after each page: a page that was too short leaves it in view, which tells nothing.
    for (const each of [above.current, below.current]) if (each) watch.observe(each);
    return () => watch.disconnect();
  }, [model, layout.first, model.isApart.value, model.isApart.value && layout.count, model.state.value]);

  const { from, to } = inView(top.value, box.value.height, LINE, layout.count, AROUND);
  const places = Array.from({ length: to - from }, (_, n) => layout.place(from + n));
  const kinds = kindsOf(model.lines, places[0]?.row ?? 0, (places.at(-1)?.row ?? -1) + 1);
  return (
    <div
      ref={scroller}
      class="ra-log-scroller"
      tabIndex={0}
      role="log"
      aria-label="Log"
      aria-live="off"
      onScroll={scrolled}
    >
      <div class="ra-log-lines" style={{ height: `${layout.count * LINE}px` }}>
        <div ref={above} class="ra-log-above" hidden={!model.hasOlder} />
        {places.map((place, n) => {
          const row = model.lines.row(place.row);
          return (
            row && (
              <Line
                key={`${place.row}/${place.part}`}
                row={row}
                place={place}
                line={from + n}
                kind={kinds.get(place.row)}
                isFound={view.found.value === place.row}
              />
            )
          );
        })}
        <div ref={below} class="ra-log-below" hidden={!model.isApart.value} />
      </div>
      <span ref={ruler} class="ra-log-ruler" aria-hidden="true">
        0000000000
      </span>
    </div>
  );
}
