import { type ReadonlySignal, signal } from "@preact/signals";
import type { Client } from "../api/client";
import type { Run } from "../api/records";

/** `closed`: its process has ended, since the window did or somebody detached; `lost`: nobody knows. */
export type AttachmentState = "opening" | "open" | "closed" | "lost" | "failed";

/** As Jupyter's terminals take it: in characters, then in pixels. */
export type Size = readonly [rows: number, columns: number, height: number, width: number];

/** Shows a terminal of Jupyter's in a tab of the host, and ends it with the tab. Raises when it can't be shown. */
export type OpenTerminal = (name: string, title: string) => Promise<void>;

/** Attach in a tab of the host. Raises what hinders it; what becomes of the tab, the run goes on. */
export async function attachInTab(client: Client, run: Run, open: OpenTerminal): Promise<void> {
  const { name } = await client.post("/runs/{run_id}/terminal", { path: { run_id: run.id } });
  try {
    await open(name, run.name);
  } catch (problem) {
    await client.endTerminal(name);
    throw problem;
  }
}

/** A terminal of Jupyter's on a run's window, from its making to its end. What becomes of it, the run goes on. */
export class Attachment {
  private readonly current = signal<AttachmentState>("opening");
  private readonly problem = signal<string | null>(null);
  private socket: WebSocket | null = null;
  private name: string | null = null;
  private size: Size | null = null;
  private isOver = false;
  private readonly left = (): void => this.close();

  readonly state: ReadonlySignal<AttachmentState> = this.current;
  /** Why it could not be opened. */
  readonly error: ReadonlySignal<string | null> = this.problem;

  constructor(
    private readonly client: Client,
    run: string,
    /** What the window shows. */
    private readonly shown: (text: string) => void,
  ) {
    addEventListener("pagehide", this.left);
    void this.open(run).catch((problem: unknown) => {
      this.problem.value = problem instanceof Error ? problem.message : String(problem);
      this.end("failed");
    });
  }

  /** Keys, or what is pasted. */
  type(text: string): void {
    this.send(["stdin", text]);
  }

  resize(size: Size): void {
    this.size = size;
    this.send(["set_size", ...size]);
  }

  /** Detach. */
  close(): void {
    this.end("closed");
  }

  private async open(run: string): Promise<void> {
    const { name } = await this.client.post("/runs/{run_id}/terminal", { path: { run_id: run } });
    if (this.isOver) {
      await this.client.endTerminal(name);
      return;
    }
    this.name = name;
    const socket = (this.socket = new WebSocket(this.client.terminalUrl(name)));
    socket.addEventListener("message", ({ data }) => this.take(String(data)));
    // Without the word before it that says that the process has ended, the server or the network is away.
    socket.addEventListener("close", () => this.end("lost"));
  }

  private take(message: string): void {
    const [kind, text] = JSON.parse(message) as [string, unknown];
    if (kind === "setup") {
      this.current.value = "open";
      if (this.size !== null) this.resize(this.size);
    } else if (kind === "stdout") this.shown(String(text));
    else if (kind === "disconnect") {
      this.name = null;
      this.end("closed");
    }
  }

  private send(message: readonly unknown[]): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private end(how: AttachmentState): void {
    if (this.isOver) return;
    this.isOver = true;
    removeEventListener("pagehide", this.left);
    this.socket?.close();
    if (this.name !== null) void this.client.endTerminal(this.name);
    this.current.value = how;
  }
}
