/**
 * What a metric is: a file of this folder, and a line in `registry.ts`.
 *
 * @module
 */
import type { Conventions } from "../conventions.ts";
import type { Features } from "../products.ts";
import type { Statistics } from "../statistics.ts";

/** A number, or several, with what they depend on: `k`, seeds, subsets. */
export type Result = Readonly<Record<string, unknown>>;

/** Features (or logits) of the images that are compared. */
export interface Sides {
  /** The real images; where memorisation is measured, those that were trained on. */
  readonly real: Features;
  readonly fake: Features;
  /** Real images that were not trained on. */
  readonly heldOut?: Features | undefined;
}

/** How to measure. */
export interface Asked {
  readonly like: Conventions;
  /** What the user asked for; the conventions' own where absent. */
  readonly k?: number | undefined;
  readonly seed?: number | undefined;
  readonly subsets?: number | undefined;
  readonly subsetSize?: number | undefined;
  /** What the two sides are called in messages. */
  readonly names: { readonly real: string; readonly fake: string };
}

/** One way to evaluate images. */
export interface Metric {
  /** On the command line. */
  readonly name: string;
  /** In reports: `FID`, with the feature behind it where that is not 2048. */
  readonly label: string;
  /** A line for `--help`. */
  readonly about: string;
  /** The paper, and whose definition is followed where tools differ. */
  readonly source: string;
  /** What of Inception it looks at. */
  readonly input: "features" | "logits";
  /** The only feature that it makes sense of, where there is one. */
  readonly of?: "face";
  /** What the fakes are compared with. */
  readonly needs: readonly ("real" | "heldOut")[];
  /** The numbers in its result and which way they improve; training keeps the best by the first. */
  readonly numbers: Readonly<Record<string, "less" | "more" | "near 0">>;
  /** Whether real images against other real images, as many, give what a perfect generator would get. */
  readonly floor: boolean;
  /** Measures. */
  readonly measure: (sides: Sides, asked: Asked) => Promise<Result> | Result;
  /** The same where mean and covariance are enough. */
  readonly ofStatistics?: (real: Statistics, fake: Statistics, asked: Asked) => Result;
}
