import type { LossMeans } from "./ledger.ts";

/** What D's losses add up to where it cannot tell real images from fakes; the Wasserstein has no such. */
const CHANCE: Readonly<Record<string, number>> = {
  ...{ bce: 2 * Math.LN2, ragan: 2 * Math.LN2, rsgan: Math.LN2 },
  ...{ lsgan: 0.5, hinge: 2, rahinge: 2 },
};
const WON = 0.01, LOST = 3; // in shares of that
const LONG = 10_000; // images

/** Notices that one network has had the better of the other for long. */
export class Balance {
  #side: "won" | "lost" | undefined;
  #since = 0;

  /** @param loss Name of the loss. */
  constructor(readonly loss: string) {}

  /**
   * Takes a reading.
   *
   * @param images Images shown.
   * @returns What to do about it; undefined where neither has won for long.
   */
  read(images: number, { dReal, dFake }: LossMeans): string | undefined {
    const share = (dReal + dFake) / CHANCE[this.loss];
    const side = share < WON ? "won" : share > LOST ? "lost" : undefined;
    if (side !== this.#side) [this.#side, this.#since] = [side, images];
    if (!side || images - this.#since < LONG) return undefined;
    return side === "won"
      ? "D has told all images apart for long, so that G hardly learns: try a lower --lr-d, --augment " +
        "or, not in dcgan, --r1"
      : "D has been wrong of most images for long, so that G learns nothing of use: try a lower --lr-g " +
        "or --lr-d";
  }
}
