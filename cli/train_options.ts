import { optionGroups } from "../train/options.ts";
import { type Recipe, uses } from "../train/recipe.ts";
import { camel, common, kebab, type Option } from "./options.ts";

/** The options of runs, as the table of train/options.ts has them. */
const ofRuns: readonly Option[] = Object.entries(optionGroups).flatMap(([group, options]) =>
  Object.entries(options).map(([name, { value, real, help, choices, min, max }]): Option => ({
    ...{ name: kebab(name), group, help },
    kind: typeof value === "string"
      ? "text"
      : typeof value === "boolean"
      ? "flag"
      : real
      ? "number"
      : "count",
    ...choices && { choices },
    ...min !== undefined && { min },
    ...max !== undefined && { max },
  }))
);

/** What `gan train` takes beside them. */
const beside: readonly Option[] = [
  { name: "preset", kind: "text", help: "a named set of options (above)" },
  { name: "out", kind: "text", help: "folder of runs" },
  { name: "resume", kind: "text", help: "go on with a run: its folder, number or latest" },
  { name: "checkpoint", kind: "text", help: "go back to this file of the resumed run, or to best" },
  {
    name: "accept-data",
    kind: "flag",
    help: "go on though the images are not those that the run was trained on",
  },
  {
    name: "autotune",
    kind: "flag",
    help: "try ways to compute first: as a rule on a GPU; --no-autotune takes safe ones",
  },
  { name: "dry-run", kind: "flag", help: "print layers, memory, arithmetic and time, and stop" },
  ...common,
];

/** What `gan train` takes. */
export const trainOptions: readonly Option[] = [
  ...ofRuns,
  ...beside.map((option) => ({ ...option, group: "run" })),
];

/** Those of them that a recipe uses; without one, those that all use. */
export function trainOptionsOf(recipe?: Recipe): readonly Option[] {
  return trainOptions.filter(({ name }) =>
    beside.some((option) => option.name === name) || uses(recipe ?? {}, camel(name))
  );
}
