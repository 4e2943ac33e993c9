import { describe, expect, expectTypeOf, test } from "vitest";
import { findBase, xsrfToken } from "../../src/api/base";
import { Refused, Unreachable } from "../../src/api/errors";
import type { Run } from "../../src/api/records";
import { Server } from "../server";

const ID = "0123456789ab";

describe("where the server is", () => {
  const where = (
    config: string | null,
    baseUrl?: string,
    baseURI = "http://host:8888/user/x/lab?token=1",
    tagName = "SCRIPT",
  ) => ({
    document: {
      getElementById: () => (config === null ? null : ({ tagName, textContent: config } as HTMLElement)),
      body: { dataset: baseUrl === undefined ? {} : { baseUrl } },
      cookie: "",
      baseURI,
    },
  });

  test.each<[string, ReturnType<typeof where>, string | undefined, string | undefined]>([
    ["JupyterLab", where('{"baseUrl": "/user/x/"}', "/other/"), "/third/", "http://host:8888/user/x/ra-jobs"],
    ["a page", where(null, "/"), undefined, "http://host:8888/ra-jobs"],
    ["a broken configuration", where("{", "/a/"), undefined, "http://host:8888/a/ra-jobs"],
    ["a configuration without it", where("{}"), "http://there:1/b", "http://there:1/b/ra-jobs"],
    ["a notebook elsewhere", where(null), "http://there:1/b/?token=secret", "http://there:1/b/ra-jobs"],
    [
      "a notebook's HTML",
      where('{"baseUrl": "//evil/"}', "/a/", undefined, "DIV"),
      undefined,
      "http://host:8888/a/ra-jobs",
    ],
    ["a script", where(null), "javascript:alert(1)", undefined],
    ["nothing", where(null), undefined, undefined],
  ])("%s", (_, page, told, base) => expect(findBase(page, told)).toBe(base));

  test.each([
    ["", undefined],
    ["a=1; _xsrf=2|ab|cd|1; b=3", "2|ab|cd|1"],
    ['_xsrf="2|x"', "2|x"],
    ["my_xsrf=1", undefined],
  ])("the token in %j", (cookies, token) => expect(xsrfToken(cookies)).toBe(token));
});

describe("a call", () => {
  test("of GET", async () => {
    const server = new Server();
    server.cookies = "_xsrf=tok";
    const asked = server.client.get("/runs", { query: { status: "running", limit: 3, q: null } });
    const request = server.one("/runs");
    expect([request.method, request.url.search, request.headers.get("X-XSRFToken")]).toEqual([
      "GET",
      "?status=running&limit=3",
      null,
    ]);
    request.json([{ id: ID }]);
    expectTypeOf(asked).resolves.toEqualTypeOf<Run[]>();
    expect(await asked).toEqual([{ id: ID }]);
  });

  test("of POST: with the token that Jupyter wants, as it is now", async () => {
    const server = new Server();
    const started = server.client.post("/runs/{run_id}/start", { path: { run_id: ID } });
    expectTypeOf(started).resolves.toHaveProperty("run");
    server.cookies = "_xsrf=tok";
    void server.client.post("/runs", { body: { name: "n", command: "c" } });
    const [first, second] = [server.one(`/runs/${ID}/start`), server.one("/runs")];
    expect([first.body, first.headers.get("X-XSRFToken")]).toEqual([{}, null]);
    expect([second.body, second.headers.get("X-XSRFToken")]).toEqual([{ name: "n", command: "c" }, "tok"]);
    first.json({ message: "Run started" });
    expect((await started).message).toBe("Run started");
  });

  test("needs what the operation needs", () => {
    const { client } = new Server();
    // @ts-expect-error the run is missing
    void client.get("/runs/{run_id}", {});
    // @ts-expect-error there is no such route
    void client.get("/nothing", {});
    // @ts-expect-error a run has a command
    void client.post("/runs", { body: { name: "n" } });
    // @ts-expect-error a limit is a number
    void client.get("/runs", { query: { limit: "x" } });
    expect(true).toBe(true);
  });

  test("is ended by its signal", async () => {
    const server = new Server();
    const abort = new AbortController();
    const asked = server.client.get("/runs", { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
  });

  test("of a page says where the next one is", async () => {
    const server = new Server();
    const asked = server.client.page("/runs", { query: { q: "a b" } });
    server.one("/runs").json([], 200, { Link: '</base/ra-jobs/runs?q=a+b&before=77>; rel="next"' });
    expect(await asked).toEqual({ items: [], next: { q: "a b", before: "77" } });
    const last = server.client.page("/runs", {});
    server.one("/runs").json([]);
    expect((await last).next).toBeNull();
  });

  test("addresses of downloads hold names as they are, and no way out", () => {
    const { client } = new Server();
    const path = { run_id: ID, name: "a b/ü?#.pt" };
    expect(client.url("/runs/{run_id}/artifacts/{name}", { path })).toBe(
      `http://host/base/ra-jobs/runs/${ID}/artifacts/a%20b/%C3%BC%3F%23.pt`,
    );
    expect(client.url("/")).toBe("http://host/base/ra-jobs");
  });
});

describe("an error", () => {
  async function errorOf(answer: (server: Server) => void): Promise<unknown> {
    const server = new Server();
    const asked = server.client.get("/runs/{run_id}", { path: { run_id: ID } }).then(
      () => null,
      (problem: unknown) => problem,
    );
    answer(server);
    return asked;
  }

  test("of ours has its status, words and field", async () => {
    const message = "command: is missing";
    const body = { message, reason: "Bad Request", detail: message };
    const error = await errorOf((server) => server.one(`/runs/${ID}`).json(body, 400));
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({ status: 400, message, body, field: "command", retryAfter: null });
  });

  test("says when to come again", async () => {
    const body = { message: "Busy: too many", reason: "Service Unavailable", detail: "" };
    const error = await errorOf((server) => server.one(`/runs/${ID}`).json(body, 503, { "Retry-After": "7" }));
    expect(error).toMatchObject({ status: 503, retryAfter: 7, field: null });
  });

  test("of a hub's login page is no login", async () => {
    expect(await errorOf((server) => server.one(`/runs/${ID}`).text("<html>", 403))).toMatchObject({ status: 403 });
  });

  test.each<[string, (server: Server) => void]>([
    ["no network", (server) => server.one(`/runs/${ID}`).fail(new TypeError("failed to fetch"))],
    ["a proxy", (server) => server.one(`/runs/${ID}`).text("<html>bad gateway", 502)],
    ["a page in place of JSON", (server) => server.one(`/runs/${ID}`).text("<html>login")],
  ])("%s: unreachable", async (_, answer) => expect(await errorOf(answer)).toBeInstanceOf(Unreachable));
});
