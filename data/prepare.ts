import { type Crop, cropRectangle } from "./crop.ts";
import { decode } from "./decode.ts";
import { resample, type Resize } from "./resample.ts";

/** What is made of each picture. */
export interface Preparation {
  /** Side of the result in pixels. */
  resolution: number;
  /** The part that is used. */
  crop: Crop;
  /** How it is made larger or smaller. */
  resize: Resize;
}

/**
 * Decodes, crops and resizes one picture.
 *
 * @param bytes The encoded picture.
 * @param to What is made of it.
 * @returns `[R, R, 3]`.
 * @throws {Error} If it cannot be decoded, or the crop lies outside it.
 */
export function prepare(bytes: Uint8Array, to: Preparation): Uint8Array<ArrayBuffer> {
  const image = decode(bytes);
  const part = cropRectangle(to.crop, image.width, image.height);
  if (!part) {
    const { width, height, x, y } = to.crop as Exclude<Crop, string>;
    throw new Error(
      `the crop ${width}x${height}+${x}+${y} lies outside it: it is ${image.width} x ${image.height}`,
    );
  }
  return resample(image, part, to.resolution, to.resize);
}
