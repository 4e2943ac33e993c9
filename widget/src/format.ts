const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds as people say them, in two units at most: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 14 min`, `5 d 3 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  const whole = Math.max(0, seconds);
  if (whole < 9.95) return whole < 0.05 ? "0 s" : `${trimmed(whole, 1)} s`;
  const rounded = Math.round(whole);
  if (rounded < MINUTE) return `${rounded} s`;
  if (rounded < HOUR) return units(rounded, MINUTE, "min", 1, "s");
  if (rounded < DAY) return units(rounded, HOUR, "h", MINUTE, "min");
  return units(rounded, DAY, "d", HOUR, "h");
}

function units(seconds: number, large: number, name: string, small: number, its: string): string {
  const count = Math.floor(seconds / large);
  const rest = Math.floor((seconds % large) / small);
  return rest === 0 ? `${count} ${name}` : `${count} ${name} ${rest} ${its}`;
}

/**
 * How long ago a time (seconds since the epoch) was, in one unit: `now`, `12 s`, `3 min`, `5 d`.
 *
 * A clock that is ahead of ours says `now` too.
 */
export function age(time: number, now: number): string {
  const seconds = Math.floor(now - time);
  if (!(seconds >= 5)) return "now";
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} d`;
}

const SIZES = ["KB", "MB", "GB", "TB", "PB"];

/** Bytes in thousands, as disks have them: `512 B`, `1.5 KB`, `10 GB`. */
export function bytes(count: number): string {
  if (!Number.isFinite(count)) return "";
  if (count < 1000) return `${count} B`;
  let value = count;
  let unit = -1;
  do {
    value /= 1000;
    unit++;
  } while (value >= 999.5 && unit < SIZES.length - 1);
  return `${trimmed(value, value < 9.95 ? 1 : 0)} ${SIZES[unit] ?? ""}`;
}

/** Seconds that are left when `percent` of the work took `elapsed`; null when that says too little. */
export function remaining(percent: number | null, elapsed: number): number | null {
  if (percent === null || !(percent >= 1) || percent >= 100 || !(elapsed >= 1)) return null;
  return (elapsed * (100 - percent)) / percent;
}

/** A number of a table or a chart, in a few characters: `0.1235`, `1,234,567`, `1.235e-7`. */
export function number(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return grouped(value);
  if (size < 1e-4 || size >= 1e9) {
    const [mantissa = "", exponent = ""] = value.toExponential(digits - 1).split("e");
    return `${withoutZeros(mantissa)}e${exponent.replace("+", "")}`;
  }
  if (size >= 10 ** digits) return grouped(Math.round(value));
  return withoutZeros(value.toPrecision(digits));
}

/** A whole number with its thousands apart. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

function trimmed(value: number, digits: number): string {
  return withoutZeros(value.toFixed(digits));
}

function withoutZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** What became of a command, as far as a shell's exit codes tell. */
const CODES: Readonly<Record<number, string>> = {
  1: "failed",
  2: "wrong usage",
  126: "not executable",
  127: "command not found",
};

const SIGNALS: Readonly<Record<string, string>> = {
  SIGHUP: "its terminal was closed",
  SIGINT: "interrupted",
  SIGQUIT: "quit",
  SIGILL: "illegal instruction",
  SIGTRAP: "trapped",
  SIGABRT: "aborted",
  SIGBUS: "bus error",
  SIGFPE: "arithmetic error",
  SIGKILL: "killed, perhaps for want of memory",
  SIGSEGV: "segmentation fault",
  SIGPIPE: "nobody read its output",
  SIGTERM: "asked to end",
  SIGXCPU: "over its CPU time",
  SIGXFSZ: "over its file size",
};

const NUMBERS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  15: "SIGTERM",
  24: "SIGXCPU",
  25: "SIGXFSZ",
};

/**
 * An exit code and signal in words: `exit code 127 (command not found)`, `SIGKILL (killed, …)`; "" without either.
 *
 * A code above 128 without a signal is named by the signal that a shell means by it.
 */
export function outcome(code: number | null, signal: string | null): string {
  const name = signal ?? (code !== null && code > 128 ? NUMBERS[code - 128] : undefined);
  if (signal !== null) return withWords(signal, SIGNALS[signal]);
  if (code === null) return "";
  return withWords(`exit code ${code}`, name === undefined ? CODES[code] : `${name}: ${SIGNALS[name] ?? ""}`);
}

function withWords(text: string, words: string | undefined): string {
  return words === undefined ? text : `${text} (${words})`;
}
