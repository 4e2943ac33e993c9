import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { Client } from "../../api/client";
import { ENDED, type Run } from "../../api/records";
import { outcome } from "../../format";
import type { Visibility } from "../../live/connection";
import { Text } from "../log/line";
import { Button } from "../parts/button";
import { Duration, Progress, Remaining, Status } from "../parts/status";
import { hashOf } from "../route";
import { wordsOf } from "../session";
import { perform, type Verb, verbsOf, WORDS } from "../verbs";
import { Frame, Open, type Way } from "./frame";
import { useTail } from "./tail";

interface Props {
  readonly client: Client;
  readonly visibility: Visibility;
  readonly way: Way;
  readonly run: Run;
  readonly isAway: boolean;
  readonly take: (run: Run) => void;
}

/** A run in a cell: how it stands, what it printed last, and what can be done with it. */
export function RunCard({ client, visibility, way, run, isAway, take }: Props): JSX.Element {
  const problem = useSignal("");
  const again = useSignal<Run | null>(null);
  const rows = useTail(client, run, visibility);
  async function act(verb: Verb): Promise<void> {
    try {
      const now = await perform(client, verb, run.id);
      problem.value = "";
      if (verb === "rerun") again.value = now;
      else take(now);
    } catch (raised) {
      problem.value = `${WORDS[verb].does}: ${wordsOf(raised)}`;
    }
  }
  const said = run.error === null || /^exit code \d+$/.test(run.error) ? "" : run.error;
  return (
    <Frame
      way={way}
      kind="run"
      id={run.id}
      name={run.name}
      command={run.command}
      isAway={isAway}
      status={<Status run={run} />}
      time={
        <>
          {ENDED.has(run.status) && run.exit_code !== 0 && run.exit_code !== null && (
            <span>{outcome(run.exit_code, run.signal)}</span>
          )}
          <span>
            <Duration run={run} />
          </span>
          <Remaining run={run} />
        </>
      }
      actions={verbsOf(run)
        .filter((verb) => verb !== "archive" && verb !== "unarchive")
        .map((verb) => (
          <Button key={verb} icon={verb} label={WORDS[verb].does} kind="quiet" onClick={() => void act(verb)} />
        ))}
    >
      <Progress run={run} />
      {(problem.value || said) !== "" && (
        <p class="ra-error" role="alert">
          {problem.value || said}
        </p>
      )}
      {again.value !== null && (
        <p class="ra-live-again" role="status">
          Started again as <strong dir="auto">{again.value.name}</strong>
          <Open way={way} address={hashOf({ view: "run", id: again.value.id })} />
        </p>
      )}
      {rows.length > 0 && (
        <pre class="ra-live-log" aria-label="The last lines of its log">
          {rows.map((row) => (
            <div key={row.at}>
              <Text row={row} place={{ from: 0, to: row.text.length }} />
            </div>
          ))}
        </pre>
      )}
    </Frame>
  );
}
