import type { CSSProperties, JSX } from "preact";
import { bytes, grouped } from "../../format";
import type { Kind } from "../../log/errors";
import type { Colour, Pen } from "../../log/pen";
import { type Row, type Span, spans } from "../../log/row";
import type { Place } from "./layout";

export const LINE = 20;

type Part = Pick<Place, "from" | "to">;

interface Props {
  readonly row: Row;
  readonly place: Place;
  readonly line: number;
  readonly kind: Kind | undefined;
  readonly isFound: boolean;
}

/** A line of the picture, as text nodes: nothing in a log is ever taken for HTML. */
export function Line({ row, place, line, kind, isFound }: Props): JSX.Element {
  const kinds = ["ra-line", kind && `ra-line-${kind}`, isFound && "ra-line-found"];
  return (
    <div class={kinds.filter(Boolean).join(" ")} style={{ transform: `translateY(${line * LINE}px)` }}>
      {row.gap > 0 ? (
        <span class="ra-mark">{bytes(row.gap)} were not kept here</span>
      ) : (
        <Text row={row} place={place} />
      )}
      {row.cut > 0 && place.to === row.text.length && (
        <span class="ra-mark">{grouped(row.cut)} more characters in this line</span>
      )}
    </div>
  );
}

/** The part of a row that a line shows, in its colours. */
export function Text({ row, place }: { readonly row: Row; readonly place: Part }): JSX.Element {
  return (
    <>
      {spansOf(row, place).map(({ text, pen }, n) =>
        pen.key === "" ? (
          text
        ) : (
          <span key={n} class={classOf(pen)} style={styleOf(pen)}>
            {text}
          </span>
        ),
      )}
    </>
  );
}

function spansOf(row: Row, { from, to }: Part): Span[] {
  const all = spans(row);
  if (from === 0 && to === row.text.length) return all;
  const found: Span[] = [];
  let at = 0;
  for (const { text, pen } of all) {
    const piece = text.slice(Math.max(0, from - at), Math.max(0, to - at));
    if (piece !== "") found.push({ text: piece, pen });
    at += text.length;
  }
  return found;
}

function colours({ fg, bg, inverse }: Pen): readonly [Colour | null, Colour | null] {
  return inverse ? [bg ?? "back", fg ?? "front"] : [fg, bg];
}

function classOf(pen: Pen): string {
  const [fg, bg] = colours(pen);
  const isNamed = (colour: Colour | null): boolean => typeof colour === "number" || /^(front|back)$/.test(colour ?? "");
  return [
    isNamed(fg) && `ra-fg-${fg ?? ""}`,
    isNamed(bg) && `ra-bg-${bg ?? ""}`,
    pen.bold && "ra-bold",
    pen.dim && "ra-dim",
    pen.italic && "ra-italic",
    pen.hidden && "ra-concealed",
    (pen.underline || pen.strike) && `ra-line-${pen.underline ? "under" : ""}${pen.strike ? "through" : ""}`,
  ]
    .filter(Boolean)
    .join(" ");
}

function styleOf(pen: Pen): CSSProperties {
  const [fg, bg] = colours(pen);
  const style: CSSProperties = {};
  if (typeof fg === "string" && fg.startsWith("#")) style.color = fg;
  if (typeof bg === "string" && bg.startsWith("#")) style.backgroundColor = bg;
  return style;
}
