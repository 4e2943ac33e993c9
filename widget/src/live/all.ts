/** Waits for all of these, then raises what the first one raised that failed. */
export async function all(doing: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(doing)).find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
