/** A colour: one of the terminal's sixteen, which a theme gives, or `#rrggbb`. */
export type Colour = number | string;

/** How characters look. Two that look the same have the same `key`. */
export interface Pen {
  readonly key: string;
  readonly fg: Colour | null;
  readonly bg: Colour | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
  readonly hidden: boolean;
  readonly strike: boolean;
}

type Look = Omit<Pen, "key">;

const PLAIN_LOOK: Look = {
  fg: null,
  bg: null,
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
  hidden: false,
  strike: false,
};

export const PLAIN: Pen = { ...PLAIN_LOOK, key: "" };

const MOST_KNOWN = 4096;
const known = new Map<string, Pen>();
/** What became of a pen by given parameters: a log uses the same few again and again. */
const selected = new Map<Pen, Map<string, Pen>>();

function penOf(look: Look): Pen {
  const flags = [look.bold, look.dim, look.italic, look.underline, look.inverse, look.hidden, look.strike];
  const key = `${look.fg ?? ""}/${look.bg ?? ""}/${flags.map(Number).join("")}`;
  if (key === "//0000000") return PLAIN;
  let pen = known.get(key);
  if (pen === undefined) {
    if (known.size >= MOST_KNOWN) {
      // 24-bit colours are millions
      known.clear();
      selected.clear();
    }
    pen = { ...look, key };
    known.set(key, pen);
  }
  return pen;
}

const ON: Readonly<Record<number, Partial<Look>>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  8: { hidden: true },
  9: { strike: true },
  21: { underline: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  28: { hidden: false },
  29: { strike: false },
  39: { fg: null },
  49: { bg: null },
};

/** The pen after `ESC [ parameters m` (ECMA-48, SGR); what it doesn't know changes nothing. */
export function select(pen: Pen, parameters: string): Pen {
  if (parameters === "" || parameters === "0") return PLAIN;
  const before = selected.get(pen)?.get(parameters);
  if (before !== undefined) return before;
  const after = penOf(lookAfter(pen, parameters));
  const all = selected.get(pen) ?? new Map<string, Pen>();
  if (all.size < MOST_KNOWN) selected.set(pen, all.set(parameters, after));
  return after;
}

function lookAfter(pen: Pen, parameters: string): Look {
  // `4:3` is a curly underline, `38:2::r:g:b` a colour: the part with colons is one parameter.
  const given = parameters.split(";");
  let look: Look = pen;
  for (let at = 0; at < given.length; at++) {
    const parts = (given[at] ?? "").split(":");
    const code = Number(parts[0]);
    if (code === 0) {
      look = PLAIN_LOOK;
    } else if (code === 38 || code === 48) {
      const joined = parts.length > 1;
      const [colour, used] = colourOf(joined ? parts.slice(1) : given.slice(at + 1), joined);
      if (!joined) at += used;
      if (colour !== null) look = { ...look, ...(code === 38 ? { fg: colour } : { bg: colour }) };
    } else if (code === 4 && parts[1] === "0") {
      look = { ...look, underline: false };
    } else if (ON[code] !== undefined) {
      look = { ...look, ...ON[code] };
    } else if (code >= 30 && code < 38) {
      look = { ...look, fg: code - 30 };
    } else if (code >= 40 && code < 48) {
      look = { ...look, bg: code - 40 };
    } else if (code >= 90 && code < 98) {
      look = { ...look, fg: code - 82 };
    } else if (code >= 100 && code < 108) {
      look = { ...look, bg: code - 92 };
    }
  }
  return look;
}

/** The colour that `5;n` or `2;r;g;b` names, and how many parameters that took. */
function colourOf(rest: readonly string[], joined: boolean): [Colour | null, number] {
  if (rest[0] === "5") return [indexed(Number(rest[1])), 2];
  if (rest[0] !== "2") return [null, rest.length];
  const rgb = joined ? rest.slice(-3) : rest.slice(1, 4); // with colons, a colour space may stand before
  return [rgb.length === 3 ? hex(rgb.map(Number)) : null, 4];
}

/** One of xterm's 256 colours: 16 of the theme, a cube of 6, 24 greys. */
function indexed(index: number): Colour | null {
  if (!(index >= 0 && index < 256)) return null;
  if (index < 16) return index;
  if (index >= 232) return hex([8 + 10 * (index - 232), 8 + 10 * (index - 232), 8 + 10 * (index - 232)]);
  const cube = index - 16;
  return hex([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((n) => (n === 0 ? 0 : 55 + 40 * n)));
}

function hex(rgb: readonly number[]): string | null {
  if (!rgb.every((part) => part >= 0 && part < 256)) return null;
  return `#${rgb.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
