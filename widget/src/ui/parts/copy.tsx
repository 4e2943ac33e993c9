import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { copy } from "../clipboard";
import { Button } from "./button";

/** Copies what `text` gives when it is pressed, and shows for a moment that it did. */
export function CopyButton({ label, text }: { readonly label: string; readonly text: () => string }): JSX.Element {
  const [state, setState] = useState<"" | "done" | "failed">("");
  useEffect(() => {
    if (state === "") return undefined;
    const timer = setTimeout(() => setState(""), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  const words = { "": label, done: "Copied", failed: "The browser does not let us copy" }[state];
  return (
    <Button
      icon={state === "done" ? "check" : state === "failed" ? "close" : "copy"}
      label={words}
      kind="quiet"
      onClick={() => void copy(text()).then((done) => setState(done ? "done" : "failed"))}
    />
  );
}
