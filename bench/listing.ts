/**
 * How long a zip of CelebA's size takes to be listed, and how much memory, beside other checkouts:
 *
 *     deno run -A bench/listing.ts [OTHER_CHECKOUT ...]
 *
 * Prints one JSON line for each checkout and round, each from a process of its own.
 */
import { crc32 } from "node:zlib";
import { join } from "@std/path";
import { encodePng } from "../data/png.ts";

const ENTRIES = 202_599, ROUNDS = 3;
const LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50, END64 = 0x06064b50;

/** Lists by a checkout's reader; some list when they open, others when names are asked for. */
const SCRIPT = `
const [checkout, zip] = Deno.args;
const { openArchive } = await import("file://" + checkout + "/data/archive.ts");
const before = Deno.memoryUsage().rss, start = performance.now();
const source = await openArchive(zip);
const opened = performance.now(), entries = source.names.length, listed = performance.now();
const after = Deno.memoryUsage();
console.log(JSON.stringify({
  checkout,
  entries,
  opened_ms: Math.round(opened - start),
  listed_ms: Math.round(listed - start),
  heap_mb: Math.round(after.heapUsed / 1e6),
  more_rss_mb: Math.round((after.rss - before) / 1e6),
}));
await source.close();
`;

/** A record of a zip: numbers by place and bytes. */
function record(size: number, fields: [at: number, bytes: 2 | 4 | 8, value: number][]): Uint8Array {
  const view = new DataView(new ArrayBuffer(size));
  for (const [at, bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else if (bytes === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
  }
  return new Uint8Array(view.buffer);
}

/** Writes a zip64 of stored copies of one small image. */
async function writeZip(path: string): Promise<void> {
  const png = encodePng({ width: 8, height: 8, rgb: new Uint8Array(192).fill(7) });
  const locals: Uint8Array[] = [], directory: Uint8Array[] = [];
  let offset = 0, size = 0;
  for (let i = 1; i <= ENTRIES; i++) {
    const name = new TextEncoder().encode(`img_align_celeba/${String(i).padStart(6, "0")}.png`);
    const common = (at: number): [number, 2 | 4, number][] => [
      [at, 4, crc32(png)],
      [at + 4, 4, png.length],
      [at + 8, 4, png.length],
      [at + 12, 2, name.length],
    ];
    locals.push(record(30, [[0, 4, LOCAL], ...common(14)]), name, png);
    directory.push(record(46, [[0, 4, CENTRAL], ...common(16), [42, 4, offset]]), name);
    offset += 30 + name.length + png.length;
    size += 46 + name.length;
  }
  const end64 = record(56, [
    [0, 4, END64],
    [4, 8, 44],
    [24, 8, ENTRIES],
    [32, 8, ENTRIES],
    [40, 8, size],
    [48, 8, offset],
  ]);
  const locator = record(20, [[0, 4, 0x07064b50], [8, 8, offset + size], [16, 4, 1]]);
  const end = record(22, [[0, 4, END], [8, 2, 0xffff], [10, 2, 0xffff], [12, 4, size], [
    16,
    4,
    offset,
  ]]);
  const parts = [...locals, ...directory, end64, locator, end] as BlobPart[];
  await Deno.writeFile(path, new Blob(parts).stream());
}

const folder = await Deno.makeTempDir();
try {
  const zip = join(folder, "celeba-sized.zip"), script = join(folder, "list.ts");
  await writeZip(zip);
  await Deno.writeTextFile(script, SCRIPT);
  const checkouts = [
    join(import.meta.dirname!, ".."),
    ...Deno.args.map((path) => Deno.realPathSync(path)),
  ];
  for (let round = 0; round < ROUNDS; round++) {
    for (const checkout of checkouts) {
      const args = ["run", "-A", "--config", join(checkout, "deno.json"), script, checkout, zip];
      await new Deno.Command(Deno.execPath(), { args, stdout: "inherit", stderr: "inherit" })
        .output();
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
