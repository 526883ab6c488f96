/**
 * `gan cache`: what is kept beside the runs so that it need not be made again.
 *
 * @module
 */
import { join } from "@std/path";
import { namesIn } from "../run/run_folder.ts";
import { UsageError } from "./errors.ts";
import { choose, common, type Option, optionLines, parse } from "./options.ts";
import { aligned, mayRemove, readable } from "./sizes.ts";

export const table: readonly Option[] = [
  { name: "out", kind: "text", help: "folder of runs, which holds the cache" },
  { name: "yes", kind: "flag", help: "clear: do not ask" },
  ...common.filter(({ name }) => name !== "device"),
];

const help = [
  "Shows what is kept in runs/.cache/: resized images, features of real images, and tuned plans",
  "of a GPU. All of it is made again when it is needed.",
  "",
  "  gan cache            what there is, and its size",
  "  gan cache clear      removes it, after asking",
  "",
  "Options [default]:",
  ...optionLines(table, { out: "runs" }),
].join("\n");

/** `gan cache`. Returns the exit code. */
export async function cacheCommand(args: string[], print: (line: string) => void): Promise<number> {
  const { values, rest: [verb] } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  if (verb !== undefined && verb !== "clear") {
    throw new UsageError(`There is no gan cache ${verb}${choose(verb, ["clear"])}`);
  }
  const folder = join(String(values.out ?? "runs"), ".cache"), names = await namesIn(folder);
  const files = await Promise.all(names.map(async (name) => {
    const { size, mtime } = await Deno.stat(join(folder, name));
    return { name, bytes: size, changed: mtime?.toISOString().slice(0, 10) ?? "" };
  }));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const what = `${files.length} file${files.length === 1 ? "" : "s"} in ${folder} (${
    readable(bytes)
  })`;
  if (verb === "clear" && files.length > 0) {
    if (!mayRemove(what, values.yes === true)) {
      throw new UsageError(`${folder} was not cleared: answer y, or give --yes`);
    }
    for (const { name } of files) await Deno.remove(join(folder, name), { recursive: true });
    print(values.json ? JSON.stringify({ folder, files: 0, bytes: 0 }) : `Removed ${what}`);
  } else if (values.json) {
    print(JSON.stringify({ folder, files, bytes }));
  } else {
    const rows = files.map((file) => [file.name, file.changed, readable(file.bytes)]);
    if (rows.length) { for (const line of aligned(rows, new Set([2]))) print(line); }
    print(rows.length ? what : `There is nothing in ${folder}`);
  }
  return 0;
}
