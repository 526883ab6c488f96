import type { Image, Samples } from "./image.ts";
import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
import libwebp from "@jsquash/webp/codec/dec/webp_dec.js";
import libwebpBytes from "@jsquash/webp/codec/dec/webp_dec.wasm" with { type: "bytes" };
import pngjs from "pngjs";
import { upright } from "./exif.ts";
import { type ImageHeader, readHeader } from "./header.ts";
import { decodeJpeg } from "./jpeg.ts";
import { type Rgba, WasmDecoder } from "./wasm_decoder.ts";

/** Pixels that an image may have by default: Pillow warns from 89 million on. */
export const MAX_PIXELS = 100e6;

const webp = new WasmDecoder("WebP", libwebp, libwebpBytes);

/**
 * Fails if the data of an interlaced PNG inflate to more than its header lets expect: there pngjs
 * inflates all that there is, which may be a thousand times the file.
 */
function assertBounded(bytes: Uint8Array, { width, height, channels, depth }: ImageHeader): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    const isData = view.getUint32(at + 4) === 0x49444154; // IDAT
    if (isData) parts.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  // The seven passes have fewer rows than twice those of the image, none longer than its own.
  const row = Math.ceil(width * channels * depth / 8) + 1;
  inflateSync(Buffer.concat(parts), { maxOutputLength: 2 * row * (height + 4) });
}

/** Of 16 bits the high byte is kept, as by libpng, Pillow (in color) and browsers. */
function decodePng(bytes: Uint8Array, header: ImageHeader): Rgba & { peak?: number } {
  const { depth } = header;
  const { buffer, byteOffset, byteLength } = bytes;
  const whole = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  try {
    if (bytes[28] === 1) assertBounded(bytes, header);
    const { width, height, data } = pngjs.PNG.sync.read(whole, { skipRescale: depth === 16 });
    if (depth < 16) return { width, height, data };
    const samples = data as unknown as Uint16Array;
    let peak = 0;
    for (let i = 0; i < samples.length; i++) {
      if (samples[i] > peak && i % 4 < 3) peak = samples[i];
    }
    return { width, height, data: Uint8Array.from(samples, (value) => value >> 8), peak };
  } catch (error) {
    throw new Error(`damaged or truncated PNG (${(error as Error).message})`, { cause: error });
  }
}

/** The pixels of a PNM are its last bytes. */
function decodePnm(bytes: Uint8Array, { width, height, channels }: ImageHeader): Image {
  const pixels = bytes.subarray(bytes.length - width * height * channels);
  if (channels === 3) return { width, height, rgb: pixels.slice() };
  const rgb = new Uint8Array(3 * pixels.length);
  for (let i = 0; i < pixels.length; i++) rgb.fill(pixels[i], 3 * i, 3 * i + 3);
  return { width, height, rgb };
}

/** Turns an image upright and lays what is transparent on white. */
function flatten({ width: W, height: H, data }: Rgba, orientation: number): Image {
  const { width, height, first, dx, dy } = upright(orientation, W, H);
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0, d = 0; y < height; y++) {
    let s = (first + y * dy) * 4;
    for (let x = 0; x < width; x++, s += dx * 4, d += 3) {
      const alpha = data[s + 3];
      for (let c = 0; c < 3; c++) {
        rgb[d + c] = alpha === 255
          ? data[s + c]
          : Math.round((data[s + c] * alpha + 255 * (255 - alpha)) / 255);
      }
    }
  }
  return { width, height, rgb };
}

/**
 * As {@linkcode decode}, but a JPEG that is upright keeps its fourth samples, which saves a copy.
 *
 * @param bytes The whole file.
 * @param maxPixels Width times height that is decoded; more is refused by the header alone.
 * @returns The samples.
 * @throws {Error} If it is another kind of file, too large, truncated or damaged.
 */
export function decodeSamples(bytes: Uint8Array, maxPixels: number = MAX_PIXELS): Samples {
  const header = readHeader(bytes), { format, width, height, orientation } = header;
  if (width * height > maxPixels) {
    const most = maxPixels.toLocaleString("en");
    throw new Error(
      `it has ${width} x ${height} pixels, more than ${most}: make it smaller, ` +
        `or allow it with GAN_MAX_PIXELS=${width * height}`,
    );
  }
  if (format === "PNM") return samplesOf(decodePnm(bytes, header));
  if (format === "WebP") return samplesOf(flatten(webp.decode(bytes), orientation));
  if (format === "JPEG") {
    const rgba = decodeJpeg(bytes, header), { width, height, data } = rgba;
    if (orientation !== 1) return samplesOf(flatten(rgba, orientation));
    const samples = new Uint8Array(data.buffer, data.byteOffset, data.length);
    return { width, height, data: samples, step: 4 };
  }
  const { peak, ...rgba } = decodePng(bytes, header);
  const samples = samplesOf(flatten(rgba, orientation));
  return peak === undefined ? samples : { ...samples, peak };
}

function samplesOf({ width, height, rgb: data }: Image): Samples {
  return { width, height, data, step: 3 };
}

/**
 * Decodes a JPEG (gray, color, CMYK, YCCK), a PNG (every color type and depth, interlaced or not) or
 * a WebP (not animated) and turns it upright by its Exif orientation. Samples are reduced to 8 bits;
 * what is transparent is laid on white.
 *
 * @param bytes The whole file; its kind is told from its first bytes, not from its name.
 * @param maxPixels Width times height that is decoded; more is refused by the header alone.
 * @returns The image.
 * @throws {Error} If it is another kind of file, too large, truncated or damaged.
 */
export function decode(bytes: Uint8Array, maxPixels: number = MAX_PIXELS): Image {
  const { data, step, ...about } = decodeSamples(bytes, maxPixels);
  if (step === 3) return { ...about, rgb: data };
  const rgb = new Uint8Array(3 * about.width * about.height);
  for (let d = 0, s = 0; d < rgb.length; d += 3, s += 4) {
    rgb[d] = data[s];
    rgb[d + 1] = data[s + 1];
    rgb[d + 2] = data[s + 2];
  }
  return { ...about, rgb };
}
