import type { components } from "./schema";

export type ErrorBody = components["schemas"]["ErrorBody"];

/** The server said no: its status, and its words as the message. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(
    readonly status: number,
    readonly body: ErrorBody,
    /** Seconds after which it may be tried again; null when the server didn't say. */
    readonly retryAfter: number | null = null,
  ) {
    super(body.message);
  }

  /** The field of the input that was wrong, of a 400 that names one: `command` of `command: is missing`. */
  get field(): string | null {
    return this.status === 400 ? (/^([a-z_]\w*)(?:[.[][^:\s]*)?: /.exec(this.message)?.[1] ?? null) : null;
  }
}

/** No answer of ours: the server is away, the network is, or something between answers in its place. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** The error that an answer of 400 and above stands for. */
export async function errorOf(response: Response): Promise<Refused | Unreachable> {
  const body: unknown = await response.json().catch(() => null);
  if (isErrorBody(body)) {
    const seconds = Number(response.headers.get("Retry-After") ?? NaN);
    return new Refused(response.status, body, Number.isFinite(seconds) ? seconds : null);
  }
  // Who must log in is told so, whoever says it: a hub in front of the server does it with a page.
  if (response.status === 401 || response.status === 403) {
    const message = "not logged in";
    return new Refused(403, { message, reason: "Forbidden", detail: message });
  }
  return new Unreachable(`something that is not jupyter_ra_jobs answered with status ${response.status}`);
}

function isErrorBody(body: unknown): body is ErrorBody {
  return typeof body === "object" && body !== null && "message" in body && typeof body.message === "string";
}
