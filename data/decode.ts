import { Buffer } from "node:buffer";
import pngjs from "pngjs";
import { decodeJpeg, type Jpeg } from "./jpeg.ts";

/** A picture in memory. */
export interface Image {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** Red, green, blue: `[height, width, 3]`. */
  rgb: Uint8Array;
}

function fromJpeg({ width, height, channels, samples }: Jpeg): Image {
  if (channels === 3) return { width, height, rgb: samples };
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0, s = 0, d = 0; i < width * height; i++, s += channels, d += 3) {
    // Light left by the black plate times light left by the colour's plate.
    const light = channels === 4 ? 255 - samples[s + 3] : 0;
    for (let c = 0; c < 3; c++) {
      rgb[d + c] = channels === 4 ? Math.round((255 - samples[s + c]) * light / 255) : samples[s];
    }
  }
  return { width, height, rgb };
}

function fromPng(bytes: Uint8Array): Image {
  const { buffer, byteOffset, byteLength } = bytes;
  const png = pngjs.PNG.sync.read(Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength));
  const { width, height, data } = png as { width: number; height: number; data: Uint8Array };
  const rgb = new Uint8Array(width * height * 3);
  for (let s = 0, d = 0; s < data.length; s += 4, d += 3) {
    const alpha = data[s + 3];
    for (let c = 0; c < 3; c++) {
      rgb[d + c] = alpha === 255
        ? data[s + c]
        : Math.round((data[s + c] * alpha + 255 * (255 - alpha)) / 255);
    }
  }
  return { width, height, rgb };
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Decodes a JPEG (grey, colour, CMYK, YCCK) or a PNG (every colour type and depth, interlaced or not).
 * Colours are reduced to 8 bits; what is transparent is laid on white.
 *
 * @param bytes The whole file; its kind is told from its first bytes, not from its name.
 * @returns The picture.
 * @throws {Error} If it is neither, or truncated, or damaged.
 */
export function decode(bytes: Uint8Array): Image {
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return fromJpeg(decodeJpeg(bytes));
  if (!PNG_SIGNATURE.every((byte, i) => bytes[i] === byte)) throw new Error("neither JPEG nor PNG");
  try {
    return fromPng(bytes);
  } catch (error) {
    throw new Error(`damaged or truncated PNG (${(error as Error).message})`, { cause: error });
  }
}
