import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { LogMatches } from "../../api/records";
import { grouped } from "../../format";
import { Button } from "../parts/button";
import { wordsOf } from "../session";
import type { LogModel } from "./model";
import { show, type View } from "./view";

interface Found {
  readonly matches: LogMatches["matches"];
  readonly next: number | null;
}

const NONE: Found = { matches: [], next: null };
const TYPED = 250;
const SHOWN = 300;

interface Props {
  readonly model: LogModel;
  readonly view: View;
  readonly onClose: () => void;
}

/** Looks through the whole log on the server, however large it is; newest first. */
export function Search({ model, view, onClose }: Props): JSX.Element {
  const [words, setWords] = useState("");
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const abort = useRef(new AbortController());
  const input = useRef<HTMLInputElement>(null);

  // An `autofocus` counts only as long as nothing on the page had the focus.
  useEffect(() => input.current?.focus(), []);

  async function look(before: number | null, sofar: Found): Promise<void> {
    abort.current.abort();
    const mine = (abort.current = new AbortController());
    setBusy(true);
    try {
      const { matches, next_before } = await model.search(words, before, mine.signal);
      setFound({ matches: [...sofar.matches, ...matches], next: next_before });
      setProblem(null);
    } catch (raised) {
      if (mine.signal.aborted) return;
      setProblem(wordsOf(raised));
    }
    setBusy(false);
  }

  useEffect(() => {
    setFound(null);
    if (words.trim() === "") return undefined;
    const timer = setTimeout(() => void look(null, NONE), TYPED);
    return () => clearTimeout(timer);
  }, [words]);
  useEffect(() => () => abort.current.abort(), []);

  async function go(offset: number): Promise<void> {
    const row = await model.goTo(offset);
    if (row !== undefined) show(view, row);
  }

  return (
    <div class="ra-log-search" role="search">
      <div class="ra-log-search-bar">
        <input
          type="search"
          ref={input}
          value={words}
          placeholder="Search the whole log"
          aria-label="Search the whole log"
          onInput={(event) => setWords(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.stopPropagation();
            onClose();
          }}
        />
        <span class="ra-faint" role="status">
          {isBusy ? "Searching…" : (problem ?? countOf(words, found))}
        </span>
        <Button icon="close" label="Close the search" kind="quiet" onClick={onClose} />
      </div>
      {found !== null && found.matches.length > 0 && (
        <ul class="ra-matches">
          {found.matches.map(({ offset, line }) => (
            <li key={offset}>
              <button type="button" onClick={() => void go(offset)}>
                {line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line}
              </button>
            </li>
          ))}
          {found.next !== null && (
            <li>
              <Button label="Earlier ones" disabled={isBusy} onClick={() => void look(found.next, found)}>
                Earlier ones
              </Button>
            </li>
          )}
        </ul>
      )}
    </div>
  );
}

function countOf(words: string, found: Found | null): string {
  if (found === null || words.trim() === "") return "";
  if (found.matches.length === 0) return found.next === null ? "Nothing found" : "Nothing found so far";
  return `${grouped(found.matches.length)}${found.next === null ? "" : " or more"} found`;
}
