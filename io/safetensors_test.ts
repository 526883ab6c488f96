import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { CheckpointError } from "./errors.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type Entry,
  loadMetadata,
  loadSafetensors,
  saveSafetensors,
} from "./safetensors.ts";

const ENTRIES = new Map<string, Entry>([
  ["mask", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 0, 255) }],
  ["G.weight", { dtype: "F32", shape: [2, 3], data: Float32Array.of(1, -2, 3.5, NaN, 1e-30, 6) }],
  ["step", { dtype: "I64", shape: [], data: BigInt64Array.of(-(2n ** 60n)) }],
  ["none", { dtype: "F32", shape: [0, 4], data: new Float32Array(0) }],
  ["flag", { dtype: "BOOL", shape: [1, 1], data: Uint8Array.of(1) }],
]);

/** The format once more, straight from its specification and with nothing of ours. */
function read(file: Uint8Array): Record<string, [string, number[], number[]]> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const size = view.getUint32(0, true) + 2 ** 32 * view.getUint32(4, true);
  assertEquals(size % 8, 0);
  const text = new TextDecoder().decode(file.subarray(8, 8 + size));
  assertEquals(text[0], "{");
  const arrays: Record<string, [string, number[], number[]]> = {};
  for (const [name, value] of Object.entries<Record<string, never>>(JSON.parse(text))) {
    if (name === "__metadata__") continue;
    const [begin, end] = value.data_offsets as number[];
    const width = { F32: 4, U8: 1, BOOL: 1, I64: 8 }[value.dtype as string]!;
    assertEquals((8 + size + begin) % width, 0, `${name} is not aligned`);
    const elements = [];
    for (let at = 8 + size + begin; at < 8 + size + end; at += width) {
      if (width === 4) elements.push(view.getFloat32(at, true));
      else elements.push(width === 8 ? Number(view.getBigInt64(at, true)) : view.getUint8(at));
    }
    arrays[name] = [value.dtype, value.shape, elements];
  }
  return arrays;
}

/** A file with this header, whatever it says. */
function forge(header: unknown, body = 0): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const file = new Uint8Array(8 + json.length + body);
  file[0] = json.length & 255;
  file[1] = json.length >> 8;
  file.set(json, 8);
  return file;
}

Deno.test("safetensors: an independent reader finds every array", () => {
  const arrays = read(encodeSafetensors(ENTRIES, { recipe: "dcgan" }));
  assertEquals(Object.keys(arrays).length, ENTRIES.size);
  for (const [name, { dtype, shape, data }] of ENTRIES) {
    assertEquals(arrays[name], [dtype, [...shape], Array.from(data, Number)]);
  }
});

Deno.test("safetensors: decode undoes encode, texts and odd names included", () => {
  const entries = new Map(ENTRIES).set("__proto__", ENTRIES.get("mask")!);
  const metadata = { recipe: "dcgan", note: 'naïve \u2028 "quoted"' };
  const contents = decodeSafetensors(encodeSafetensors(entries, metadata), "x");
  assertEquals(contents.metadata, metadata);
  assertEquals(new Map([...contents.entries].sort()), new Map([...entries].sort()));
  assertEquals(decodeSafetensors(encodeSafetensors(new Map()), "x").entries.size, 0);
});

Deno.test("safetensors: half-width floats are widened", () => {
  const file = forge({
    a: { dtype: "F16", shape: [3], data_offsets: [0, 6] },
    b: { dtype: "BF16", shape: [2], data_offsets: [6, 10] },
  }, 10);
  // 1.5, -2 and the smallest subnormal in F16; then 1 and -3.140625 in BF16.
  file.set([0x00, 0x3e, 0x00, 0xc0, 0x01, 0x00, 0x80, 0x3f, 0x49, 0xc0], file.length - 10);
  const { entries } = decodeSafetensors(file, "x");
  assertEquals(entries.get("a")!.data, Float32Array.of(1.5, -2, 2 ** -24));
  assertEquals(entries.get("b")!, {
    dtype: "F32",
    shape: [2],
    data: Float32Array.of(1, -3.140625),
  });
});

