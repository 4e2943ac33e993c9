/**
 * The extension for JupyterLab 4 and Notebook 7, as they load it: a container of webpack's module federation, which
 * is two functions (https://github.com/webpack/webpack/blob/main/lib/container/ContainerEntryModule.js). It brings
 * nothing with it but what is in this folder; the panel comes from the server.
 */
import { base } from "./bundle";
import {
  type Adding,
  type App,
  type Modules,
  type Restorer,
  type Scope,
  shared,
  type TerminalTracker,
  type Token,
} from "./contract";
import { MIME, renderer, type Sanitizer } from "./output";
import { OPEN, PAGE, Tab } from "./tab";
import { terminalsOf } from "./terminals";

/** Shown before ipywidgets' own view, whose models are gone when their kernel is. */
const RANK = -20;

let scope: Scope = {};

async function modules(): Promise<Modules> {
  const [widgets, apputils, rendermime, icons, application, terminal, launcher] = await Promise.all(
    [
      "@lumino/widgets",
      "@jupyterlab/apputils",
      "@jupyterlab/rendermime",
      "@jupyterlab/ui-components",
      "@jupyterlab/application",
      "@jupyterlab/terminal",
      "@jupyterlab/launcher",
    ].map((name) => shared(scope, name)),
  );
  return { widgets, apputils, rendermime, icons, application, terminal, launcher } as Modules;
}

async function plugin(): Promise<object> {
  const found = await modules();
  const optional = [
    found.application?.ILayoutRestorer,
    found.apputils.ICommandPalette,
    found.launcher?.ILauncher,
    found.terminal?.ITerminalTracker,
  ] satisfies (Token | undefined)[];
  return {
    id: "jupyter-ra-jobs:plugin",
    description: "Runs and sweeps of jupyter_ra_jobs: live in the outputs of cells, and as a tab.",
    autoStart: true,
    requires: [found.rendermime.IRenderMimeRegistry],
    // A token that is not shared is one that nobody provides.
    optional: optional.map((token) => token ?? {}),
    activate: (
      app: App,
      rendermime: { addFactory: (factory: object, rank: number) => void },
      restorer: Restorer | null,
      palette: Adding<object> | null,
      launcher: Adding<object> | null,
      tracker: TerminalTracker | null,
    ) => {
      const openTerminal = terminalsOf(app, tracker);
      const tab = new Tab(app, found, openTerminal);
      // Notebook 7 has one notebook a page: there the page of the browser is the tab.
      const isLab = app.name === "JupyterLab";
      const open = isLab ? (address: string) => void app.commands.execute(OPEN, { address }) : undefined;
      const factory = {
        safe: true,
        mimeTypes: [MIME],
        createRenderer: ({ sanitizer }: { sanitizer: Sanitizer }) =>
          renderer(new found.widgets.Widget(), sanitizer, { open, openTerminal }),
      };
      rendermime.addFactory(factory, RANK);
      app.commands.addCommand(PAGE, {
        label: "Open Runs as a Page",
        execute: () => void window.open(`${base()}/app`, "_blank", "noopener"),
      });
      palette?.addItem?.({ command: PAGE, category: "Runs" });
      if (!isLab) return;
      app.commands.addCommand(OPEN, {
        label: (args: { isPalette?: boolean }) => (args.isPalette ? "Open Runs" : "Runs"),
        caption: "Runs and sweeps of jupyter_ra_jobs",
        icon: (args: { isPalette?: boolean }) => (args.isPalette ? undefined : tab.icon),
        execute: ({ address }: { address?: string }) => tab.open(address),
      });
      palette?.addItem?.({ command: OPEN, category: "Runs", args: { isPalette: true } });
      launcher?.add?.({ command: OPEN, category: "Other", rank: 1 });
      if (restorer !== null) tab.restore(restorer);
      tab.side(restorer ?? undefined);
    },
  };
}

const container = {
  init: (given: Scope): void => {
    scope = given;
  },
  get: async (name: string): Promise<() => object> => {
    if (name !== "./extension") throw new Error(`jupyter-ra-jobs has no ${name}`);
    const found = await plugin();
    return () => ({ __esModule: true, default: found });
  },
};

const page = window as unknown as { _JUPYTERLAB?: Record<string, unknown> };
(page._JUPYTERLAB ??= {})["jupyter-ra-jobs"] = container;
