/** What a host loads of us, from `…/ra-jobs/panel.js`; each part when it is first shown. */
import type { CardPlace } from "./ui/cards/embed";
import type { OpenTerminal } from "./live/attachment";
import type { Panel, PanelPlace } from "./ui/embed";

export { findBase } from "./api/base";
export type { CardPlace, OpenTerminal, Panel, PanelPlace };

export async function panel(place: PanelPlace): Promise<Panel> {
  return (await import("./ui/embed")).embedPanel(place);
}

export async function card(place: CardPlace): Promise<() => void> {
  return (await import("./ui/cards/embed")).embedCard(place);
}
