import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { grouped } from "../../format";
import { nameOf } from "../fields";
import { Button } from "../parts/button";
import { Field } from "../parts/field";
import { Form, NameField, useSending, Wrong } from "../parts/form";
import { hashOf } from "../route";
import type { Session } from "../session";
import { commandOf, countOf, firstOf, type Method, type Parameter, parametersOf } from "./grid";

const PREVIEWED = 4;
const EMPTY: Parameter = { name: "", values: "" };
const FIELDS = ["base_command", "name", "parameters", "parallel", "max_runs"];

/** Makes a sweep, and shows the first of its commands before. */
export function SweepForm({
  session,
  onClose,
}: {
  readonly session: Session;
  readonly onClose: () => void;
}): JSX.Element {
  const [command, setCommand] = useState("");
  const [name, setName] = useState("");
  const [given, setGiven] = useState<readonly Parameter[]>([EMPTY]);
  const [method, setMethod] = useState<Method>("grid");
  const [most, setMost] = useState("");
  const [parallel, setParallel] = useState("1");
  const [starts, setStarts] = useState(true);
  const sending = useSending(FIELDS, send);
  const { errorOf } = sending;
  const parameters = parametersOf(given);
  const all = countOf(parameters, method);
  const limit = Number(most);
  const count = limit > 0 ? Math.min(all, limit) : all;

  async function send(): Promise<() => void> {
    if (command.trim() === "") throw new Wrong("base_command", "A sweep needs a command.");
    const sweep = await session.client.post("/sweeps", {
      body: {
        name: name.trim() || nameOf(command),
        base_command: command,
        parameters,
        method,
        parallel: Math.max(1, Math.floor(Number(parallel)) || 1),
        auto_start: starts,
        ...(limit > 0 && { max_runs: Math.floor(limit) }),
      },
    });
    session.sweeps.take([sweep]);
    return () => {
      onClose();
      session.navigation.go(hashOf({ view: "sweep", id: sweep.id }));
    };
  }

  const change = (at: number, part: Partial<Parameter>): void =>
    setGiven(given.map((each, n) => (n === at ? { ...each, ...part } : each)));
  return (
    <Form
      title="New sweep"
      sending={sending}
      onClose={onClose}
      action={starts ? "Start sweep" : "Create sweep"}
      starts={[starts, setStarts]}
    >
      <Field
        label="Command"
        error={errorOf("base_command")}
        hint="{name} is where a value goes; else --name=value is added"
      >
        {(attributes) => (
          <textarea
            {...attributes}
            class="ra-mono"
            rows={2}
            spellcheck={false}
            autoFocus
            value={command}
            placeholder="python train.py"
            onInput={(event) => setCommand(event.currentTarget.value)}
          />
        )}
      </Field>
      <NameField sending={sending} command={command} name={name} onName={setName} />
      <fieldset class="ra-parameters">
        <legend>Parameters</legend>
        {given.map((parameter, at) => (
          <div key={at} class="ra-parameter">
            <input
              class="ra-mono"
              value={parameter.name}
              placeholder="lr"
              spellcheck={false}
              aria-label={`Name of parameter ${at + 1}`}
              onInput={(event) => change(at, { name: event.currentTarget.value })}
            />
            <input
              class="ra-mono"
              value={parameter.values}
              placeholder="0.1, 0.01, 0.001"
              spellcheck={false}
              aria-label={`Values of parameter ${at + 1}, with commas between`}
              onInput={(event) => change(at, { values: event.currentTarget.value })}
            />
            <Button
              icon="close"
              label={`Remove parameter ${at + 1}`}
              kind="quiet"
              disabled={given.length === 1}
              onClick={() => setGiven(given.filter((_, n) => n !== at))}
            />
          </div>
        ))}
        <Button icon="plus" label="Add a parameter" kind="quiet" onClick={() => setGiven([...given, EMPTY])}>
          Add a parameter
        </Button>
        {errorOf("parameters") !== undefined && (
          <p class="ra-error" role="alert">
            {errorOf("parameters")}
          </p>
        )}
      </fieldset>
      <div class="ra-triple">
        <Field label="Combine">
          {(attributes) => (
            <select {...attributes} value={method} onChange={(event) => setMethod(event.currentTarget.value as Method)}>
              <option value="grid">all with all</option>
              <option value="zip">first with first</option>
              <option value="random">at random</option>
            </select>
          )}
        </Field>
        <Field label="At a time" error={errorOf("parallel")}>
          {(attributes) => (
            <input
              {...attributes}
              type="number"
              min="1"
              value={parallel}
              onInput={(event) => setParallel(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label="Runs at most" error={errorOf("max_runs")}>
          {(attributes) => (
            <input
              {...attributes}
              type="number"
              min="1"
              value={most}
              placeholder={method === "random" ? "" : "all"}
              onInput={(event) => setMost(event.currentTarget.value)}
            />
          )}
        </Field>
      </div>
      {count > 0 && command.trim() !== "" && (
        <div class="ra-preview" aria-live="polite">
          <p>
            {grouped(count)} {count === 1 ? "run" : "runs"}
            {method === "random" ? ", such as" : count > PREVIEWED ? ", the first of them" : ""}
          </p>
          <ol>
            {firstOf(parameters, method, Math.min(count, PREVIEWED)).map((values, n) => (
              <li key={n}>
                <code>{commandOf(command, values)}</code>
              </li>
            ))}
          </ol>
        </div>
      )}
    </Form>
  );
}
