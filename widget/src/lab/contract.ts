/**
 * What we use of JupyterLab 4 and Notebook 7, by the names that they share it under. The types are ours, since
 * theirs come with all of JupyterLab.
 */

/** A module that is shared, by its versions: https://webpack.js.org/concepts/module-federation/ */
export type Scope = Record<string, Record<string, { get: () => Promise<() => unknown>; loaded?: unknown }> | undefined>;

export type Token = object;

export interface LuminoWidget {
  readonly node: HTMLElement;
  readonly isAttached: boolean;
  readonly isDisposed: boolean;
  readonly disposed: { connect: (slot: () => void) => void };
  readonly title: { label: string; caption: string; icon: unknown; closable: boolean };
  id: string;
  addClass: (name: string) => void;
}

export interface MainArea extends LuminoWidget {
  readonly toolbar: { hide: () => void };
}

export interface Tracker {
  readonly currentWidget: MainArea | null;
  add: (widget: MainArea) => Promise<void>;
  save: (widget: MainArea) => Promise<void>;
}

/** A tab with a terminal of Jupyter's in it. */
export interface TerminalTab extends LuminoWidget {
  readonly content: {
    readonly title: { label: string; readonly changed: { connect: (slot: () => void) => void } };
    readonly session: { readonly name: string; send: (message: { type: string; content?: unknown[] }) => void };
  };
}

export interface TerminalTracker {
  readonly widgetAdded: { connect: (slot: (tracker: object, tab: TerminalTab) => void) => void };
}

export interface Restorer {
  add: (widget: LuminoWidget, name: string) => void;
  restore: (tracker: Tracker, options: object) => Promise<unknown>;
}

export interface MimeModel {
  readonly data: Readonly<Record<string, unknown>>;
}

export interface App {
  readonly name: string;
  readonly commands: {
    addCommand: (id: string, options: object) => void;
    hasCommand: (id: string) => boolean;
    execute: (id: string, args?: object) => Promise<unknown>;
  };
  readonly serviceManager: { readonly terminals: { shutdown: (name: string) => Promise<void> } };
  readonly shell: {
    add: (widget: LuminoWidget, area: string, options?: object) => void;
    activateById: (id: string) => void;
  };
}

export interface Adding<Item> {
  add?: (item: Item) => void;
  addItem?: (item: Item) => void;
}

/** The modules themselves; one that this application does not share is undefined. */
export interface Modules {
  readonly widgets: { readonly Widget: new () => LuminoWidget };
  readonly apputils: {
    readonly ICommandPalette: Token;
    readonly MainAreaWidget: new (options: { content: LuminoWidget }) => MainArea;
    readonly WidgetTracker: new (options: { namespace: string }) => Tracker;
  };
  readonly rendermime: { readonly IRenderMimeRegistry: Token };
  readonly icons: { readonly LabIcon: new (options: { name: string; svgstr: string }) => unknown };
  readonly application: { readonly ILayoutRestorer: Token } | undefined;
  readonly terminal: { readonly ITerminalTracker: Token } | undefined;
  readonly launcher: { readonly ILauncher: Token } | undefined;
}

/** One of the modules that are shared, the one that is in use or else the newest. */
export async function shared(scope: Scope, name: string): Promise<unknown> {
  const versions = Object.entries(scope[name] ?? {});
  const [best] = versions.sort(
    ([one, { loaded: isUsed }], [other, { loaded: isOtherUsed }]) =>
      Number(Boolean(isOtherUsed)) - Number(Boolean(isUsed)) || compare(other, one),
  );
  return best === undefined ? undefined : (await best[1].get())();
}

function compare(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}
