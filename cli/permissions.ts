import { dirname, join, resolve } from "@std/path";
import { CODE_FOLDER } from "../gpu/engines/helper.ts";

/** Commands of files alone; the script `gan` has the same list. */
const PLAIN = ["report", "timelapse", "runs", "cache", "data", "completion"];
/** Options that name a file or folder to write. */
const WRITTEN = ["to", "page", "save-stats", "sheet"];
/** Options that name a run, beside which results are written. */
const RUNS = ["resume", "run"];
/** Commands whose words name one. */
const OF_RUNS = ["sample", "report", "timelapse", "export"];

/**
 * Gives up what a command does not need, where more was given: the script, the tasks and a compiled binary
 * are the same for all commands, and `deno run -A` gives everything. Only `weights` has a network; commands
 * of files alone run no program; each writes to the places alone that its command line names.
 *
 * @param words The command and what follows it.
 */
export async function giveUpPermissions(words: readonly string[]): Promise<void> {
  const [command = ""] = words;
  if (command !== "weights") await Deno.permissions.revoke({ name: "net" });
  if (PLAIN.includes(command)) await Deno.permissions.revoke({ name: "run" });
  await keepOnly("write", [...placesOf(words), ...ownPlaces()]);
}

/**
 * Gives up a permission but for some places, if it was given by the path "/": Deno takes no part of what was
 * given as a whole, and on Windows "/" is one drive of several.
 */
export async function keepOnly(
  name: "read" | "write",
  places: readonly string[],
): Promise<void> {
  if (Deno.build.os === "windows") return;
  const [whole, root] = await Promise.all([
    Deno.permissions.query({ name }),
    Deno.permissions.query({ name, path: "/" }),
  ]);
  if (whole.state === "granted" || root.state !== "granted") return;
  if (places.some((path) => resolve(path) === "/")) return; // as where all is done, in some containers
  for (const path of places) await Deno.permissions.request({ name, path });
  await Deno.permissions.revoke({ name, path: "/" });
}

/**
 * The folders that a command writes to: that of all runs, and those in which what it is to write, and a run
 * that it names by a path, lie. Files are written beside their place first.
 */
function placesOf([command, ...words]: readonly string[]): string[] {
  const values = (names: readonly string[]) => names.flatMap((name) => valuesOf(name, words));
  const [out = "runs"] = values(["out"]), beside = values(WRITTEN), runs = values(RUNS);
  if (OF_RUNS.includes(command)) runs.push(...words.filter((word) => !word.startsWith("-")));
  if (command === "eval" && words.includes("nearest")) beside.push("nearest.png");
  const files = [...beside, ...runs.filter(isThere)].map((path) => dirname(resolve(path)));
  return [out, ...files, ...command === "weights" ? ["weights"] : []].filter(Boolean);
}

/** As against the number of a run, or `latest`. */
function isThere(path: string): boolean {
  try {
    return Boolean(Deno.statSync(path));
  } catch {
    return false;
  }
}

/** What an option of this name is given, as the next word or after a =. */
function valuesOf(name: string, words: readonly string[]): string[] {
  return words.flatMap((word, i) => {
    if (word === `--${name}`) return words.slice(i + 1, i + 2);
    return word.startsWith(`--${name}=`) ? [word.slice(name.length + 3)] : [];
  });
}

/** The user's folder of caches. */
export function cacheHome(): string {
  return Deno.env.get("XDG_CACHE_HOME") || join(Deno.env.get("HOME") ?? "", ".cache");
}

/** Where what was found out about drivers is kept, machine code lies, and temporary files go. */
export function ownPlaces(): string[] {
  return [
    join(cacheHome(), "webgan"),
    join(Deno.env.get("MESA_SHADER_CACHE_DIR") || cacheHome(), CODE_FOLDER),
    Deno.env.get("TMPDIR") || "/tmp",
  ];
}
