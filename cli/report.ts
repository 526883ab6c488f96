import { writeReport } from "../run/report.ts";
import { savedOptions } from "../train/recipe.ts";
import { chosenRun } from "./chosen_run.ts";
import { common, type Option, optionLines, parse } from "./options.ts";
import { recipeOf } from "./recipes.ts";
import { optionsOf } from "./run_options.ts";

export const table: readonly Option[] = [
  { name: "out", kind: "text", help: "folder of runs" },
  ...common.filter(({ name }) => name !== "device"),
];

const help = [
  "Writes report.html into a run: its grids, curves and options, to be opened in a browser.",
  "Training does so too, with each grid.",
  "",
  "  gan report latest",
  "",
  "Options [default]:",
  ...optionLines(table, { out: "runs" }),
].join("\n");

/** `gan report`. Returns the exit code. */
export async function reportCommand(
  args: string[],
  print: (line: string) => void,
): Promise<number> {
  const given = parse(args, table), { values } = given;
  if (values.help) {
    print(help);
    return 0;
  }
  const run = await chosenRun(given), options = await optionsOf(run);
  const path = await writeReport(run, savedOptions(recipeOf(options.recipe), options));
  print(values.json ? JSON.stringify({ path }) : path);
  return 0;
}
