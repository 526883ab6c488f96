import { dirname, join, resolve } from "@std/path";
import { CODE } from "../gpu/engines/helper.ts";

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
  if (await isListed("/")) await writeOnly([...placesOf(words), ...cachePlaces()]);
}

/** Whether writing there was given by that path: Deno cannot take a part of what was given as a whole. */
async function isListed(path: string): Promise<boolean> {
  if (Deno.build.os === "windows") return false; // where "/" is one drive of several
  const [whole, there] = await Promise.all([
    Deno.permissions.query({ name: "write" }),
    Deno.permissions.query({ name: "write", path }),
  ]);
  return whole.state !== "granted" && there.state === "granted";
}

/** Gives up writing to "/" but for these places. */
async function writeOnly(places: readonly string[]): Promise<void> {
  for (const path of places) await Deno.permissions.request({ name: "write", path });
  await Deno.permissions.revoke({ name: "write", path: "/" });
}

/**
 * The folders that a command writes to: that of all runs, and those in which what it is to write, and a run
 * that it names by a path, lie. Files are written beside their place first.
 */
export function placesOf([command, ...words]: readonly string[]): string[] {
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
    Deno.lstatSync(path);
    return true;
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

/** Where what was found out about drivers is kept, machine code lies, and temporary files go. */
function cachePlaces(): string[] {
  const home = Deno.env.get("XDG_CACHE_HOME") || join(Deno.env.get("HOME") ?? "", ".cache");
  return [
    join(home, "webgan"),
    join(Deno.env.get("MESA_SHADER_CACHE_DIR") || home, CODE),
    Deno.env.get("TMPDIR") || "/tmp",
  ];
}
