import fc from "fast-check";
import { expect, test } from "vitest";
import { type Block, Blocks } from "../../src/live/blocks";

test("blocks are the same however the bytes were cut", () => {
  const block = fc.oneof(
    fc.string({ unit: "grapheme" }).map((data): Block => ({ data: JSON.stringify({ data }) })),
    fc.nat().map((id): Block => ({ id: String(id) })),
    fc.constant<Block>({}),
  );
  fc.assert(
    fc.property(fc.array(block), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (blocks, sizes) => {
      const text = blocks.map(({ data, id }) =>
        data !== undefined ? `data: ${data}\n\n` : id !== undefined ? `id: ${id}\n\n` : ": still here\n\n",
      );
      const bytes = new TextEncoder().encode(text.join(""));
      const reader = new Blocks();
      const read: Block[] = [];
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const size = sizes[n % sizes.length] ?? 1;
        read.push(...reader.feed(bytes.subarray(at, at + size)));
        at += size;
      }
      expect(read).toEqual(blocks.filter((one) => one.data !== undefined || one.id !== undefined));
    }),
  );
});

test("half a block is none", () => {
  const reader = new Blocks();
  expect(reader.feed(new TextEncoder().encode("id: 1\ndata: a\ndata:b\n\ndata: c\n"))).toEqual([
    { data: "a\nb", id: "1" },
  ]);
  expect(reader.feed(new TextEncoder().encode("\n"))).toEqual([{ data: "c" }]);
});
