import type { JSX } from "preact";
import type { Alert } from "../../api/records";
import { Button } from "../parts/button";
import { RunLink } from "../parts/link";
import { Age } from "../parts/status";
import { type Session, wordsOf } from "../session";

/** What waits for somebody to decide, newest first. */
export function AlertsView({ session }: { readonly session: Session }): JSX.Element {
  const alerts = [...session.alerts.things.value.values()].sort((one, other) => other.timestamp - one.timestamp);
  if (alerts.length === 0) {
    return (
      <div class="ra-view ra-empty">
        <h2>Nothing needs you</h2>
        <p>When a run stalls, its metrics break down or a disk fills up, you are asked here what to do.</p>
      </div>
    );
  }
  return (
    <section class="ra-view ra-page" aria-label="Alerts">
      <ul class="ra-cards">
        {alerts.map((alert) => (
          <AlertCard key={alert.id} session={session} alert={alert} isLinked />
        ))}
      </ul>
    </section>
  );
}

interface CardProps {
  readonly session: Session;
  readonly alert: Alert;
  readonly isLinked?: boolean;
}

/** A question with its choices; `isLinked` when the run is not shown around it. */
export function AlertCard({ session, alert, isLinked = false }: CardProps): JSX.Element {
  async function respond(choice: string): Promise<void> {
    try {
      await session.client.post("/alerts/{alert_id}/respond", { path: { alert_id: alert.id }, body: { choice } });
      session.alerts.take([{ ...alert, status: "resolved", response: choice }]);
    } catch (problem) {
      session.say(wordsOf(problem), { isError: true });
    }
  }
  return (
    <li class={`ra-card ra-alert-${alert.severity}`}>
      <div class="ra-card-head">
        <p dir="auto">{alert.message}</p>
        <span class="ra-faint">
          <Age time={alert.timestamp} />
        </span>
      </div>
      <div class="ra-card-foot">
        {isLinked ? (
          <span class="ra-legend">
            <RunLink session={session} id={alert.run_id} />
          </span>
        ) : (
          <span />
        )}
        {alert.choices.map((choice) => (
          <Button key={choice} label={choice} onClick={() => void respond(choice)}>
            {choice}
          </Button>
        ))}
      </div>
    </li>
  );
}
