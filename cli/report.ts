import { writeReport } from "../train/report.ts";
import { findRun, readOptions } from "../train/run_folder.ts";
import { UsageError } from "./errors.ts";
import { common, type Option, optionLines, parse } from "./options.ts";

const table: readonly Option[] = [
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
  const { values, rest } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  if (rest.length > 1) throw new UsageError(`One run at a time, not ${rest.join(" and ")}`);
  const run = await findRun(String(values.out ?? "runs"), rest[0] ?? "latest");
  const path = await writeReport(run, await readOptions(run));
  print(values.json ? JSON.stringify({ path }) : path);
  return 0;
}
