import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ACTIVE, ENDED, type Run } from "../../api/records";
import { attachInTab, Attachment, type AttachmentState, type OpenTerminal } from "../../live/attachment";
import { Button } from "../parts/button";
import { CopyButton } from "../parts/copy";
import { type Session, wordsOf } from "../session";
import { openScreen, type Screen } from "./screen";

interface Props {
  readonly session: Session;
  readonly run: Run;
}

const GONE = "Its window is gone, as the run has ended.";
const UNREACHED =
  "This page reaches the server through the kernel only, which carries no terminal: the command attaches.";

/** The run's tmux window: its name, the way to it, and the window itself once somebody attaches. */
export function Terminal({ session, run }: Props): JSX.Element {
  const [isAttached, setAttached] = useState(false);
  const [isOpening, setOpening] = useState(false);
  const [words, setWords] = useState("");
  const button = useRef<HTMLDivElement>(null);
  const isThere = ACTIVE.has(run.status) && run.tmux_window !== null;

  function detached(said: string): void {
    setWords(said);
    setAttached(false);
    // Who was at its keyboard is not lost.
    requestAnimationFrame(() => button.current?.querySelector("button")?.focus({ preventScroll: true }));
  }

  async function openTab(open: OpenTerminal): Promise<void> {
    setOpening(true);
    setWords("");
    await attachInTab(session.client, run, open).catch((problem: unknown) => setWords(wordsOf(problem)));
    setOpening(false);
  }

  if (isAttached) return <Attached session={session} run={run} onEnd={detached} />;
  return (
    <>
      {run.tmux_window !== null && (
        <div class="ra-command">
          <pre>{run.tmux_window}</pre>
          <CopyButton label="Copy window name" text={() => run.tmux_window ?? ""} />
        </div>
      )}
      {isThere && run.attach_command !== null && (
        <div class="ra-command">
          <pre>{run.attach_command}</pre>
          <CopyButton label="Copy attach command" text={() => run.attach_command ?? ""} />
        </div>
      )}
      {isThere && session.client.hasTerminals ? (
        <div ref={button} class="ra-attach">
          <Button icon="terminal" label="Attach" onClick={() => setAttached(true)}>
            Attach
          </Button>
          {session.openTerminal && (
            <Button
              label="Attach in a tab"
              kind="quiet"
              disabled={isOpening}
              onClick={() => void openTab(session.openTerminal as OpenTerminal)}
            >
              Attach in a tab
            </Button>
          )}
          <span class="ra-hint" role="status">
            {words || "Its window, here: keys go to the run, so Ctrl+C interrupts it. Detaching never ends it."}
          </span>
        </div>
      ) : (
        <p class="ra-hint" role="status">
          {isThere ? UNREACHED : ENDED.has(run.status) ? GONE : "It has no window before it starts."}
        </p>
      )}
    </>
  );
}

interface AttachedProps extends Props {
  /** It is over; what is to be said of that. */
  readonly onEnd: (words: string) => void;
}

function Attached({ session, run, onEnd }: AttachedProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<AttachmentState>("opening");
  const [isExpanded, setExpanded] = useState(false);
  const close = useRef<() => void>(() => undefined);

  useEffect(() => {
    let screen: Screen | null = null;
    let attachment: Attachment | null = null;
    let isGone = false;
    let unfollow = (): void => undefined;
    void import("../../heavy/terminal").then(
      (heavy) => {
        if (isGone) return;
        const attached = (attachment = new Attachment(session.client, run.id, (text) => screen?.show(text)));
        screen = openScreen(heavy, place.current as HTMLDivElement, {
          typed: (text) => attached.type(text),
          resized: (size) => attached.resize(size),
          left: () => bar.current?.querySelector("button")?.focus(),
        });
        close.current = () => attached.close();
        unfollow = attached.state.subscribe((now) => {
          setState(now);
          if (now === "closed") onEnd("");
          else if (now === "lost") onEnd("The connection was lost. The run goes on.");
          else if (now === "failed") onEnd(attached.error.peek() ?? "");
        });
      },
      () => onEnd("The terminal can’t be loaded. Is the server away?"),
    );
    return () => {
      isGone = true;
      unfollow();
      attachment?.close();
      screen?.close();
    };
  }, [session, run.id]);

  return (
    <div class={`ra-log ra-terminal${isExpanded ? " ra-log-expanded" : ""}`} role="group" aria-label="Terminal">
      <div ref={bar} class="ra-log-bar">
        <Button label="Detach" onClick={() => close.current()}>
          <span class={`ra-dot${state === "open" ? " ra-is-running" : ""}`} />
          Detach
        </Button>
        <span class="ra-faint ra-log-size" role="status">
          {state === "open" ? run.tmux_window : "Attaching…"}
        </span>
        <span class="ra-space" />
        <span class="ra-faint ra-terminal-keys">
          <kbd>Ctrl+Shift+Enter</kbd> leaves it
        </span>
        <Button
          icon={isExpanded ? "shrink" : "expand"}
          label={isExpanded ? "Shrink" : "Expand"}
          kind="quiet"
          pressed={isExpanded}
          onClick={() => setExpanded(!isExpanded)}
        />
      </div>
      <div ref={place} class="ra-terminal-screen" />
    </div>
  );
}
