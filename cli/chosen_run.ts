import { findRun } from "../run/run_folder.ts";
import { UsageError } from "./errors.ts";
import type { Values } from "./options.ts";

/**
 * The folder of the run that a command is about: its only word, by default the latest.
 *
 * @throws {UsageError} If there are several.
 * @throws {RunError} If there is no such run.
 */
export async function chosenRun(
  { values, rest }: { readonly values: Values; readonly rest: readonly string[] },
): Promise<string> {
  if (rest.length > 1) throw new UsageError(`One run at a time, not ${rest.join(" and ")}`);
  const say = (text: string) => console.error(`gan: ${text}`);
  return await findRun(String(values.out ?? "runs"), rest[0] ?? "latest", say);
}
