import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { ACTIVE, ENDED, type Run } from "../../api/records";
import type { Which } from "../../live/follow";
import { bytes } from "../../format";
import { Button } from "../parts/button";
import { CopyButton } from "../parts/copy";
import { Icon } from "../parts/icon";
import type { Session } from "../session";
import { useGone } from "./gone";
import { LogModel } from "./model";
import { Picture } from "./picture";
import { Search } from "./search";
import { newView, show } from "./view";

interface Props {
  readonly session: Session;
  readonly run: Run;
  readonly which?: Which;
}

const GONE = "What it printed is no longer on disk: somebody removed the run’s folder.";

/** The output of a run, or its sidecar's story: its end at once, and from there on wherever somebody wants to look. */
export function LogViewer({ session, run, which = "logs" }: Props): JSX.Element {
  const model = useMemo(
    () => new LogModel(session.client, run.id, which, session.visibility),
    [session, run.id, which],
  );
  const view = useMemo(newView, [model]);
  const isExpanded = useSignal(false);
  const isSearching = useSignal(false);
  const words = useSignal("");
  const isPaused = useSignal(false);
  const hasEnded = ENDED.has(run.status);
  const stands = ACTIVE.has(run.status) ? "active" : hasEnded ? "ended" : "waiting";

  useEffect(() => {
    void model.toEnd(stands);
    return () => model.close();
  }, [model]);
  // A run that was only waiting has begun, or ended without our seeing that: its log is to be read to its end.
  const isMissing = stands !== "waiting" && model.state.value === "ready" && !model.isComplete.value;
  useEffect(() => {
    const isLeft = isPaused.peek() || model.isApart.peek() || model.isStreaming.peek() || model.isComplete.peek();
    if (isMissing && !isLeft) model.stream(true);
  }, [model, isMissing, hasEnded]);

  async function error(step: 1 | -1): Promise<void> {
    const from = view.found.peek() ?? (view.isAtEnd.peek() ? model.lines.last : view.top.peek());
    const row = await model.nextError(from, step);
    words.value = row === undefined ? (step === 1 ? "No error below" : "No error above") : "";
    if (row !== undefined) show(view, row);
  }

  function toEnd(): void {
    view.found.value = null;
    words.value = "";
    if (model.isApart.peek()) void model.toEnd(stands);
    view.isAtEnd.value = true;
  }

  function pressed(event: KeyboardEvent): void {
    if (event.key === "Escape" && isExpanded.peek()) isExpanded.value = false;
    else if (event.key === "f" && (event.ctrlKey || event.metaKey) && which === "logs") isSearching.value = true;
    else if (event.key === "End" && event.target instanceof HTMLElement && event.target.role === "log") toEnd();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const isEmpty = model.state.value === "ready" && model.version.value >= 0 && model.lines.isEmpty;
  const isGone = useGone(session.client, run, isEmpty && model.isComplete.value);
  const nothing = !model.isComplete.value ? "Nothing printed yet" : isGone ? GONE : "Nothing was printed";
  return (
    <div class={`ra-log${isExpanded.value ? " ra-log-expanded" : ""}`} onKeyDown={pressed}>
      <div class="ra-log-bar" role="toolbar" aria-label="Log">
        <Button
          label="Stream"
          pressed={model.isStreaming.value}
          disabled={hasEnded && !isMissing}
          onClick={() => {
            isPaused.value = model.isStreaming.peek();
            if (isPaused.peek()) model.stream(false);
            else if (model.isApart.peek()) void model.toEnd(hasEnded ? "ended" : "active");
            else model.stream(true);
          }}
        >
          <span class={`ra-dot${model.isStreaming.value ? " ra-is-running ra-pulse" : ""}`} />
          Stream
        </Button>
        <span class="ra-faint ra-log-size" role="status">
          {words.value || bytes(model.total.value)}
        </span>
        <span class="ra-space" />
        <Button icon="up" label="Previous error" kind="quiet" onClick={() => void error(-1)} />
        <Button icon="down" label="Next error" kind="quiet" onClick={() => void error(1)} />
        <span class="ra-split" />
        {which === "logs" && (
          <Button
            icon="search"
            label="Search the log"
            kind="quiet"
            pressed={isSearching.value}
            onClick={() => (isSearching.value = !isSearching.peek())}
          />
        )}
        <Button
          icon="wrap"
          label="Wrap long lines"
          kind="quiet"
          pressed={view.isWrapped.value}
          onClick={() => (view.isWrapped.value = !view.isWrapped.peek())}
        />
        <CopyButton label="Copy what is loaded" text={() => model.text()} />
        {which === "logs" && (
          <a
            class="ra-button ra-button-quiet ra-button-icon"
            href={session.client.url("/runs/{run_id}/logs/download", { path: { run_id: run.id } })}
            download={`${run.name}.log`}
            aria-label="Download the log"
            title="Download the log"
          >
            <Icon name="download" />
          </a>
        )}
        <Button
          icon={isExpanded.value ? "shrink" : "expand"}
          label={isExpanded.value ? "Shrink" : "Expand"}
          kind="quiet"
          pressed={isExpanded.value}
          onClick={() => (isExpanded.value = !isExpanded.peek())}
        />
      </div>
      {isSearching.value && <Search model={model} view={view} onClose={() => (isSearching.value = false)} />}
      {model.error.value !== null && (
        <p class="ra-error ra-log-error" role="alert">
          {model.error.value}{" "}
          <Button label="Try again" onClick={() => void model.toEnd(stands)}>
            Try again
          </Button>
        </p>
      )}
      <div class="ra-log-body">
        <Picture model={model} view={view} />
        {isEmpty && <p class="ra-log-nothing">{nothing}</p>}
        {model.state.value === "loading" && <p class="ra-log-nothing">Loading…</p>}
        {(!view.isAtEnd.value || model.isApart.value) && (
          <button type="button" class="ra-jump" onClick={toEnd}>
            <Icon name="down" /> Jump to end
          </button>
        )}
      </div>
    </div>
  );
}
