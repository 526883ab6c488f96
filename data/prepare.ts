import { type Crop, cropRectangle } from "./crop.ts";
import { decode } from "./decode.ts";
import { DataError } from "./errors.ts";
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
 * @param name How it is called in errors.
 * @param bytes The encoded picture.
 * @param to What is made of it.
 * @returns `[R, R, 3]`.
 * @throws {DataError} If the crop lies outside it.
 * @throws {Error} If it cannot be decoded.
 */
export function prepare(
  name: string,
  bytes: Uint8Array,
  to: Preparation,
): Uint8Array<ArrayBuffer> {
  const image = decode(bytes);
  const part = cropRectangle(to.crop, image.width, image.height);
  if (!part) {
    const { width, height, x, y } = to.crop as Exclude<Crop, string>;
    throw new DataError(
      `data: the crop ${width}x${height}+${x}+${y} lies outside ${name}, which is ` +
        `${image.width} x ${image.height}; take it out, or choose a smaller crop or "center"`,
    );
  }
  return resample(image, part, to.resolution, to.resize);
}
