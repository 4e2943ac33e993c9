import type { OpenTerminal } from "../panel";
import type { App, TerminalTab, TerminalTracker } from "./contract";

/** JupyterLab's own: https://github.com/jupyterlab/jupyterlab/blob/main/packages/terminal-extension/src/index.ts */
const OPEN = "terminal:open";

/** What our server calls a terminal on a run's window. */
const OURS = /^ra_[0-9a-f]+_[0-9a-f]{8}$/;

/** What xterm.js answers to the questions that tmux asks at its beginning. No key is written like these. */
const ANSWER = /^\x1b(\[[?>][\d;]*c|P>\||\]1[01];)/;

/** What opens the terminals of runs in tabs; undefined where JupyterLab has no terminals, and in Notebook. */
export function terminalsOf(app: App, tracker: TerminalTracker | null): OpenTerminal | undefined {
  // Notebook opens a page of the browser in a tab's stead; a server without terminals leaves the command out.
  if (app.name !== "JupyterLab" || tracker === null || !app.commands.hasCommand(OPEN)) return undefined;
  const known = new WeakSet<TerminalTab>();
  const adopt = (tab: TerminalTab): void => {
    if (known.has(tab) || !OURS.test(tab.content.session.name)) return;
    known.add(tab);
    const { session } = tab.content;
    leaveUnanswered(session);
    // Else it would go on without a tab, and hold the window to its size.
    tab.disposed.connect(() => void app.serviceManager.terminals.shutdown(session.name).catch(() => undefined));
  };
  // Also those that are there again after a reload of the page.
  tracker.widgetAdded.connect((_, tab) => adopt(tab));
  return async (name, label) => {
    const tab = (await app.commands.execute(OPEN, { name })) as TerminalTab;
    adopt(tab);
    const { title } = tab.content;
    // Else it is the terminal's, as soon as it is connected.
    const rename = (): void => void (title.label = label);
    title.changed.connect(rename);
    rename();
  };
}

/**
 * Jupyter shows each page that connects all that was asked before, and xterm.js answers. tmux waits for its answers
 * but for a moment; what comes later it takes for keys, and they would be typed into the run.
 */
function leaveUnanswered(session: TerminalTab["content"]["session"]): void {
  const send = session.send.bind(session);
  session.send = (message) => {
    const [text] = message.content ?? [];
    if (message.type !== "stdin" || !ANSWER.test(String(text))) send(message);
  };
}
