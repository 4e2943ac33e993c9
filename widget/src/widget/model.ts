/** What we use of a widget's model: https://anywidget.dev/en/afm/ */
export interface Model {
  get: (name: string) => unknown;
  send: (content: unknown) => void;
  on: (event: "msg:custom", heard: (content: unknown) => void) => void;
  off: (event: "msg:custom", heard: (content: unknown) => void) => void;
}

interface Answered {
  readonly id: number;
  readonly problem?: string;
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Asks the kernel, which answers when it is not busy. */
export class Kernel {
  private readonly waiting = new Map<number, (answer: Answered) => void>();
  private last = 0;

  constructor(private readonly model: Model) {
    model.on("msg:custom", this.heard);
  }

  /** Raises when the kernel can't do it. */
  async ask(content: object, signal?: AbortSignal): Promise<Answered> {
    const id = ++this.last;
    const answer = await new Promise<Answered>((resolve, reject) => {
      this.waiting.set(id, resolve);
      signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      this.model.send({ id, ...content });
    }).finally(() => this.waiting.delete(id));
    if (answer.problem !== undefined) throw new Error(answer.problem);
    return answer;
  }

  close(): void {
    this.model.off("msg:custom", this.heard);
  }

  private readonly heard = (content: unknown): void => {
    const { id } = content as Partial<Answered>;
    if (id !== undefined) this.waiting.get(id)?.(content as Answered);
  };
}
