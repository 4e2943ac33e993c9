import type { OpenTerminal, Panel } from "../panel";
import { base, bundle } from "./bundle";
import type { App, LuminoWidget, MainArea, Modules, Restorer, Tracker } from "./contract";

export const OPEN = "ra-jobs:open";
export const PAGE = "ra-jobs:open-page";

const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><g class="jp-icon3" fill="#616161">' +
  '<rect x="1" y="2.6" width="8" height="2.6" rx="1.3"/><rect x="4.5" y="6.7" width="7" height="2.6" rx="1.3"/>' +
  '<rect x="8" y="10.8" width="7" height="2.6" rx="1.3"/></g></svg>';

/** The panel in JupyterLab: a tab that is there again after a reload, and a view in the side bar. */
export class Tab {
  readonly icon: unknown;
  private readonly tracker: Tracker;
  private readonly panels = new WeakMap<LuminoWidget, Promise<Panel>>();
  private readonly addresses = new WeakMap<LuminoWidget, string>();

  constructor(
    private readonly app: App,
    private readonly modules: Modules,
    private readonly openTerminal: OpenTerminal | undefined,
  ) {
    this.icon = new modules.icons.LabIcon({ name: "ra-jobs:runs", svgstr: SVG });
    this.tracker = new modules.apputils.WidgetTracker({ namespace: "ra-jobs" });
  }

  /** Show the tab, at an address if one is given. */
  open(address: string | undefined): void {
    const there = this.tracker.currentWidget;
    const tab = there ?? this.make(address ?? "");
    if (there !== null && address !== undefined) void this.panels.get(there)?.then(({ go }) => go(address));
    if (!tab.isAttached) this.app.shell.add(tab, "main");
    this.app.shell.activateById(tab.id);
  }

  restore(restorer: Restorer): void {
    void restorer.restore(this.tracker, {
      command: OPEN,
      args: (tab: MainArea) => ({ address: this.addresses.get(tab) ?? "" }),
      name: () => "ra-jobs",
    });
  }

  /** Add the view in the side bar; it loads when it is first seen. */
  side(restorer: Restorer | undefined): void {
    const side = new this.modules.widgets.Widget();
    side.id = "ra-jobs-side";
    side.title.caption = "Runs";
    side.title.icon = this.icon;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      void this.show(side, side.node, "", () => undefined);
    });
    observer.observe(side.node);
    this.app.shell.add(side, "left", { rank: 550 });
    restorer?.add(side, side.id);
  }

  private make(address: string): MainArea {
    const content = new this.modules.widgets.Widget();
    const tab = new this.modules.apputils.MainAreaWidget({ content });
    tab.id = "ra-jobs";
    tab.title.label = "Runs";
    tab.title.caption = "Runs and sweeps";
    tab.title.icon = this.icon;
    tab.title.closable = true;
    tab.toolbar.hide();
    this.addresses.set(tab, address);
    const panel = this.show(content, content.node, address, (now) => {
      this.addresses.set(tab, now);
      void this.tracker.save(tab);
    });
    this.panels.set(tab, panel);
    void this.tracker.add(tab);
    return tab;
  }

  private async show(
    owner: LuminoWidget,
    node: HTMLElement,
    address: string,
    moved: (address: string) => void,
  ): Promise<Panel> {
    const element = document.createElement("div");
    element.style.height = "100%";
    node.replaceChildren(element);
    const { openTerminal } = this;
    try {
      const panel = await (await bundle()).panel({ base: base(), element, address, moved, openTerminal });
      if (owner.isDisposed) panel.close();
      else owner.disposed.connect(panel.close);
      return panel;
    } catch (problem) {
      element.style.padding = "24px";
      element.textContent = "The panel can’t be loaded from the server. Reload this page to try again.";
      throw problem;
    }
  }
}
