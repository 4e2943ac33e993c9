import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ENDED, type Run } from "../../api/records";
import { duration, outcome } from "../../format";
import { AlertCard } from "../alerts/view";
import { RunForm } from "../runs/form";
import { LogViewer } from "../log/viewer";
import { Metrics } from "../metrics/section";
import { Button } from "../parts/button";
import { CopyButton } from "../parts/copy";
import { Icon } from "../parts/icon";
import { RunLink } from "../parts/link";
import { Age, Duration, Progress, Remaining, Status } from "../parts/status";
import { hashOf, hashOfRuns } from "../route";
import { Artifacts } from "./artifacts";
import { Made, useMade } from "./made";
import type { Session } from "../session";
import { Terminal } from "../terminal/section";
import { type Verb, verbsOf, WORDS } from "../verbs";

/** One run: what it is, how it stands, what it printed. */
export function RunView({ session, id }: { readonly session: Session; readonly id: string }): JSX.Element {
  const run = session.run(id).value;
  if (run === null) return <div class="ra-view ra-empty" aria-busy="true" />;
  if (run instanceof Error) {
    return (
      <div class="ra-view ra-empty" role="alert">
        <h2>There is nothing to show of this run</h2>
        <p>{run.message}</p>
        <a class="ra-button" href={hashOfRuns()}>
          All runs
        </a>
      </div>
    );
  }
  return <Detail key={run.id} session={session} run={run} />;
}

function Detail({ session, run }: { readonly session: Session; readonly run: Run }): JSX.Element {
  const [dialog, setDialog] = useState<"" | "edit" | "clone">("");
  const showing = useRef<string>(dialog);
  showing.current = dialog;
  useEffect(() => () => void (showing.current = "another view"), []);
  const made = useMade(session, run.id);
  async function act(verb: Verb): Promise<void> {
    const [made] = await session.act(verb, [run]);
    const isBusy = showing.current !== ""; // somebody types into a form meanwhile, or is elsewhere
    if (verb === "rerun" && made !== undefined && !isBusy) session.navigation.go(hashOf({ view: "run", id: made.id }));
  }
  return (
    <article class="ra-view ra-detail" aria-labelledby="ra-run-name">
      <header class="ra-detail-head">
        <a class="ra-back" href={session.back.value}>
          <Icon name="back" /> Runs
        </a>
        <div class="ra-title">
          <h1 id="ra-run-name" dir="auto">
            {run.name}
          </h1>
          <Status run={run} />
          {run.is_archived && <span class="ra-label">archived</span>}
        </div>
        <div class="ra-actions">
          {verbsOf(run).map((verb) => (
            <Button key={verb} icon={verb} label={WORDS[verb].does} onClick={() => void act(verb)}>
              {WORDS[verb].does}
            </Button>
          ))}
          {!ENDED.has(run.status) && (
            <Button
              icon="bell"
              label="Tell me when it ends"
              pressed={session.watch.watched.value.has(run.id)}
              onClick={() => void session.watch.toggle(run)}
            />
          )}
          <Button icon="clone" label="New run like this one" onClick={() => setDialog("clone")}>
            New like this
          </Button>
          <Button icon="edit" label="Edit" onClick={() => setDialog("edit")}>
            Edit
          </Button>
        </div>
      </header>
      <Asked session={session} run={run} />
      {run.error !== null && !/^exit code \d+$/.test(run.error) && (
        <p class={`ra-said${run.status === "failed" ? " ra-error" : ""}`} role="status">
          {run.error}
        </p>
      )}
      <Progress run={run} />
      <Facts session={session} run={run} />
      <Section title="Log">
        {run.status === "ready" ? (
          <p class="ra-hint">It has not been started.</p>
        ) : (
          <LogViewer session={session} run={run} />
        )}
      </Section>
      <Section title="Command">
        <div class="ra-command">
          <pre dir="auto">{run.command}</pre>
          <CopyButton label="Copy the command" text={() => run.command} />
        </div>
        <p class="ra-faint ra-mono ra-path">{run.workdir}</p>
      </Section>
      {made.shown.length > 0 && (
        <Section title="Made from it">
          <Made made={made} />
        </Section>
      )}
      <Section title="Terminal">
        <Terminal session={session} run={run} />
      </Section>
      {run.status !== "ready" && (
        <>
          <Section title="Metrics">
            <Metrics session={session} run={run} />
          </Section>
          <Section title="Artifacts">
            <Artifacts session={session} run={run} />
          </Section>
          <Section title="Sidecar’s log" isClosed>
            <LogViewer session={session} run={run} which="sidecar-logs" />
          </Section>
        </>
      )}
      {run.notes !== null && (
        <Section title="Notes">
          <p class="ra-notes" dir="auto">
            {run.notes}
          </p>
        </Section>
      )}
      {dialog === "edit" && <RunForm session={session} edited={run} onClose={() => setDialog("")} />}
      {dialog === "clone" && <RunForm session={session} from={run} onClose={() => setDialog("")} />}
    </article>
  );
}

