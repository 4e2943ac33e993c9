import { effect } from "@preact/signals";
import { type JSX, render } from "preact";
import type { Client } from "../../api/client";
import { Refused } from "../../api/errors";
import type { Event, Run, Sweep } from "../../api/records";
import type { Channel } from "../../live/events";
import type { Visibility } from "../../live/connection";
import { adopt } from "../adopt";
import { embed, type Place, serverOf } from "../embed";
import { Looks } from "../looks";
import base from "../style/base.css";
import card from "../style/card.css";
import log from "../style/log.css";
import tokens from "../style/tokens.css";
import type { Way } from "./frame";
import { RunCard } from "./run";
import { SweepCard } from "./sweep";

export interface CardPlace extends Place {
  readonly kind: "run" | "sweep";
  readonly id: string;
  /** Opens the panel in a tab of the host; without it, a page of the browser is. */
  readonly open?: ((address: string) => void) | undefined;
  /** It is there, and shown from now on: a host that shows a snapshot meanwhile takes that away. */
  readonly shown?: (() => void) | undefined;
}

interface Kind<T> {
  readonly load: (client: Client, id: string) => Promise<T>;
  readonly of: (event: Event) => T | null | undefined;
  readonly card: (thing: T, props: CardProps<T>) => JSX.Element;
}

interface CardProps<T> {
  readonly client: Client;
  readonly visibility: Visibility;
  readonly way: Way;
  readonly isAway: boolean;
  readonly take: (thing: T) => void;
}

const RUN: Kind<Run> = {
  load: (client, run_id) => client.get("/runs/{run_id}", { path: { run_id } }),
  of: ({ run }) => run,
  card: (run, props) => <RunCard run={run} {...props} />,
};
const SWEEP: Kind<Sweep> = {
  load: (client, sweep_id) => client.get("/sweeps/{sweep_id}", { path: { sweep_id } }),
  of: ({ sweep }) => sweep,
  card: (sweep, props) => <SweepCard sweep={sweep} {...props} />,
};

/** Show a run or a sweep there, once the server knows it; the function that it gives takes it away again. */
export function embedCard(place: CardPlace): () => void {
  return place.kind === "run" ? embedKind(place, RUN) : embedKind(place, SWEEP);
}

function embedKind<T extends Run | Sweep>(place: CardPlace, kind: Kind<T>): () => void {
  const { base: address, element, fetch, id, open, shown } = place;
  const { container, styles, visibility, remove } = embed(element);
  for (const text of [tokens, base, log, card]) adopt(styles, text);
  const { client, events } = serverOf(address, fetch);
  const looks = new Looks<T>((each) => kind.load(client, each));
  const way = { open, page: fetch === undefined ? `${address}/app` : undefined };
  let channel: Channel | undefined = events.join(
    {
      changed: (told) => looks.take(told.flatMap((event) => kind.of(event) ?? [])),
      reload: () => looks.reload(),
    },
    visibility,
  );
  const take = (thing: T): void => looks.take([thing]);
  let isShown = false;
  const end = effect(() => {
    const thing = looks.at(id).value;
    const isAway = channel?.link.value === "retrying";
    if (thing instanceof Refused && thing.status === 404) {
      channel?.close(); // it is another server's
      channel = undefined;
    }
    if (thing === null || thing instanceof Error) return;
    render(kind.card(thing, { client, visibility, way, isAway, take }), container);
    if (!isShown) shown?.();
    isShown = true;
  });
  return () => {
    end();
    channel?.close();
    render(null, container);
    remove();
  };
}
