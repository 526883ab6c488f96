/**
 * What evaluation tools do with the same images: one record per tool, which the evaluator reads.
 *
 * All of them read images through Pillow (`as_pillow.ts`), sort files by path and let images enter the
 * network from their own size.
 *
 * @module
 */
import type { Stage } from "./input.ts";
import { SHUFFLE_SEED } from "./inception_score.ts";
import { NEIGHBOURS, type Neighbours, type PrecisionRecall } from "./precision_recall.ts";

/** Which files of a folder a tool takes for images. */
export interface FileRule {
  /** Endings, in the case that the tool wants. */
  readonly endings: RegExp;
  /** Whether it looks into subfolders. */
  readonly deep: boolean;
  /** Whether it takes hidden files, too. */
  readonly hidden: boolean;
  /** Whether it reads zips, by endings in any case. */
  readonly zip: boolean;
  /** Whether it sorts by the paths that symbolic links lead to. */
  readonly followLinks: boolean;
}

/** How a tool turns images into a number. */
export interface Conventions {
  /** Its name and version. */
  readonly tool: string;
  /** What it measures, by the names of `metrics/registry.ts`. */
  readonly metrics: readonly string[];
  /** Which files it reads; absent where it takes features only. */
  readonly files?: FileRule;
  /** How images become the network's input. */
  readonly stage: Stage;
  /** By what sums of products are divided for a covariance. */
  readonly divisor: "N - 1" | "N";
  /** KID's subsets, drawn by NumPy's `RandomState(seed)`. */
  readonly kid: {
    readonly subsets: number;
    readonly size: number;
    readonly seed: number;
    /** Whether it refuses sets that are smaller than a subset. */
    readonly refuses: boolean;
  };
  /** The seed by which the Inception Score shuffles; null where it keeps the order of the files. */
  readonly shuffle: number | null;
  /** Neighbourhoods of `pr`, and which of the four numbers it has. */
  readonly neighbours: Neighbours;
  readonly shares: readonly (keyof PrecisionRecall)[];
  /** What else its numbers depend on. */
  readonly notes?: Readonly<Record<string, string>>;
}

const FOUR = ["precision", "recall", "density", "coverage"] as const;

/** What nobody else prescribes. */
const OWN = {
  divisor: "N - 1",
  kid: { subsets: 100, size: 1000, seed: 0, refuses: false },
  shuffle: SHUFFLE_SEED,
  neighbours: NEIGHBOURS,
  shares: FOUR,
} as const;

const EQUAL_FEATURES =
  "equal to StyleGAN3 on equal features only: its network file resizes images " +
  "itself, and that has not been compared";

/** The tools that can be followed, by the names that `--like` takes. */
export const TOOLS = {
  "pytorch-fid": {
    ...OWN,
    tool: "pytorch-fid 0.3.0 (b9c1811)",
    metrics: ["fid"],
    files: {
      endings: /\.(bmp|jpg|jpeg|pgm|png|ppm|tif|tiff|webp)$/,
      deep: false,
      hidden: true,
      zip: false,
      followLinks: false,
    },
    stage: "bilinear",
  },
  "clean-fid": {
    ...OWN,
    tool: "clean-fid 0.1.35 (e88c4d6), mode clean",
    metrics: ["fid", "kid"],
    files: {
      endings: /\.(bmp|jpg|jpeg|pgm|png|ppm|tif|tiff|webp|npy|JPEG|JPG|PNG)$/,
      deep: true,
      hidden: false,
      zip: true,
      followLinks: false,
    },
    stage: "bicubic",
    notes: {
      kid: "clean-fid draws subsets without a seed: equal to it after numpy.random.seed(--seed)",
    },
  },
  "torch-fidelity": {
    ...OWN,
    tool: "torch-fidelity 0.4.0 (5e211a9)",
    metrics: ["fid", "kid", "is", "pr"],
    files: {
      endings: /\.(png|jpg|jpeg)$/i,
      deep: false,
      hidden: true,
      zip: false,
      followLinks: true,
    },
    stage: "tensorflow",
    kid: { subsets: 100, size: 1000, seed: 2020, refuses: true },
    shares: ["precision", "recall"],
    notes: { pr: "torch-fidelity takes VGG-16's features unless told otherwise" },
  },
  "stylegan3": {
    ...OWN,
    tool: "StyleGAN3 (c233a91)",
    metrics: ["fid", "kid", "is", "pr"],
    files: {
      endings: /\.(bmp|gif|jpe?g|pgm|png|ppm|tiff?|webp)$/i,
      deep: true,
      hidden: true,
      zip: true,
      followLinks: false,
    },
    stage: "tensorflow",
    divisor: "N",
    shuffle: null,
    shares: ["precision", "recall"],
    notes: { fid: EQUAL_FEATURES, kid: EQUAL_FEATURES, is: EQUAL_FEATURES, pr: EQUAL_FEATURES },
  },
  "prdc": {
    ...OWN,
    tool: "prdc 0.1 (e320c1d)",
    metrics: ["pr"],
    stage: "bilinear",
    neighbours: { k: 5, densityK: 5, edge: false },
    notes: { pr: "prdc is given features: these are Inception's, of pytorch-fid's input" },
  },
} as const satisfies Record<string, Conventions>;

/** A name that `--like` takes. */
export type Tool = keyof typeof TOOLS;

/** Its conventions. */
export function conventionsOf(tool: Tool): Conventions {
  return TOOLS[tool];
}

/** Its name without the version. */
export function shortName({ tool }: Conventions): string {
  return tool.split(" ", 1)[0];
}
