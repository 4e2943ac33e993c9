import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunStatus } from "../../api/records";
import { grouped } from "../../format";
import { ALL, type Filter } from "../../live/runs";
import { Button } from "../parts/button";
import { Icon } from "../parts/icon";
import { Dot } from "../parts/status";
import { hashOfRuns, STATUSES } from "../route";
import type { Session } from "../session";

const TYPED = 200;

interface Props {
  readonly session: Session;
  readonly filter: Filter;
}

/** Says in the address what is to be shown, which the view follows. */
export function Filters({ session, filter }: Props): JSX.Element {
  const counts = session.health.value?.counts ?? {};
  const [text, setText] = useState(filter.text);
  // In place: typing is no way that somebody wants to go back, letter by letter.
  const show = (next: Filter): void => session.navigation.replace(hashOfRuns(next));
  const input = useRef<HTMLInputElement>(null);
  // What the address says, unless somebody is typing just now.
  useEffect(() => {
    if (!input.current?.matches(":focus")) setText(filter.text);
  }, [filter.text]);
  useEffect(() => {
    if (text === filter.text) return undefined;
    const timer = setTimeout(() => show({ ...filter, text }), TYPED);
    return () => clearTimeout(timer);
  }, [text, filter]);
  useEffect(() => {
    // The document of the page, or what the panel has of another's.
    const root = (input.current as HTMLInputElement).getRootNode() as Document | ShadowRoot;
    const pressed = (event: Event): void => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
      if ((event as KeyboardEvent).key !== "/" || isTyping || root.querySelector("dialog[open]")) return;
      event.preventDefault();
      input.current?.focus();
    };
    root.addEventListener("keydown", pressed);
    return () => root.removeEventListener("keydown", pressed);
  }, []);

  const toggle = (status: RunStatus): void => {
    const { statuses } = filter;
    const isOn = statuses.includes(status);
    show({ ...filter, statuses: isOn ? statuses.filter((each) => each !== status) : [...statuses, status] });
  };
  const sweep = filter.sweep === "" ? undefined : session.sweeps.things.value.get(filter.sweep);
  return (
    <div class="ra-filters" role="search">
      <label class="ra-search">
        <Icon name="search" />
        <input
          ref={input}
          type="search"
          value={text}
          placeholder="Search names and commands"
          aria-label="Search names and commands"
          aria-keyshortcuts="/"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div class="ra-chips" role="group" aria-label="Status">
        {STATUSES.filter((status) => (counts[status] ?? 0) > 0 || filter.statuses.includes(status)).map((status) => (
          <button
            key={status}
            type="button"
            class="ra-chip"
            aria-pressed={filter.statuses.includes(status)}
            onClick={() => toggle(status)}
          >
            <Dot status={status} />
            {status} <span class="ra-faint">{grouped(counts[status] ?? 0)}</span>
          </button>
        ))}
        {filter.sweep !== "" && (
          <Gone words={`sweep ${sweep?.name ?? filter.sweep}`} onClick={() => show({ ...filter, sweep: "" })} />
        )}
        {filter.tag !== "" && <Gone words={`tag ${filter.tag}`} onClick={() => show({ ...filter, tag: "" })} />}
        <button
          type="button"
          class="ra-chip"
          aria-pressed={filter.archived}
          onClick={() => show({ ...filter, archived: !filter.archived })}
        >
          archived too
        </button>
        {isNarrow(filter) && (
          <Button
            label="Clear"
            kind="quiet"
            onClick={() => {
              setText("");
              show(ALL);
            }}
          >
            Clear
          </Button>
        )}
      </div>
    </div>
  );
}

/** Whether it leaves something out that others would show. */
export function isNarrow({ statuses, text, tag, sweep }: Filter): boolean {
  return statuses.length > 0 || [text, tag, sweep].some((word) => word !== "");
}

/** A condition that ends when it is pressed. */
function Gone({ words, onClick }: { readonly words: string; readonly onClick: () => void }): JSX.Element {
  return (
    <button type="button" class="ra-chip" aria-pressed="true" title="Take it away" onClick={onClick}>
      {words} <Icon name="close" />
    </button>
  );
}
