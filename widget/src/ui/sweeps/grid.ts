/** How the values of a sweep's parameters become runs. */
export type Method = "grid" | "random" | "zip";

export interface Parameter {
  readonly name: string;
  /** As it was typed, with commas between. */
  readonly values: string;
}

export type Value = string | number | boolean | null;

/** Values with commas between; what looks like JSON is that, and a text may stand in quotes. */
export function valuesOf(text: string): Value[] {
  const words = text.match(/\s*"(?:[^"\\]|\\.)*"\s*(?=,|$)|[^,]+/g) ?? [];
  return words
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .map(valueOf);
}

function valueOf(word: string): Value {
  try {
    const value: unknown = JSON.parse(word);
    if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value as Value;
  } catch {
    // A word as it is.
  }
  return word;
}

/** The parameters as the server takes them; those without a name are left out. */
export function parametersOf(given: readonly Parameter[]): Record<string, Value[]> {
  const named = given.map(({ name, values }) => [name.trim(), valuesOf(values)] as const);
  return Object.fromEntries(named.filter(([name]) => name !== ""));
}

/** How many runs there will be. */
export function countOf(parameters: Readonly<Record<string, readonly Value[]>>, method: Method): number {
  const lengths = Object.values(parameters).map((values) => values.length);
  if (lengths.length === 0) return 0;
  return method === "zip" ? Math.min(...lengths) : lengths.reduce((all, length) => all * length, 1);
}

/** The values of the first runs, the last parameter changing fastest, as the server goes through them. */
export function firstOf(
  parameters: Readonly<Record<string, readonly Value[]>>,
  method: Method,
  most: number,
): Record<string, Value>[] {
  const names = Object.keys(parameters);
  const count = Math.min(most, countOf(parameters, method));
  return Array.from({ length: count }, (_, n) => {
    let rest = n;
    const chosen = [...names].reverse().map((name) => {
      const values = parameters[name] as readonly Value[];
      const at = method === "zip" ? n : rest % values.length;
      rest = Math.floor(rest / values.length);
      return [name, values[at] as Value] as const;
    });
    return Object.fromEntries(chosen.reverse());
  });
}

/** The command with these values, about as the server writes it: `{name}` in it, else ` --name=value` behind it. */
export function commandOf(base: string, values: Readonly<Record<string, Value>>): string {
  let command = base.trim();
  for (const [name, value] of Object.entries(values)) {
    const word = quoted(typeof value === "string" ? value : JSON.stringify(value));
    if (base.includes(`{${name}}`)) command = command.replaceAll(`{${name}}`, () => word);
    else command += ` --${name}=${word}`;
  }
  return command;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
