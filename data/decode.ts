import { CHANNELS, type Channels, type Image, luma, overWhite, type Samples } from "./image.ts";
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
function pnmPixels(bytes: Uint8Array, { width, height, channels }: ImageHeader): Uint8Array {
  return bytes.subarray(bytes.length - width * height * channels);
}

function decodePnm(bytes: Uint8Array, header: ImageHeader): Rgba {
  const { width, height, channels } = header, pixels = pnmPixels(bytes, header);
  const data = new Uint8Array(4 * width * height).fill(255);
  for (let i = 0, d = 0; d < data.length; i += channels, d += 4) {
    for (let c = 0; c < 3; c++) data[d + c] = pixels[channels === 1 ? i : i + c];
  }
  return { width, height, data };
}

/** Turns an image upright and makes each pixel what `channels` asks for: without alpha, on white. */
function converted(
  { width: W, height: H, data }: Rgba,
  orientation: number,
  channels: Channels,
): Samples {
  const { width, height, first, dx, dy } = upright(orientation, W, H), step = CHANNELS[channels];
  const made = new Uint8Array(width * height * step);
  for (let y = 0, d = 0; y < height; y++) {
    let s = (first + y * dy) * 4;
    for (let x = 0; x < width; x++, s += dx * 4, d += step) {
      const alpha = data[s + 3];
      if (step === 4) {
        for (let c = 0; c < 4; c++) made[d + c] = data[s + c];
      } else if (step === 3) {
        for (let c = 0; c < 3; c++) made[d + c] = overWhite(data[s + c], alpha);
      } else {
        const [red, green, blue] = [data[s], data[s + 1], data[s + 2]];
        made[d] = luma(overWhite(red, alpha), overWhite(green, alpha), overWhite(blue, alpha));
      }
    }
  }
  return { width, height, data: made, step };
}

/**
 * Decodes as {@linkcode decode}, to gray, color, or color and alpha. Color of a JPEG that is upright has
 * a fourth sample that means nothing, which saves a copy.
 *
 * @param bytes The whole file.
 * @param maxPixels Width times height that is decoded; more is refused by the header alone.
 * @param channels What a pixel is to have. Without alpha, what is transparent is laid on white; gray is
 *   {@linkcode luma}.
 * @returns The samples.
 * @throws {Error} If it is another kind of file, too large, truncated or damaged.
 */
export function decodeSamples(
  bytes: Uint8Array,
  maxPixels: number = MAX_PIXELS,
  channels: Channels = "rgb",
): Samples {
  const header = readHeader(bytes), { format, width, height, orientation } = header;
  if (width * height > maxPixels) {
    const most = maxPixels.toLocaleString("en");
    throw new Error(
      `it has ${width} x ${height} pixels, more than ${most}: make it smaller, ` +
        `or allow it with GAN_MAX_PIXELS=${width * height}`,
    );
  }
  if (format === "PNM" && header.channels === CHANNELS[channels]) {
    return { width, height, data: pnmPixels(bytes, header).slice(), step: CHANNELS[channels] };
  }
  const rgba = decodeRgba(bytes, header);
  if (format === "JPEG" && orientation === 1 && channels === "rgb") {
    const { width, height, data } = rgba;
    const samples = new Uint8Array(data.buffer, data.byteOffset, data.length);
    return { width, height, data: samples, step: 4 };
  }
  const samples = converted(rgba, orientation, channels);
  return rgba.peak === undefined ? samples : { ...samples, peak: rgba.peak };
}

function decodeRgba(bytes: Uint8Array, header: ImageHeader): Rgba & { peak?: number } {
  switch (header.format) {
    case "JPEG":
      return decodeJpeg(bytes, header);
    case "PNG":
      return decodePng(bytes, header);
    case "WebP":
      return webp.decode(bytes);
    case "PNM":
      return decodePnm(bytes, header);
  }
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
