import type { JSX } from "preact";
import { hashOf } from "../route";
import type { Session } from "../session";

/** A run that is looked at elsewhere: by its name, as soon and as long as it is known. */
export function RunLink({ session, id }: { readonly session: Session; readonly id: string }): JSX.Element {
  const run = session.run(id).value;
  const name = run === null || run instanceof Error ? id : run.name;
  return (
    <a href={hashOf({ view: "run", id })} dir="auto">
      {name}
    </a>
  );
}