Deno.test("safetensors: a view into a larger buffer is written as itself", () => {
  const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
  const file = encodeSafetensors(new Map([["v", { dtype: "F32", shape: [2], data }]]));
  const within = new Uint8Array(file.length + 3);
  within.set(file, 3);
  const { entries } = decodeSafetensors(within.subarray(3), "x");
  assertEquals(entries.get("v")!.data, Float32Array.of(2, 3));
});

Deno.test("safetensors: writing refuses what does not fit", () => {
  const write = (name: string, entry: Entry) => () => encodeSafetensors(new Map([[name, entry]]));
  const data = new Float32Array(5);
  assertThrows(
    write("G.w", { dtype: "F32", shape: [2, 3], data }),
    CheckpointError,
    "cannot write G.w: got 5 elements, expected shape [2,3]",
  );
  assertThrows(write("w", { dtype: "F64", shape: [5], data }), CheckpointError, "Float64Array");
  assertThrows(write("__metadata__", { dtype: "F32", shape: [5], data }), CheckpointError, "name");
});

const PLACE = { dtype: "U8", shape: [4], data_offsets: [0, 4] };
const BROKEN: Record<string, [Uint8Array, string]> = {
  "empty": [new Uint8Array(0), "cut short"],
  "a header longer than the file": [Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, 123), "of header"],
  "another format": [new TextEncoder().encode("PK\x03\x04 a zip file"), "no safetensors file"],
  "not JSON": [forge("{a: 1}"), "not JSON"],
  "no record": [forge("[1]"), "not JSON"],
  "not UTF-8": [forge("{}").with(8, 0xff), "not JSON"],
  "metadata of numbers": [forge({ __metadata__: { a: 1 } }), "__metadata__"],
  "a truncated array": [forge({ a: PLACE }, 3), "cut short"],
  "bytes too many": [forge({ a: PLACE }, 5), "belong to no array"],
  "an overlap": [forge({ a: PLACE, b: { ...PLACE, data_offsets: [2, 6] } }, 6), "b overlaps"],
  "a hole": [forge({ a: PLACE, b: { ...PLACE, data_offsets: [5, 9] } }, 9), "hole"],
  "a size unlike its shape": [forge({ a: { ...PLACE, shape: [5] } }, 4), "expected 5 for U8 [5]"],
  "an unknown dtype": [forge({ a: { ...PLACE, dtype: "F4" } }, 4), 'unknown dtype "F4"'],
  "a dtype out of Object": [forge({ a: { ...PLACE, dtype: "toString" } }, 4), "unknown dtype"],
  "a negative size": [forge({ a: { ...PLACE, shape: [-2, -2] } }, 4), "shape [-2,-2]"],
  "one offset": [forge({ a: { ...PLACE, data_offsets: [0] } }, 4), "data_offsets [0]"],
  "no entry": [forge({ a: 7 }, 4), "unknown dtype"],
};

for (const [what, [file, part]] of Object.entries(BROKEN)) {
  Deno.test(`safetensors: reading refuses ${what}`, () => {
    const error = assertThrows(() => decodeSafetensors(file, "run/a.st"), CheckpointError, part);
    assertStringIncludes(error.message, "cannot read run/a.st: ");
  });
}

Deno.test("safetensors: a file that cannot be written leaves the old one, and nothing else", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/a.safetensors`;
  try {
    await saveSafetensors(path, ENTRIES, { turn: "first" });
    await Deno.mkdir(`${folder}/b`); // in the way of the move
    await assertRejects(
      () => saveSafetensors(`${folder}/b`, ENTRIES),
      CheckpointError,
      `cannot write ${folder}/b (`,
    );
    await assertRejects(() => saveSafetensors(`${path}/c`, ENTRIES), CheckpointError); // no folder
    assertEquals((await loadSafetensors(path)).metadata, { turn: "first" });
    assertEquals(await loadMetadata(path), { turn: "first" });
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    assertEquals(names, ["a.safetensors", "b"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("safetensors: a missing file is named", async () => {
  await assertRejects(
    () => loadSafetensors("no/such.safetensors"),
    CheckpointError,
    "cannot read no/such.safetensors: there is no such file",
  );
  await assertRejects(
    () => loadMetadata("no/such.safetensors"),
    CheckpointError,
    "cannot read no/such.safetensors: there is no such file",
  );
});
