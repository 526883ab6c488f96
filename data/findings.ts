import { crc32 } from "node:zlib";
import type { Prepared } from "./prepare.ts";

// Fewer distinct images than this, or than this share, are told.
const FEW = 16, SHARE = 0.9;

/** What is to be told of a data set as a whole, gathered image by image. */
export class Findings {
  #resolution: number;
  #count = 0;
  #distinct = new Set<number>();
  #enlarged = 0;
  #smallest = Infinity;
  #deep = 0;
  #peak = 0;

  /** `resolution` is the side of the prepared images. */
  constructor(resolution: number) {
    this.#resolution = resolution;
  }

  /** Takes note of one image. */
  add({ pixels, side, peak }: Prepared): void {
    this.#count += 1;
    this.#distinct.add(crc32(pixels));
    if (side < this.#resolution) {
      this.#enlarged += 1;
      this.#smallest = Math.min(this.#smallest, side);
    }
    if (peak !== undefined) {
      this.#deep += 1;
      this.#peak = Math.max(this.#peak, peak);
    }
  }

  /** One line for each finding. */
  notes(): string[] {
    const notes: string[] = [], distinct = this.#distinct.size, R = this.#resolution;
    if (this.#enlarged > 0) {
      const times = Number((R / this.#smallest).toPrecision(2));
      notes.push(
        `${this.#enlarged} of ${this.#count} images are smaller than ${R} x ${R} pixels: ` +
          `enlarged up to ${times} times`,
      );
    }
    if (this.#count > 0 && (distinct < FEW || distinct < SHARE * this.#count)) {
      const among = distinct < this.#count ? ` among ${this.#count}` : "";
      notes.push(
        `Only ${distinct} distinct image${distinct === 1 ? "" : "s"}${among}: ` +
          "the generator can learn them by heart",
      );
    }
    const bits = Math.ceil(Math.log2(this.#peak + 1));
    if (bits > 0 && bits <= 14) {
      notes.push(
        `${this.#deep} PNG of 16 bits use ${bits} of them (largest sample ${this.#peak}) and are ` +
          `nearly black: multiply the samples by ${2 ** (16 - bits)} first`,
      );
    }
    return notes;
  }
}
