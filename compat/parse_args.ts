/**
 * `jsr:@std/cli/parse-args` by way of minimist, from which it descends.
 *
 * One line in `deno.json` switches to the original:
 * `"@std/cli/parse-args": "jsr:@std/cli@1/parse-args"`.
 *
 * @module
 */
import minimist from "minimist";

/** What this project uses of the options of `parseArgs`. */
export interface ParseOptions {
  /** Names of options that take a text. */
  string?: string[];
  /** Names of options that take no value. */
  boolean?: string[];
  /** Those of them that take `--no-` before them; minimist lets all. */
  negatable?: string[];
  /** Values of options that are not given. */
  default?: Record<string, unknown>;
  /** Short names. */
  alias?: Record<string, string>;
  /** Called for what is not declared; false leaves it out. */
  unknown?: (argument: string) => boolean;
}

/** Splits `args` into options by name and, under `_`, the rest. */
export function parseArgs(
  args: string[],
  options: ParseOptions = {},
): { _: string[]; [name: string]: unknown } {
  return minimist(args, options);
}
