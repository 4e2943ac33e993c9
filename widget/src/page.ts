/** The page `…/ra-jobs/app`: the panel in a document of its own. */
import { findBase } from "./api/base";
import { mount } from "./ui/mount";
import { hashNavigation } from "./ui/navigation";

// Jupyter prints addresses with the token in them: it has done its work, and is not for a history or a screen.
const address = new URL(location.href);
if (address.searchParams.has("token")) {
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}
const base = findBase({ document });
if (base !== undefined) {
  document.documentElement.classList.add("ra-document");
  const titled = (title: string): void => void (document.title = title);
  mount({ base, element: document.body, styles: document, navigation: hashNavigation(), titled });
}
