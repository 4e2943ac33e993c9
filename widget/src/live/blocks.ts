/** A block of an event stream: an event's data, or the cursor that it leaves its reader at, or both. */
export interface Block {
  readonly data?: string;
  readonly id?: string;
}

/** Takes the bytes of an event stream, however they were cut, to its blocks; comments are left out. */
export class Blocks {
  private readonly decoder = new TextDecoder();
  private rest = "";

  feed(bytes: Uint8Array): Block[] {
    const parts = (this.rest + this.decoder.decode(bytes, { stream: true }).replaceAll("\r", "")).split("\n\n");
    this.rest = parts.pop() ?? "";
    return parts.map(blockOf).filter((block) => block.data !== undefined || block.id !== undefined);
  }
}

function blockOf(text: string): Block {
  const data: string[] = [];
  let id: string | undefined;
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") data.push(value);
    else if (name === "id") id = value;
  }
  return { ...(data.length > 0 && { data: data.join("\n") }), ...(id !== undefined && { id }) };
}
