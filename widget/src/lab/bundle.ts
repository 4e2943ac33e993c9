import type * as Panel from "../panel";
import { findBase } from "../api/base";

/** Where our routes are; the panel itself is loaded from there, so that there is one, of the server's version. */
export function base(): string {
  const found = findBase({ document });
  if (found === undefined) throw new Error("this page does not say where its server is");
  return found;
}

/** The panel's code. Raises when the server can't be reached, or wants a login. */
export async function bundle(): Promise<typeof Panel> {
  return (await import(`${base()}/panel.js`)) as typeof Panel;
}
