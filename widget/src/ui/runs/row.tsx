import type { JSX } from "preact";
import type { Run } from "../../api/records";
import { Button } from "../parts/button";
import { Age, Duration, Progress, Remaining, Status } from "../parts/status";
import { hashOf, hashOfRuns } from "../route";
import type { Session } from "../session";
import { verbsOf, WORDS } from "../verbs";

export const ROW = 60;

interface Props {
  readonly session: Session;
  readonly run: Run;
  readonly index: number;
  readonly isSelected: boolean;
  readonly isCurrent: boolean;
  readonly onSelect: (run: Run, range: boolean) => void;
  readonly onFocus: (index: number) => void;
}

/** A run in the list. Its controls are reached by Tab while the row is the current one. */
export function RunRow({ session, run, index, isSelected, isCurrent, onSelect, onFocus }: Props): JSX.Element {
  const tabIndex = isCurrent ? 0 : -1;
  const sweep = run.sweep_id === null ? undefined : session.sweeps.things.value.get(run.sweep_id);
  const kinds = ["ra-row", isSelected && "ra-row-selected", run.is_archived && "ra-row-archived"];
  return (
    <div
      class={kinds.filter(Boolean).join(" ")}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      data-index={index}
      data-run={run.id}
      tabIndex={tabIndex}
      onFocusIn={() => onFocus(index)}
      style={{ transform: `translateY(${index * ROW}px)` }}
    >
      <span role="gridcell" class="ra-cell-check">
        <input
          type="checkbox"
          checked={isSelected}
          tabIndex={tabIndex}
          aria-label={`Select ${run.name}`}
          onClick={(event) => onSelect(run, event.shiftKey)}
        />
      </span>
      <span role="gridcell" class="ra-cell-status">
        <Status run={run} />
      </span>
      <span role="gridcell" class="ra-cell-name">
        <a href={hashOf({ view: "run", id: run.id })} tabIndex={tabIndex} class="ra-row-link" dir="auto">
          {run.name}
        </a>
        <code dir="auto">{run.command.slice(0, 300).replace(/\s+/g, " ")}</code>
      </span>
      <span role="gridcell" class="ra-cell-labels">
        {run.sweep_id !== null && (
          <a class="ra-label ra-label-sweep" href={hashOfRuns({ sweep: run.sweep_id })} tabIndex={tabIndex}>
            {sweep?.name ?? "sweep"}
          </a>
        )}
        {run.tags.slice(0, 3).map((tag) => (
          <a key={tag} class="ra-label" href={hashOfRuns({ tag })} tabIndex={tabIndex}>
            {tag}
          </a>
        ))}
      </span>
      <span role="gridcell" class="ra-cell-time">
        <span class="ra-time-line">
          <span>
            <Duration run={run} />
          </span>
          <span class="ra-faint">
            <Remaining run={run} />
            {run.status === "queued" && run.queue_position !== null && `place ${run.queue_position}`}
            {run.status === "failed" && run.exit_code !== null && `exit ${run.exit_code}`}
          </span>
        </span>
        <Progress run={run} />
      </span>
      <span role="gridcell" class="ra-cell-age">
        <Age time={run.created_at} />
      </span>
      <span role="gridcell" class="ra-cell-actions">
        {verbsOf(run).map((verb) => (
          <Button
            key={verb}
            icon={verb}
            kind="quiet"
            label={`${WORDS[verb].does} ${run.name}`}
            tabIndex={tabIndex}
            onClick={() => void session.act(verb, [run])}
          />
        ))}
      </span>
    </div>
  );
}
