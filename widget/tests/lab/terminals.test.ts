import { expect, test } from "vitest";
import type { App, TerminalTab, TerminalTracker } from "../../src/lab/contract";
import { terminalsOf } from "../../src/lab/terminals";

/** As JupyterLab has them, as far as we use them. */
function lab(name: string, more: { app?: string; hasCommand?: boolean } = {}) {
  const sent: unknown[] = [];
  const ended: string[] = [];
  const slots: Record<string, () => void> = {};
  const signal = (of: string) => ({ connect: (slot: () => void) => void (slots[of] = slot) });
  const tab = {
    disposed: signal("disposed"),
    content: {
      title: { label: "...", changed: signal("changed") },
      session: { name, send: ({ content }: { content?: unknown[] }) => void sent.push(...(content ?? [])) },
    },
  } as unknown as TerminalTab;
  const app = {
    name: more.app ?? "JupyterLab",
    commands: { hasCommand: () => more.hasCommand ?? true, execute: () => Promise.resolve(tab) },
    serviceManager: { terminals: { shutdown: (each: string) => Promise.resolve(void ended.push(each)) } },
  } as unknown as App;
  let add: (tracker: object, tab: TerminalTab) => void = () => undefined;
  const tracker: TerminalTracker = { widgetAdded: { connect: (slot) => void (add = slot) } };
  return { app, tracker, tab, sent, ended, slots, add: () => add(tracker, tab) };
}

test("there are none where there is no such command, and in Notebook", () => {
  const none = lab("", { hasCommand: false });
  const notebook = lab("", { app: "Jupyter Notebook" });
  expect(terminalsOf(none.app, none.tracker)).toBeUndefined();
  expect(terminalsOf(notebook.app, notebook.tracker)).toBeUndefined();
  expect(terminalsOf(lab("").app, null)).toBeUndefined();
});

test("a run's tab keeps the run's name, and its terminal ends with it", async () => {
  const { app, tracker, tab, slots, ended, add } = lab("ra_0123456789ab_01234567");
  await terminalsOf(app, tracker)?.("ra_0123456789ab_01234567", "train");
  add();
  tab.content.title.label = "Terminal 1";
  slots["changed"]?.();
  expect(tab.content.title.label).toBe("train");
  slots["disposed"]?.();
  expect(ended).toEqual(["ra_0123456789ab_01234567"]);
});

test("of what a run's tab sends, answers of xterm.js alone are left out; other terminals are left alone", () => {
  const keys = ["a", "\x1b[A", "\x1b[1;5C", "\x1b[200~\x1b[201~", "\x1b", "\x1b]", "\x1b[<0;1;1M"];
  const answers = ["\x1b[>0;276;0c", "\x1b[?1;2c", "\x1bP>|xterm.js(5.5.0)\x1b\\", "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"];
  const ours = lab("ra_0123456789ab_01234567");
  const other = lab("1");
  for (const each of [ours, other]) {
    terminalsOf(each.app, each.tracker);
    each.add();
    for (const text of [...keys, ...answers]) each.tab.content.session.send({ type: "stdin", content: [text] });
  }
  expect(ours.sent).toEqual(keys);
  expect(other.sent).toEqual([...keys, ...answers]);
  expect(Object.keys(other.slots)).toEqual([]);
});
