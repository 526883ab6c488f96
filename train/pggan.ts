import { PgganDiscriminator, PgganGenerator } from "../models/pggan.ts";
import { growing } from "./growth.ts";
import type { Recipe } from "./recipe.ts";

/**
 * PGGAN: progressive growing.
 *
 * @see Karras et al. 2018, https://arxiv.org/abs/1710.10196
 */
export const pggan: Recipe = {
  name: "pggan",
  about: "nets that grow from 4 pixels to the wanted resolution (Karras et al. 2018)",
  presets: {
    default: {
      about: "",
      options: {},
    },
    small: {
      about: "",
      options: {},
    },
  },
  G: (options, random, stage) => new PgganGenerator(options, random, stage),
  D: (options, random, stage) => new PgganDiscriminator(options, random, stage),
  schedule: growing,
};
