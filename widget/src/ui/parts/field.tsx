import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface Props {
  readonly label: string;
  readonly hint?: string;
  readonly error?: string | undefined;
  /** Gets what ties the input to its label and error. */
  readonly children: (attributes: {
    readonly id: string;
    readonly "aria-describedby": string;
    readonly "aria-invalid": boolean;
  }) => ComponentChildren;
}

/** An input with its label above, and what is wrong with it below. */
export function Field({ label, hint, error, children }: Props): JSX.Element {
  const id = useId();
  const about = `${id}-about`;
  return (
    <div class={`ra-field${error === undefined ? "" : " ra-field-wrong"}`}>
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": about, "aria-invalid": error !== undefined })}
      <p
        id={about}
        class={error === undefined ? "ra-hint" : "ra-error"}
        role={error === undefined ? undefined : "alert"}
      >
        {error ?? hint}
      </p>
    </div>
  );
}
