import { assertEquals } from "@std/assert";
import { PbfReader } from "pbf";
import { EventFile } from "./tensorboard.ts";

/** CRC-32C a bit at a time (polynomial 0x1EDC6F41, bits reversed), masked. */
function maskedSum(bytes: Uint8Array): number {
  let sum = 0xffffffffn;
  for (const byte of bytes) {
    sum ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) sum = (sum >> 1n) ^ (sum & 1n ? 0x82f63b78n : 0n);
  }
  sum ^= 0xffffffffn;
  return Number(((sum >> 15n | sum << 17n & 0xffffffffn) + 0xa282ead8n) & 0xffffffffn);
}

/** The records of a file, once their sums are found to be right. */
function records(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset);
  const found = [];
  for (let at = 0; at < file.length;) {
    const length = Number(view.getBigUint64(at, true));
    const data = file.subarray(at + 12, at + 12 + length);
    assertEquals(data.length, length);
    assertEquals(view.getUint32(at + 8, true), maskedSum(file.subarray(at, at + 8)));
    assertEquals(view.getUint32(at + 12 + length, true), maskedSum(data));
    found.push(data);
    at += length + 16;
  }
  return found;
}

type Fields = Record<number, unknown[]>;

/** Every field of a message, read as `types` says by its path of field numbers. */
function fields(reader: PbfReader, types: Record<string, string>, path = "", end?: number): Fields {
  return reader.readFields<Fields>(
    (tag, found) => {
      const here = path ? `${path}.${tag}` : `${tag}`;
      let value: unknown;
      if (types[here] === "double") value = reader.readDouble();
      else if (types[here] === "float") value = reader.readFloat();
      else if (types[here] === "string") value = reader.readString();
      else if (types[here] === "bytes") value = reader.readBytes();
      else if (types[here] === "int") value = reader.readVarint();
      else value = fields(reader, types, here, reader.readVarint() + reader.pos);
      (found[tag] ??= []).push(value);
    },
    {},
    end,
  );
}

const EVENT = {
  "1": "double",
  "2": "int",
  "3": "string",
  "5.1.1": "string",
  "5.1.2": "float",
  "5.1.4.1": "int",
  "5.1.4.2": "int",
  "5.1.4.3": "int",
  "5.1.4.4": "bytes",
  "7.1": "int",
};

/** The first bytes of a PNG, 7 wide and 300 high. */
const PNG = Uint8Array.of(
  ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
  ...[0, 0, 0, 7, 0, 0, 1, 44, 8, 2, 0, 0, 0],
);

Deno.test("tensorboard: the independent sum is CRC-32C", () => {
  // The check value of the catalogue of CRCs, 0xe3069283, masked by hand.
  const sum = ((0xe3069283 >>> 15 | 0xe3069283 << 17) + 0xa282ead8) >>> 0;
  assertEquals(maskedSum(new TextEncoder().encode("123456789")), sum);
});

Deno.test("tensorboard: scalars and images are read back from the file", async () => {
  const folder = await Deno.makeTempDir();
  try {
    let now = 1_700_000_000_500;
    const events = new EventFile(folder, 64_000, () => now);
    now += 1000;
    events.scalars(5_000_000_000, { "loss/G": 0.75, "loss/D": -1.5 });
    events.image(64_128, "fakes", PNG);
    events.close();

    const name = events.path.slice(folder.length + 1);
    assertEquals(name, `events.out.tfevents.1700000000.${Deno.hostname()}`);
    const found = records(await Deno.readFile(events.path)).map((record) =>
      fields(new PbfReader(record), EVENT)
    );
    assertEquals(found, [
      { 1: [1_700_000_000.5], 3: ["brain.Event:2"] },
      { 1: [1_700_000_000.5], 2: [64_000], 7: [{ 1: [1] }] },
      {
        1: [1_700_000_001.5],
        2: [5_000_000_000],
        5: [{ 1: [{ 1: ["loss/G"], 2: [0.75] }, { 1: ["loss/D"], 2: [-1.5] }] }],
      },
      {
        1: [1_700_000_001.5],
        2: [64_128],
        5: [{ 1: [{ 1: ["fakes"], 4: [{ 1: [300], 2: [7], 3: [3], 4: [PNG] }] }] }],
      },
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
