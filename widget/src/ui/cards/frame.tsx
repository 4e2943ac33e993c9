import type { ComponentChildren, JSX } from "preact";
import { hashOf } from "../route";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";

/** Where a card leads to: a tab of the host, or the page. */
export interface Way {
  readonly open?: ((address: string) => void) | undefined;
  readonly page?: string | undefined;
}

interface Props {
  readonly way: Way;
  readonly kind: "run" | "sweep";
  readonly id: string;
  readonly name: string;
  readonly status: ComponentChildren;
  readonly time?: ComponentChildren;
  readonly actions: ComponentChildren;
  readonly command: string;
  readonly isAway: boolean;
  readonly children: ComponentChildren;
}

/** What the cards of a run and of a sweep have alike. */
export function Frame({ way, kind, id, name, status, time, actions, command, isAway, children }: Props): JSX.Element {
  return (
    <article class="ra ra-live" aria-label={`${kind === "run" ? "Run" : "Sweep"} ${name}`}>
      <header class="ra-live-head">
        {status}
        <h2 dir="auto" title={name}>
          {name}
        </h2>
        <span class="ra-space" />
        <span class="ra-live-time">{isAway ? "the server is away" : time}</span>
        <span class="ra-live-actions">
          {actions}
          <Open way={way} address={hashOf({ view: kind, id })} />
        </span>
      </header>
      <code class="ra-live-command" dir="auto" title={command}>
        {command.replace(/\s+/g, " ").slice(0, 400)}
      </code>
      {children}
    </article>
  );
}

/** The way to all of it. */
export function Open({ way, address }: { readonly way: Way; readonly address: string }): JSX.Element {
  const { open, page } = way;
  if (open !== undefined)
    return <Button icon="expand" label="Open the panel" kind="quiet" onClick={() => open(address)} />;
  if (page === undefined) return <></>;
  return (
    <a
      class="ra-button ra-button-quiet ra-button-icon"
      href={`${page}${address}`}
      target="_blank"
      rel="noopener"
      aria-label="Open the panel"
      title="Open the panel"
    >
      <Icon name="expand" />
    </a>
  );
}