/** What somebody should decide about it. */
function Asked({ session, run }: { readonly session: Session; readonly run: Run }): JSX.Element {
  const alerts = [...session.alerts.things.value.values()].filter((alert) => alert.run_id === run.id);
  if (alerts.length === 0) return <></>;
  return (
    <ul class="ra-asked" aria-label="Alerts of this run">
      {alerts.map((alert) => (
        <AlertCard key={alert.id} session={session} alert={alert} />
      ))}
    </ul>
  );
}

function Facts({ session, run }: { readonly session: Session; readonly run: Run }): JSX.Element {
  const sweep = run.sweep_id === null ? undefined : session.sweeps.things.value.get(run.sweep_id);
  const started = run.started_at ?? null;
  const ended = run.ended_at ?? null;
  const parameters = Object.entries(run.sweep_params ?? {});
  return (
    <dl class="ra-facts">
      <Fact title="Created">
        <Age time={run.created_at} suffix=" ago" />
      </Fact>
      {started !== null && (
        <Fact title="Started">
          {new Date(started * 1000).toLocaleString()}
          {(run.queued_at ?? null) !== null && started - (run.queued_at as number) > 1 && (
            <span class="ra-faint"> after {duration(started - (run.queued_at as number))} of waiting</span>
          )}
        </Fact>
      )}
      {ended !== null && <Fact title="Ended">{new Date(ended * 1000).toLocaleString()}</Fact>}
      {started !== null && (
        <Fact title="Took">
          <Duration run={run} />{" "}
          <span class="ra-faint">
            <Remaining run={run} />
          </span>
        </Fact>
      )}
      {ENDED.has(run.status) && (run.exit_code !== null || run.signal !== null) && (
        <Fact title="Outcome">{outcome(run.exit_code, run.signal)}</Fact>
      )}
      {run.status === "queued" && run.queue_position !== null && <Fact title="Queue">place {run.queue_position}</Fact>}
      {(run.gpu_ids ?? []).length > 0 && <Fact title="GPUs">{(run.gpu_ids ?? []).join(", ")}</Fact>}
      {(run.attempt ?? 1) > 1 && (
        <Fact title="Attempt">
          {run.attempt} of {(run.max_retries ?? 0) + 1}
        </Fact>
      )}
      {run.sweep_id !== null && (
        <Fact title="Sweep">
          <a href={hashOf({ view: "sweep", id: run.sweep_id })}>{sweep?.name ?? run.sweep_id}</a>
        </Fact>
      )}
      {parameters.map(([name, value]) => (
        <Fact key={name} title={name}>
          <code>{typeof value === "string" ? value : JSON.stringify(value)}</code>
        </Fact>
      ))}
      {run.parent_run_id !== null && (
        <Fact title="Made from">
          <RunLink session={session} id={run.parent_run_id} />
        </Fact>
      )}
      {run.tags.length > 0 && (
        <Fact title="Tags">
          {run.tags.map((tag) => (
            <a key={tag} class="ra-label" href={hashOfRuns({ tag })}>
              {tag}
            </a>
          ))}
        </Fact>
      )}
      <Fact title="Id">
        <code>{run.id}</code>
      </Fact>
    </dl>
  );
}

function Fact({ title, children }: { readonly title: string; readonly children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly children: ComponentChildren;
  /** At first. What is in it is made when it is opened. */
  readonly isClosed?: boolean;
}

/** A part that can be folded away. */
function Section({ title, children, isClosed = false }: SectionProps): JSX.Element {
  const [isOpen, setOpen] = useState(!isClosed);
  return (
    <details class="ra-section" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="open" />
        <h2>{title}</h2>
      </summary>
      {isOpen && children}
    </details>
  );
}
