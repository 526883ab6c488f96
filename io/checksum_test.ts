import { assert, assertEquals, assertThrows } from "@std/assert";
import { crc32 } from "node:zlib";
import { CheckpointError, DamagedError } from "./errors.ts";
import { decodeSafetensors, encodeSafetensors, type Entry } from "./safetensors.ts";

const data = Float32Array.of(1.5, -2, 0.25, 3), metadata = { images: "200" };
const entries = new Map<string, Entry>([
  ["0", { dtype: "F32", shape: [4], data }], // such names come first in records
  ["G.mask", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 0, 255) }],
]);
const file = encodeSafetensors(entries, metadata), where = "a.safetensors";

Deno.test("the checksum is that of all bytes but its own digits", () => {
  const text = new TextDecoder().decode(file), digits = /"crc32:([0-9a-f]{8})"/.exec(text)![1];
  const blank = file.slice();
  blank.fill(0x30, text.indexOf(digits), text.indexOf(digits) + 8); // no byte before is above 127
  assertEquals(digits, crc32(blank).toString(16).padStart(8, "0"));
});

Deno.test("each flipped bit is noticed, or of no consequence", () => {
  const good = decodeSafetensors(file, where);
  assertEquals(good.metadata, metadata);
  let unnoticed = 0;
  for (let bit = 0; bit < 8 * file.length; bit++) {
    const bad = file.slice();
    bad[bit >> 3] ^= 1 << (bit & 7);
    try {
      const read = decodeSafetensors(bad, where);
      assertEquals(read.entries, good.entries);
      assertEquals(read.metadata.images, "200");
      assert(bit >> 3 < 8 + 35, "only what says that there is a checksum");
      unnoticed++;
    } catch (error) {
      assert(error instanceof CheckpointError, `bit ${bit}: ${error}`);
    }
  }
  assert(unnoticed < 8 * 20, `${unnoticed}`);
});

Deno.test("a file without a checksum, or put together by others, is read", () => {
  const text = new TextDecoder().decode(file), size = Number(text.indexOf("}}") + 2);
  const { __metadata__, ...arrays } = JSON.parse(text.slice(8, size));
  const header = (record: unknown) => {
    const json = new TextEncoder().encode(JSON.stringify(record));
    const start = 8 + new DataView(file.buffer).getUint32(0, true);
    const made = new Uint8Array(8 + json.length + file.length - start);
    new DataView(made.buffer).setUint32(0, json.length, true);
    made.set(json, 8);
    made.set(file.subarray(start), 8 + json.length);
    return made;
  };
  const { checksum, ...old } = __metadata__;
  for (const metadata of [old, { ...old, checksum }]) {
    const read = decodeSafetensors(header({ __metadata__: metadata, ...arrays }), where);
    assertEquals(read.entries.get("0")!.data, data);
  }
  // Neither a text of that name nor the lack of any comes in between.
  for (const texts of [{ checksum: "mine", images: "200" }, {}]) {
    const read = decodeSafetensors(encodeSafetensors(entries, texts), where);
    assertEquals(Object.keys(read.metadata), Object.keys(texts).slice(1));
  }
});

Deno.test("what a damaged file holds is named where that is NaN", () => {
  const bad = file.slice(), at = file.length - 3 - 16;
  bad.set(new Uint8Array(Float32Array.of(NaN).buffer), at);
  const { message } = assertThrows(() => decodeSafetensors(bad, where), CheckpointError);
  assertEquals(
    message,
    "a.safetensors: 0 holds NaN, and its checksum does not match: the file was damaged, or changed " +
      "by another program; use another file",
  );
  bad.set(new Uint8Array(Float32Array.of(1).buffer), at);
  assertThrows(() => decodeSafetensors(bad, where), DamagedError, "its checksum does not match");
});
