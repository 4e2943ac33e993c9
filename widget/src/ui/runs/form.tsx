import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ACTIVE, type Run } from "../../api/records";
import { changesOf, nameOf, tagsOf, variablesOf } from "../fields";
import { Field } from "../parts/field";
import { Form, NameField, useSending, Wrong } from "../parts/form";
import { hashOf } from "../route";
import type { Session } from "../session";

interface Props {
  readonly session: Session;
  readonly onClose: () => void;
  /** The run that a new one is made from. */
  readonly from?: Run;
  /** The run that is changed. */
  readonly edited?: Run;
}

const FIELDS = ["name", "command", "workdir", "env", "tags", "sweep_id", "notes"];

/** Makes a run, or changes one; what the server says of a field stands beside it. */
export function RunForm({ session, onClose, from, edited }: Props): JSX.Element {
  const like = edited ?? from;
  const [before] = useState(edited);
  const [name, setName] = useState(like?.name ?? "");
  const [command, setCommand] = useState(like?.command ?? "");
  const [workdir, setWorkdir] = useState(like?.workdir ?? "");
  const [env, setEnv] = useState("");
  const [tags, setTags] = useState(like?.tags.join(", ") ?? "");
  const [notes, setNotes] = useState(edited?.notes ?? "");
  const [sweep, setSweep] = useState("");
  const [starts, setStarts] = useState(true);
  const isFixed = edited !== undefined && ACTIVE.has(edited.status);
  const sweeps = [...session.sweeps.things.value.values()].sort((one, other) => other.created_at - one.created_at);
  const sending = useSending(FIELDS, send);
  const { errorOf } = sending;

  async function save(): Promise<Run> {
    // A tag may hold a comma: what was not touched is sent as it was.
    const kept = tags === like?.tags.join(", ") ? like.tags : tagsOf(tags);
    const shared = { name: name.trim() || nameOf(command), tags: kept };
    if (before !== undefined) {
      const now = { ...shared, command, workdir, notes: notes === "" ? null : notes };
      const body = changesOf(before, now); // what is not changed here may be changed elsewhere meanwhile
      return await session.client.put("/runs/{run_id}", { path: { run_id: before.id }, body });
    }
    const variables = variablesOf(env);
    return await session.client.post("/runs", {
      body: {
        ...shared,
        command,
        auto_start: starts,
        priority: from?.priority ?? 0,
        max_retries: from?.max_retries ?? 0,
        timeout_seconds: from?.timeout_seconds ?? null,
        gpus: from?.gpus ?? null,
        files: from?.files ?? {},
        after: [],
        ...(notes !== "" && { notes }),
        ...(workdir.trim() !== "" && { workdir: workdir.trim() }),
        ...(sweep !== "" && { sweep_id: sweep }),
        ...(Object.keys(variables.env).length > 0 && { env: variables.env }),
        ...(from !== undefined && { parent_run_id: from.id }),
      },
    });
  }

  async function send(): Promise<() => void> {
    const { wrong } = variablesOf(env);
    if (command.trim() === "") throw new Wrong("command", "A run needs a command.");
    if (wrong.length > 0) throw new Wrong("env", `“${wrong[0] ?? ""}” is not NAME=value.`);
    const run = await save();
    session.take([run]);
    return () => {
      onClose();
      if (edited === undefined) session.navigation.go(hashOf({ view: "run", id: run.id }));
    };
  }

  return (
    <Form
      title={edited ? "Edit run" : from ? "New run like this one" : "New run"}
      sending={sending}
      onClose={onClose}
      action={edited ? "Save" : starts ? "Start run" : "Create run"}
      starts={edited ? undefined : [starts, setStarts]}
    >
      <Field label="Command" error={errorOf("command")} hint={isFixed ? "Can’t be changed while it runs." : ""}>
        {(attributes) => (
          <textarea
            {...attributes}
            class="ra-mono"
            rows={3}
            spellcheck={false}
            autoFocus
            disabled={isFixed}
            value={command}
            placeholder="python train.py --lr 0.1"
            onInput={(event) => setCommand(event.currentTarget.value)}
          />
        )}
      </Field>
      <NameField sending={sending} command={command} name={name} onName={setName} />
      <Field label="Folder" error={errorOf("workdir")}>
        {(attributes) => (
          <input
            {...attributes}
            class="ra-mono"
            spellcheck={false}
            disabled={isFixed}
            value={workdir}
            placeholder={session.health.value?.workdir ?? "the server’s"}
            onInput={(event) => setWorkdir(event.currentTarget.value)}
          />
        )}
      </Field>
      {edited === undefined && (
        <Field
          label="Environment"
          error={errorOf("env")}
          hint={from ? "That of the earlier run is not known here: say it again." : "NAME=value, one a line"}
        >
          {(attributes) => (
            <textarea
              {...attributes}
              class="ra-mono"
              rows={2}
              spellcheck={false}
              value={env}
              onInput={(event) => setEnv(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
      <div class="ra-pair">
        <Field label="Tags" error={errorOf("tags")} hint="With commas between">
          {(attributes) => (
            <input {...attributes} value={tags} onInput={(event) => setTags(event.currentTarget.value)} />
          )}
        </Field>
        {edited === undefined && (
          <Field label="Sweep" error={errorOf("sweep_id")}>
            {(attributes) => (
              <select {...attributes} value={sweep} onChange={(event) => setSweep(event.currentTarget.value)}>
                <option value="">none</option>
                {sweeps.map(({ id, name: words }) => (
                  <option key={id} value={id}>
                    {words}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
      </div>
      <Field label="Notes" error={errorOf("notes")}>
        {(attributes) => (
          <textarea
            {...attributes}
            rows={edited ? 4 : 1}
            value={notes}
            onInput={(event) => setNotes(event.currentTarget.value)}
          />
        )}
      </Field>
    </Form>
  );
}
