import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { AlertsView } from "./alerts/view";
import { grouped } from "../format";
import { Button } from "./parts/button";
import { hashOf, hashOfRuns, type Route } from "./route";
import { RunView } from "./run/view";
import { RunsView } from "./runs/view";
import type { Session } from "./session";
import { SweepView } from "./sweeps/table";
import { SweepsView } from "./sweeps/view";

interface Props {
  readonly session: Session;
  /** Where somebody logs in, and is led back here. */
  readonly login: string;
  /** Told what is shown. */
  readonly titled: ((title: string) => void) | undefined;
}

export function App({ session, login, titled }: Props): JSX.Element {
  const { route } = session.navigation;
  const now = route.value;
  useSignalEffect(() => {
    if (route.value.view === "runs") session.back.value = hashOf(route.value);
  });
  const title = titleOf(now, session);
  useEffect(() => titled?.(title), [titled, title]);
  return (
    <div class="ra">
      <Head session={session} route={now} />
      <Trouble session={session} login={login} />
      <main class="ra-main">
        {now.view !== "run" && <h1 class="ra-hidden">{title}</h1>}
        {now.view === "runs" && <RunsView session={session} filter={now.filter} />}
        {now.view === "run" && <RunView session={session} id={now.id} />}
        {now.view === "sweep" && <SweepView key={now.id} session={session} id={now.id} />}
        {now.view === "sweeps" && <SweepsView session={session} />}
        {now.view === "alerts" && <AlertsView session={session} />}
      </main>
      <Notices session={session} />
    </div>
  );
}

/** For who hears the page, and goes from heading to heading; and for the browser's tab. */
function titleOf(route: Route, session: Session): string {
  if (route.view === "sweep") return session.sweeps.things.value.get(route.id)?.name ?? "Sweep";
  if (route.view === "run") {
    const run = session.run(route.id).value;
    return run === null || run instanceof Error ? "Run" : `${run.name}: ${run.status}`;
  }
  return route.view === "sweeps" ? "Sweeps" : route.view === "alerts" ? "Alerts" : "Runs";
}

function Head({ session, route }: { readonly session: Session; readonly route: Route }): JSX.Element {
  const alerts = session.alerts.things.value.size;
  const { counts, workdir } = session.health.value ?? {};
  const isRuns = route.view === "runs" || route.view === "run";
  const standing = (
    [
      ["running", "running"],
      ["queued", "queued"],
    ] as const
  ).filter(([key]) => (counts?.[key] ?? 0) > 0);
  return (
    <header class="ra-top">
      <nav class="ra-nav" aria-label="Views">
        <a href={session.back.value} aria-current={isRuns ? "page" : undefined}>
          Runs
        </a>
        <a href="#/sweeps" aria-current={route.view === "sweeps" || route.view === "sweep" ? "page" : undefined}>
          Sweeps
        </a>
        <a href="#/alerts" aria-current={route.view === "alerts" ? "page" : undefined}>
          Alerts
          {alerts > 0 && (
            <span class="ra-count" aria-label={`${alerts} waiting`}>
              {grouped(alerts)}
            </span>
          )}
        </a>
      </nav>
      <span class="ra-space" />
      {standing.map(([key, status]) => (
        <a key={key} class={`ra-standing ra-is-${status}`} href={hashOfRuns({ statuses: [status] })}>
          <span class="ra-dot" /> {grouped(counts?.[key] ?? 0)} {status}
        </a>
      ))}
      {workdir != null && (
        <span class="ra-workdir" title={workdir}>
          {workdir.split("/").filter(Boolean).at(-1) ?? "/"}
        </span>
      )}
    </header>
  );
}

/** Says why nothing moves, when nothing does. */
function Trouble({ session, login }: { readonly session: Session; readonly login: string }): JSX.Element {
  const link = session.events.link.value;
  const problem = session.events.error.value;
  if (link === "refused") {
    return (
      <div class="ra-trouble" role="alert">
        <p>You are not logged in, or may not look at these runs.</p>
        <a class="ra-button" href={login}>
          Log in
        </a>
        <Button label="Try again" onClick={() => session.events.retry()}>
          Try again
        </Button>
      </div>
    );
  }
  if (link !== "retrying" || problem === null) return <></>;
  return (
    <div class="ra-trouble" role="status">
      <p>The server can’t be reached. Runs go on without it; what is shown here is as it was last known.</p>
      <Button label="Try again" onClick={() => session.events.retry()}>
        Try now
      </Button>
    </div>
  );
}

function Notices({ session }: { readonly session: Session }): JSX.Element {
  return (
    <div class="ra-notices" role="status" aria-live="polite">
      {session.notices.value.map(({ id, text, isError, undo }) => (
        <div key={id} class={`ra-notice${isError ? " ra-notice-error" : ""}`}>
          <span dir="auto">{text}</span>
          {undo && (
            <Button
              label="Undo"
              kind="quiet"
              onClick={() => {
                session.unsay(id);
                undo();
              }}
            >
              Undo
            </Button>
          )}
          <Button icon="close" label="Dismiss" kind="quiet" onClick={() => session.unsay(id)} />
        </div>
      ))}
    </div>
  );
}
