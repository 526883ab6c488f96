/**
 * Pixels as the evaluation tools see them, by Pillow's `Image.open(path).convert("RGB")` (9.4.0), where
 * those differ from what training sees: alpha is dropped, so that hidden colours show; 16-bit grey is
 * clipped at 255, of 16-bit colours the high byte is taken; the orientation in Exif is ignored.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import pngjs from "pngjs";
import { decode } from "../../data/decode.ts";
import type { Image } from "../../data/image.ts";

/** An image, and what sets it apart from plain ones. */
export interface Pillowed extends Image {
  readonly kind: "JPEG" | "PNG" | "other";
  /** Whether the file has an alpha channel or transparent colours. */
  readonly alpha: boolean;
  readonly sixteenBits: boolean;
}

/**
 * Decodes an image.
 *
 * @throws {Error} As {@linkcode decode}.
 */
export function decodeAsPillow(bytes: Uint8Array): Pillowed {
  const plain = { kind: "other", alpha: false, sixteenBits: false } as const;
  if (bytes[0] === 0xff && bytes[1] === 0xd8) {
    return { ...plain, kind: "JPEG", ...decode(withoutExif(bytes)) };
  }
  if (bytes[0] !== 0x89 || bytes[1] !== 0x50 || bytes.length < 33) {
    return { ...plain, ...decode(bytes) };
  }
  const depth = bytes[24], colour = bytes[25], channel = (colour & 4) !== 0;
  const { without, transparent } = withoutTransparency(bytes);
  const image = channel || depth === 16 ? fromRaw(without, colour, depth) : decode(without);
  return { ...image, kind: "PNG", alpha: channel || transparent, sixteenBits: depth === 16 };
}

/** Leaves out the segments APP1, of which one holds the orientation. */
function withoutExif(jpeg: Uint8Array): Uint8Array {
  const parts = [jpeg.subarray(0, 2)];
  let at = 2, from = 2;
  while (at + 4 <= jpeg.length && jpeg[at] === 0xff && jpeg[at + 1] !== 0xda) {
    const end = at + 2 + (jpeg[at + 2] << 8 | jpeg[at + 3]);
    if (jpeg[at + 1] === 0xe1) {
      parts.push(jpeg.subarray(from, at));
      from = end;
    }
    at = end;
  }
  return from === 2 ? jpeg : joined([...parts, jpeg.subarray(from)]);
}

/** Leaves out the chunks of transparent colours and of Exif. */
function withoutTransparency(png: Uint8Array): { without: Uint8Array; transparent: boolean } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const parts = [png.subarray(0, 8)];
  let transparent = false;
  for (let at = 8; at + 12 <= png.length;) {
    const end = at + 12 + view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    if (type === "tRNS") transparent = true;
    if (type !== "tRNS" && type !== "eXIf") parts.push(png.subarray(at, end));
    at = end;
  }
  return { without: joined(parts), transparent };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A PNG with alpha, or of 16 bits. */
function fromRaw(bytes: Uint8Array, colour: number, depth: number): Image {
  let png: { width: number; height: number; data: ArrayLike<number> };
  try {
    const { buffer, byteOffset, byteLength } = bytes;
    const options = { skipRescale: true } as Parameters<typeof pngjs.PNG.sync.read>[1];
    png = pngjs.PNG.sync.read(Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength), options);
  } catch (error) {
    throw new Error(`damaged or truncated PNG (${(error as Error).message})`, { cause: error });
  }
  const { width, height, data } = png, rgb = new Uint8Array(width * height * 3);
  const byte = depth < 16
    ? (value: number) => value
    : colour === 0
    ? (value: number) => Math.min(255, value)
    : (value: number) => value >> 8;
  for (let s = 0, d = 0; d < rgb.length; s += 4, d += 3) {
    for (let c = 0; c < 3; c++) rgb[d + c] = byte(data[s + c]);
  }
  return { width, height, rgb };
}
