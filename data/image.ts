/** An image in memory. */
export interface Image {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** Red, green, blue: `[height, width, 3]`. */
  rgb: Uint8Array;
  /** The largest sample of a PNG of 16 bits. */
  peak?: number;
}
