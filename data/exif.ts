const ORIENTATION = 0x0112;

/**
 * The orientation that an Exif block states.
 *
 * @param exif The block, with or without the `Exif\0\0` before its TIFF header.
 * @returns 1 to 8 as in TIFF; 1, upright, where the block says nothing or is damaged.
 */
export function exifOrientation(exif: Uint8Array): number {
  const start = exif[0] === 0x45 && exif[1] === 0x78 ? 6 : 0; // "Ex"
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  try {
    const little = view.getUint16(start) === 0x4949;
    const directory = start + view.getUint32(start + 4, little);
    const entries = view.getUint16(directory, little);
    for (let i = 0; i < entries; i++) {
      const entry = directory + 2 + 12 * i;
      if (view.getUint16(entry, little) !== ORIENTATION) continue;
      const value = view.getUint16(entry + 8, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // it points outside itself
  }
  return 1;
}

/** How the pixels of an upright image lie in the stored one: the first, and steps along x and y. */
export interface Layout {
  width: number;
  height: number;
  first: number;
  dx: number;
  dy: number;
}

/**
 * Where the pixels of an upright image are stored.
 *
 * @param orientation 1 to 8, as in TIFF.
 * @param W Width as stored.
 * @param H Height as stored.
 * @returns Width and height upright, and where its pixels are, counted in pixels.
 */
export function upright(orientation: number, W: number, H: number): Layout {
  const swapped = orientation >= 5;
  // Whether the stored column and row run backwards along the upright axes that they follow.
  const mirrored = [2, 3, 7, 8].includes(orientation), flipped = [3, 4, 6, 7].includes(orientation);
  const column = mirrored ? -1 : 1, row = flipped ? -W : W;
  return {
    width: swapped ? H : W,
    height: swapped ? W : H,
    first: (mirrored ? W - 1 : 0) + (flipped ? (H - 1) * W : 0),
    dx: swapped ? row : column,
    dy: swapped ? column : row,
  };
}
