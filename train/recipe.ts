import type { Stage } from "../models/stage.ts";
import type { Module } from "../nn/module.ts";
import type { HostRandom } from "../nn/random.ts";
import type { Schedule } from "./growth.ts";
import type { TrainOptions } from "./options.ts";

/** How one system is trained: what differs between DCGAN, SAGAN and PGGAN, and nothing else. */
export interface Recipe {
  readonly name: string;
  /** One line for `--help`. */
  readonly about: string;
  /** What each preset changes of the defaults; without a GPU `small` is taken if none is named. */
  readonly presets:
    & Readonly<Record<string, Preset>>
    & Readonly<Record<"default" | "small", Preset>>;
  /** The options that other systems have no use for. */
  readonly own?: readonly (keyof TrainOptions)[];
  /** What of these options does not go with these nets, in one sentence. */
  readonly complaint?: (options: TrainOptions) => string | undefined;
  /** A generator, `[N, nz]` to `[N, R, R, 3]`; R is the stage's. */
  readonly G: (options: TrainOptions, random: HostRandom, stage: Stage) => Module;
  /** A discriminator, `[N, R, R, 3]` to `[N]`. */
  readonly D: (options: TrainOptions, random: HostRandom, stage: Stage) => Module;
  /** The course of a run; if left out, all stays as it is from the first image to the last. */
  readonly schedule?: (options: TrainOptions) => Schedule;
}

/** A named set of options. */
export interface Preset {
  /** One line for `--help`. */
  readonly about: string;
  readonly options: Partial<TrainOptions>;
}
