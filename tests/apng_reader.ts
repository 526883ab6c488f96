/** Takes animated PNGs apart, and holds them to the format. */
import { assertEquals } from "@std/assert";
import { decode } from "../data/decode.ts";
import type { Image } from "../data/image.ts";

/** CRC-32 a bit at a time (polynomial 0x04C11DB7, bits reversed). */
function crc(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum >>> 1 ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

interface Chunk {
  type: string;
  whole: Uint8Array;
  data: Uint8Array;
}

/** The chunks of a PNG, once their sums are found to be right. */
function chunks(file: Uint8Array): Chunk[] {
  const view = new DataView(file.buffer, file.byteOffset), found: Chunk[] = [];
  for (let at = 8; at < file.length;) {
    const length = view.getUint32(at);
    const data = file.subarray(at + 8, at + 8 + length),
      whole = file.subarray(at, at + 12 + length);
    assertEquals(view.getUint32(at + 8 + length), crc(file.subarray(at + 4, at + 8 + length)));
    found.push({ type: new TextDecoder().decode(whole.subarray(4, 8)), whole, data });
    at += 12 + length;
  }
  return found;
}

function u32(data: Uint8Array, at: number): number {
  return new DataView(data.buffer, data.byteOffset).getUint32(at);
}

/** A PNG of one frame's data: the header of the file, the data as IDAT, the end. */
function still(file: Uint8Array, header: Chunk, data: Uint8Array[]): Image {
  const parts = [file.subarray(0, 8), header.whole];
  for (const part of data) {
    const body = new Uint8Array(part.length + 12), view = new DataView(body.buffer);
    view.setUint32(0, part.length);
    body.set([73, 68, 65, 84], 4);
    body.set(part, 8);
    view.setUint32(part.length + 8, crc(body.subarray(4, part.length + 8)));
    parts.push(body);
  }
  parts.push(Uint8Array.of(0, 0, 0, 0, 73, 69, 78, 68, 0xae, 0x42, 0x60, 0x82));
  return decode(Uint8Array.from(parts.flatMap((part) => [...part])));
}

/** The frames of an animated PNG with the milliseconds that each is shown. */
export function framesOf(file: Uint8Array): { ms: number; image: Image }[] {
  const all = chunks(file), [header, control] = all;
  assertEquals([header.type, control.type, all.at(-1)!.type], ["IHDR", "acTL", "IEND"]);
  const size = [u32(header.data, 0), u32(header.data, 4)];
  const shown: { ms: number; data: Uint8Array[] }[] = [], sequence: number[] = [];
  for (const { type, data } of all) {
    if (type === "fcTL") {
      sequence.push(u32(data, 0));
      assertEquals([u32(data, 4), u32(data, 8), u32(data, 12), u32(data, 16)], [...size, 0, 0]);
      const [num, den] = [data[20] << 8 | data[21], data[22] << 8 | data[23]];
      shown.push({ ms: 1000 * num / den, data: [] });
    } else if (type === "IDAT") shown.at(-1)!.data.push(data);
    else if (type === "fdAT") {
      sequence.push(u32(data, 0));
      shown.at(-1)!.data.push(data.subarray(4));
    }
  }
  assertEquals(sequence, sequence.map((_, i) => i));
  assertEquals([u32(control.data, 0), u32(control.data, 4)], [shown.length, 0]); // plays for ever
  return shown.map(({ ms, data }) => ({ ms, image: still(file, header, data) }));
}
