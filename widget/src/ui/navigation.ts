import { type ReadonlySignal, signal } from "@preact/signals";
import { type Route, routeOf } from "./route";

/** Where a panel is. The links in it lead to addresses that begin with `#/`, whoever keeps the address. */
export interface Navigation {
  readonly route: ReadonlySignal<Route>;
  /** Show what is there. */
  readonly go: (address: string) => void;
  /** The same, in place: no way that somebody would want to go back. */
  readonly replace: (address: string) => void;
  /** Follow the links in the element that the panel is in, until the function that it gives is called. */
  readonly follow: (element: HTMLElement) => () => void;
}

/** In the address of the page, with the browser's own way back: for a page that is the panel's alone. */
export function hashNavigation(): Navigation {
  const route = signal(routeOf(location.hash));
  const moved = (): void => void (route.value = routeOf(location.hash));
  return {
    route,
    go: (address) => void (location.hash = address),
    replace: (address) => {
      history.replaceState(null, "", address);
      moved();
    },
    follow: () => {
      window.addEventListener("hashchange", moved);
      return () => window.removeEventListener("hashchange", moved);
    },
  };
}

export interface Memory {
  readonly address?: string;
  /** Told of each address, for a host that keeps it. */
  readonly moved?: (address: string) => void;
  /** The page that has a tab of its own for an address, where there is one. */
  readonly page?: string | undefined;
}

/** In memory, for a panel that shares its page with others. */
export function memoryNavigation({ address: first = "", moved, page }: Memory = {}): Navigation {
  const route = signal(routeOf(first));
  const go = (address: string): void => {
    route.value = routeOf(address);
    moved?.(address);
  };
  const clicked = (event: MouseEvent): void => {
    const link = event.composedPath().find((each) => each instanceof HTMLAnchorElement);
    const address = link?.getAttribute("href") ?? "";
    if (!address.startsWith("#/") || event.defaultPrevented || event.button > 1) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) go(address);
    else if (page !== undefined) window.open(`${page}${address}`, "_blank", "noopener");
  };
  return {
    route,
    go,
    replace: go,
    follow: (element) => {
      element.addEventListener("click", clicked);
      element.addEventListener("auxclick", clicked);
      return () => {
        element.removeEventListener("click", clicked);
        element.removeEventListener("auxclick", clicked);
      };
    },
  };
}
