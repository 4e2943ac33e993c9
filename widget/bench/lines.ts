// How fast text becomes rows, and what a page put before them takes. `npm run bench`
import { Lines } from "../src/log/lines";

const CHUNK = 65_536;
const TOTAL = 64 * 1024 * 1024;

const BAR = Array.from({ length: 20 }, (_, n) => `\r ${n * 5}%|${"█".repeat(n).padEnd(20)}| ${n}/20 [00:01<00:02]`);
const KINDS: Record<string, string> = {
  "plain lines": "2026-01-01 12:00:00 step 1234 loss=0.12345 accuracy=0.98765 lr=0.001 in 12.3 ms\n",
  "coloured lines": "\x1b[32mINFO\x1b[0m 12:00:00 \x1b[1;34mtrain\x1b[0m step 1234 loss=\x1b[33m0.12345\x1b[0m\n",
  "progress bars": `${BAR.join("")}\n`,
  "not ASCII": "шаг 1234 потеря=0.12345 🐎 \u51c6\u786e\u7387=0.98765\n",
  "one long line": "0123456789abcdef",
  "empty lines": "\n",
};

const encoder = new TextEncoder();
for (const [kind, unit] of Object.entries(KINDS)) {
  const content = unit.repeat(Math.ceil(CHUNK / unit.length));
  const bytes = encoder.encode(content).length;
  // As from the network: each chunk a string of its own.
  const json = JSON.stringify({ content });
  const lines = new Lines();
  let [offset, spent] = [0, 0];
  const cpu = process.cpuUsage();
  while (offset < TOTAL) {
    const chunk = JSON.parse(json) as { content: string };
    const began = performance.now();
    lines.append({ content: chunk.content, offset, next_offset: (offset += bytes) });
    spent += performance.now() - began;
  }
  const used = process.cpuUsage(cpu);
  const speed = (ms: number): string => (offset / 1e6 / (ms / 1e3)).toFixed(0).padStart(4);
  // The CPU's time holds parsing the JSON and what the garbage collector does beside it.
  const appended = `${speed(spent)} MB/s appended, ${speed((used.user + used.system) / 1e3)} by the CPU's time`;

  const shown = new Lines();
  shown.append({ content, offset: bytes * 40, next_offset: bytes * 41 });
  const began = performance.now();
  for (let n = 39; n >= 0; n--) shown.prepend({ content, offset: bytes * n, next_offset: bytes * (n + 1) });
  const each = (performance.now() - began) / 40;
  const heap = process.memoryUsage().heapUsed / 1e6;
  console.log(`${kind.padEnd(16)} ${appended}; ${each.toFixed(2)} ms a page before; heap ${heap.toFixed(0)} MB`);
}
