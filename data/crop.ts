/** A part of an image, in pixels from its upper left corner. */
export interface Rectangle {
  /** Left edge. */
  x: number;
  /** Upper edge. */
  y: number;
  /** Width. */
  width: number;
  /** Height. */
  height: number;
}

/** Which part of each image is used: the centre square, all of it, or the same rectangle of each. */
export type Crop = "center" | "none" | Rectangle;

/**
 * Reads a crop as it is written on a command line.
 *
 * @param text `center`, `none`, or `WxH+X+Y` in pixels, such as `148x148+15+35`.
 * @returns The crop.
 * @throws {RangeError} If the text is none of these, or the rectangle is empty.
 */
export function parseCrop(text: string): Crop {
  if (text === "center" || text === "none") return text;
  const [width, height, x, y] =
    /^(\d{1,6})x(\d{1,6})\+(\d{1,6})\+(\d{1,6})$/.exec(text)?.slice(1).map(Number) ?? [];
  if (!width || !height) {
    throw new RangeError(
      `crop: got ${JSON.stringify(text)}, expected "center", "none" or WxH+X+Y in pixels, ` +
        "such as 148x148+15+35",
    );
  }
  return { x, y, width, height };
}

/**
 * The part of one image that a crop means.
 *
 * @param crop The crop.
 * @param width Width of the image in pixels.
 * @param height Height of the image in pixels.
 * @returns The part, or undefined if the image is too small for it.
 */
export function cropRectangle(crop: Crop, width: number, height: number): Rectangle | undefined {
  if (crop === "none") return { x: 0, y: 0, width, height };
  if (crop === "center") {
    const side = Math.min(width, height);
    return { x: (width - side) >> 1, y: (height - side) >> 1, width: side, height: side };
  }
  return crop.x + crop.width <= width && crop.y + crop.height <= height ? crop : undefined;
}
