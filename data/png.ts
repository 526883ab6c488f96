import { Buffer } from "node:buffer";
import pngjs from "pngjs";
import type { Image } from "./image.ts";
import { replaceFile } from "../io/replace_file.ts";

/**
 * Encodes an image as an 8-bit RGB PNG.
 *
 * @param image The image.
 * @returns The whole file.
 * @throws {RangeError} If the image does not hold width x height x 3 bytes.
 */
export function encodePng({ width, height, rgb }: Image): Uint8Array {
  if (rgb.length !== width * height * 3) {
    throw new RangeError(`png: got ${rgb.length} bytes, expected ${width} x ${height} x 3`);
  }
  const colour = { colorType: 2, inputColorType: 2, inputHasAlpha: false };
  const data = Buffer.from(rgb.buffer as ArrayBuffer, rgb.byteOffset, rgb.byteLength);
  return pngjs.PNG.sync.write({ width, height, data }, colour);
}

/**
 * Writes an image as an 8-bit RGB PNG: beside its place first, then renamed.
 *
 * @param path Where the file goes; its folder is made if it is not there.
 * @param image The image.
 * @throws {RangeError} As {@linkcode encodePng}.
 */
export async function savePng(path: string, image: Image): Promise<void> {
  await replaceFile(path, encodePng(image));
}
