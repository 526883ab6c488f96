/**
 * Animated PNG: full colours, no loss, shown by every browser. The frames are ordinary PNGs, whose
 * data is framed anew.
 *
 * @see https://www.w3.org/TR/png-3/#apng-frame-based-animation
 * @module
 */
import { crc32 } from "node:zlib";
import type { Image, Samples } from "./image.ts";
import { encodePng } from "./png.ts";
import { replaceFile } from "../io/replace_file.ts";

const SIGNATURE = 8; // bytes

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

function* chunksOf(png: Uint8Array): Generator<Chunk> {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = SIGNATURE; at < png.length;) {
    const length = view.getUint32(at), body = at + 8;
    const type = String.fromCharCode(...png.subarray(at + 4, body));
    yield { type, data: png.subarray(body, body + length) };
    at = body + length + 4;
  }
}

/** `length (4) | type (4) | data | CRC-32 of type and data (4)`, big endian. */
function framed({ type, data }: Chunk): Uint8Array {
  const bytes = new Uint8Array(data.length + 12), view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}

/** A chunk of unsigned numbers of 4, 2 or 1 bytes. */
function numbers(type: string, ...fields: readonly (readonly [size: number, value: number])[]) {
  const data = new Uint8Array(fields.reduce((n, [size]) => n + size, 0));
  let at = 0;
  for (const [size, value] of fields) {
    for (let i = 0; i < size; i++) data[at++] = value >>> (8 * (size - 1 - i));
  }
  return { type, data };
}

/**
 * Encodes frames as a PNG that plays for ever.
 *
 * @param frames Images of one size, first to last; the first is what a program shows that knows no
 * animations.
 * @param ms Milliseconds that each frame is shown, up to 65,535; one number for all, or one a frame.
 * @returns The whole file.
 * @throws {RangeError} If there is no frame, or they differ in size.
 */
export function encodeAnimation(
  frames: readonly (Image | Samples)[],
  ms: number | readonly number[],
): Uint8Array {
  if (frames.length === 0) throw new RangeError("animation: there is no frame");
  const [{ width, height }] = frames;
  const odd = frames.find((frame) => frame.width !== width || frame.height !== height);
  if (odd) {
    throw new RangeError(
      `animation: frames differ in size: ${width} x ${height} and ${odd.width} x ${odd.height}`,
    );
  }
  const parts: Uint8Array[] = [];
  let sequence = 0;
  for (const [i, frame] of frames.entries()) {
    const png = encodePng(frame), delay = Math.round(typeof ms === "number" ? ms : ms[i]);
    const control = () =>
      numbers(
        "fcTL",
        [4, sequence++],
        [4, width],
        [4, height],
        [4, 0],
        [4, 0],
        [2, delay],
        [2, 1000],
        [1, 0], // what is shown stays, ...
        [1, 0], // ... and the next frame takes its place
      );
    if (i === 0) parts.push(png.subarray(0, SIGNATURE));
    for (const chunk of chunksOf(png)) {
      if (chunk.type === "IHDR") {
        if (i === 0) parts.push(framed(chunk), framed(numbers("acTL", [4, frames.length], [4, 0])));
        parts.push(framed(control()));
      } else if (chunk.type === "IDAT" && i === 0) parts.push(framed(chunk));
      else if (chunk.type === "IDAT") {
        const data = new Uint8Array(chunk.data.length + 4);
        new DataView(data.buffer).setUint32(0, sequence++);
        data.set(chunk.data, 4);
        parts.push(framed({ type: "fdAT", data }));
      }
    }
  }
  parts.push(framed({ type: "IEND", data: new Uint8Array(0) }));
  const file = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/**
 * Writes an animated PNG, whole or not at all.
 *
 * @param path Where the file goes; its folder is made if it is not there.
 * @param frames As {@linkcode encodeAnimation}.
 * @param ms As {@linkcode encodeAnimation}.
 * @throws {RangeError} As {@linkcode encodeAnimation}.
 */
export async function saveAnimation(
  path: string,
  frames: readonly (Image | Samples)[],
  ms: number | readonly number[],
): Promise<void> {
  await replaceFile(path, encodeAnimation(frames, ms));
}
