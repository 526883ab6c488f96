import { Buffer } from "node:buffer";
import pngjs from "pngjs";
import type { Image } from "./decode.ts";
import { replaceFile } from "./replace_file.ts";

/**
 * Writes a picture as an 8-bit RGB PNG: beside its place first, then renamed.
 *
 * @param path Where the file goes; its folder is made if it is not there.
 * @param image The picture.
 * @throws {RangeError} If the picture does not hold width x height x 3 bytes.
 */
export async function savePng(path: string, image: Image): Promise<void> {
  const { width, height, rgb } = image;
  if (rgb.length !== width * height * 3) {
    throw new RangeError(
      `png: got ${rgb.length} bytes for ${path}, expected ${width} x ${height} x 3`,
    );
  }
  const colour = { colorType: 2, inputColorType: 2, inputHasAlpha: false };
  const data = Buffer.from(rgb.buffer as ArrayBuffer, rgb.byteOffset, rgb.byteLength);
  const bytes: Uint8Array = pngjs.PNG.sync.write({ width, height, data }, colour);
  await replaceFile(path, bytes);
}
