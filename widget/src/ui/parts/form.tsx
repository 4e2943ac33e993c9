import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Refused } from "../../api/errors";
import { nameOf } from "../fields";
import { wordsOf } from "../session";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Field } from "./field";

/** What a form finds wrong with a field of its own, before it is sent. */
export class Wrong extends Error {
  constructor(
    readonly field: string,
    words: string,
  ) {
    super(words);
  }
}

export interface Sending {
  readonly isBusy: boolean;
  readonly submit: () => void;
  /** What is wrong with a field; of null, with none of them. */
  readonly errorOf: (field: string | null) => string | undefined;
}

/**
 * Sends a form, once at a time; what it or the server finds wrong with one of these fields is told of that field.
 * `send` gives what is to follow, unless the form was closed meanwhile: there may be another one by then.
 */
export function useSending(fields: readonly string[], send: () => Promise<() => void>): Sending {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<{ readonly field: string | null; readonly words: string } | null>(null);
  const isOpen = useRef(true);
  useEffect(() => () => void (isOpen.current = false), []);
  async function submit(): Promise<void> {
    if (isBusy) return;
    setBusy(true);
    try {
      const follow = await send();
      if (isOpen.current) follow();
    } catch (raised) {
      const field = raised instanceof Refused || raised instanceof Wrong ? raised.field : null;
      const isShown = field !== null && fields.includes(field);
      // The server's words begin with the field's name.
      const words = raised instanceof Refused && isShown ? raised.message.replace(/^[^:]*: /, "") : wordsOf(raised);
      setProblem({ field: isShown ? field : null, words });
      setBusy(false);
    }
  }
  return {
    isBusy,
    submit: () => void submit(),
    errorOf: (field) => (problem?.field === field ? problem.words : undefined),
  };
}

interface Props {
  readonly title: string;
  readonly sending: Sending;
  readonly onClose: () => void;
  /** What the button says that sends it. */
  readonly action: string;
  /** Whether what is made starts at once, where that is asked. */
  readonly starts?: readonly [boolean, (starts: boolean) => void] | undefined;
  readonly children: ComponentChildren;
}

/** A dialog with fields, and below them what is wrong with none of them and the buttons. */
export function Form({ title, sending, onClose, action, starts, children }: Props): JSX.Element {
  const { isBusy, submit, errorOf } = sending;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        noValidate
        class="ra-form"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
        }}
      >
        {children}
        {errorOf(null) !== undefined && (
          <p class="ra-error" role="alert">
            {errorOf(null)}
          </p>
        )}
        <footer class="ra-dialog-foot">
          {starts && (
            <label class="ra-check">
              <input type="checkbox" checked={starts[0]} onChange={(event) => starts[1](event.currentTarget.checked)} />
              Start at once
            </label>
          )}
          <Button label="Cancel" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" label="Save" kind="primary" disabled={isBusy}>
            {action}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

interface NameProps {
  readonly sending: Sending;
  readonly command: string;
  readonly name: string;
  readonly onName: (name: string) => void;
}

/** A name, which is the beginning of the command unless somebody says another. */
export function NameField({ sending, command, name, onName }: NameProps): JSX.Element {
  return (
    <Field label="Name" error={sending.errorOf("name")}>
      {(attributes) => (
        <input
          {...attributes}
          value={name}
          placeholder={nameOf(command) || "as the command"}
          onInput={(event) => onName(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
