/** The panel in one file, for a page that can load nothing from the server. */
export { card, panel } from "./panel";
