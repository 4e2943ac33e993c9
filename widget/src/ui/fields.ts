/** `KEY=value` a line as variables; the lines that are none. */
export function variablesOf(text: string): { readonly env: Record<string, string>; readonly wrong: string[] } {
  const env: [string, string][] = [];
  const wrong: string[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const found = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line);
    if (found) env.push([found[1] as string, found[2] as string]);
    else wrong.push(line.trim());
  }
  return { env: Object.fromEntries(env), wrong }; // whatever the names are, `__proto__` too
}

/** Words with commas between, each once. */
export function tagsOf(text: string): string[] {
  const words = text.split(",").map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== ""))];
}

/** What a run is called that was given no name: the beginning of its command. */
export function nameOf(command: string): string {
  const words = command.trim().split("\n")[0] ?? "";
  return words.length <= 60 ? words : `${words.slice(0, 59)}…`;
}

/** Those fields of `now` that are otherwise than before. */
export function changesOf<T extends object>(before: T, now: Partial<T>): Partial<T> {
  const changed = Object.entries(now).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof T]),
  );
  return Object.fromEntries(changed) as Partial<T>;
}
