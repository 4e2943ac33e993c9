/** Of a page, what tells where its server is. */
export interface Where {
  readonly document: Pick<Document, "getElementById" | "cookie" | "baseURI"> & {
    readonly body: { readonly dataset: Readonly<Record<string, string | undefined>> };
  };
}

/**
 * The address of our routes, without a slash at its end; undefined when nothing tells.
 *
 * JupyterLab and Notebook 7 have it in the JSON of `#jupyter-config-data`, pages of the server in `data-base-url`
 * of the body; in other pages `told` may, which a host knows of its kernel.
 */
export function findBase({ document }: Where, told?: string): string | undefined {
  const config = document.getElementById("jupyter-config-data");
  // Scripts are what no sanitizer lets through: the HTML of a notebook can't say where code is loaded from.
  const said = config?.tagName === "SCRIPT" ? configured(config.textContent) : undefined;
  const base = said ?? document.body.dataset["baseUrl"] ?? told;
  if (base === undefined) return undefined;
  const url = new URL(base, document.baseURI);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  return `${url.origin}${url.pathname.replace(/\/*$/, "")}/ra-jobs`;
}

function configured(text: string | null | undefined): string | undefined {
  try {
    const base: unknown = (JSON.parse(text ?? "{}") as { baseUrl?: unknown }).baseUrl;
    return typeof base === "string" && base !== "" ? base : undefined;
  } catch {
    return undefined;
  }
}

/** The value that Jupyter wants back as X-XSRFToken, from the cookies as they are now. */
export function xsrfToken(cookies: string): string | undefined {
  const found = cookies.split(/;\s*/).find((cookie) => cookie.startsWith("_xsrf="));
  return found?.slice("_xsrf=".length).replace(/^"(.*)"$/, "$1");
}
