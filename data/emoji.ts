import { join } from "@std/path";
import { DataError } from "./errors.ts";

/** The package that holds the built-in images: Twitter's emoji, 64 x 64, CC BY 4.0. */
export const EMOJI = "emoji-datasource-twitter@16.0.0";

const NAME = EMOJI.split("@")[0];
const VERSION = EMOJI.split("@")[1];
const PICTURES = ["img", "twitter", "64"];

/**
 * Runs a package client.
 *
 * @param program Its executable.
 * @param args What it is told.
 * @param signal Stops it.
 * @returns What it wrote.
 * @throws {Error} If it cannot be started or fails.
 */
export type RunClient = (
  program: string,
  args: string[],
  signal?: AbortSignal,
) => Promise<string>;

async function runClient(program: string, args: string[], signal?: AbortSignal): Promise<string> {
  const options = { args, stdin: "null", env: { NO_COLOR: "1" } } as const;
  const command = new Deno.Command(program, signal ? { ...options, signal } : options);
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr).trim().split("\n").at(-1));
  return decoder.decode(stdout);
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isDirectory, () => false);
}

/** Deno keeps packages by registry, and a registry's address can take more than one folder. */
async function findInDenoCache(npmCache: string): Promise<string | undefined> {
  const folders = [npmCache];
  for (let depth = 0; depth < 2; depth++) {
    for (const folder of folders.splice(0)) {
      for await (const entry of Deno.readDir(folder)) {
        if (!entry.isDirectory) continue;
        const path = join(folder, entry.name, NAME, VERSION, ...PICTURES);
        if (await isFolder(path)) return path;
        folders.push(join(folder, entry.name));
      }
    }
  }
  return undefined;
}

async function throughDeno(run: RunClient, deno: string, signal?: AbortSignal): Promise<string> {
  // Without the project's own configuration: the images are no dependency of it.
  await run(deno, ["cache", "--no-config", "--no-lock", `npm:${EMOJI}`], signal);
  const info = JSON.parse(await run(deno, ["info", "--json", "--no-config"], signal));
  const found = await findInDenoCache(info.npmCache);
  if (!found) throw new Error(`no ${NAME} in the folder of packages that deno info names`);
  return found;
}

async function throughNpm(run: RunClient, cache: string, signal?: AbortSignal): Promise<string> {
  const prefix = join(cache, "packages");
  const found = join(prefix, "node_modules", NAME, ...PICTURES);
  if (await isFolder(found)) return found;
  await Deno.mkdir(prefix, { recursive: true });
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  await run(npm, ["install", "--no-save", "--ignore-scripts", "--prefix", prefix, EMOJI], signal);
  if (!await isFolder(found)) throw new Error(`npm left no ${NAME} in its folder`);
  return found;
}

/**
 * Fetches the built-in images with the package client that is there: `deno`, or else `npm`.
 *
 * @param cache Folder into which npm may unpack.
 * @param signal Stops it.
 * @param run Runs the clients.
 * @returns The folder of images.
 * @throws {DataError} If neither client can fetch them.
 */
export async function fetchEmoji(
  cache: string,
  signal?: AbortSignal,
  run: RunClient = runClient,
): Promise<string> {
  const reasons: string[] = [];
  // In a compiled program the executable is the program itself.
  const deno = Deno.build.standalone ? "deno" : Deno.execPath();
  for (
    const fetch of [() => throughDeno(run, deno, signal), () => throughNpm(run, cache, signal)]
  ) {
    try {
      return await fetch();
    } catch (error) {
      signal?.throwIfAborted();
      reasons.push((error as Error).message);
    }
  }
  throw new DataError(
    `data: the built-in emoji (npm package ${EMOJI}) could not be fetched with deno ` +
      `(${reasons[0]}) or npm (${reasons[1]}); go online once, or give a folder or zip of images`,
  );
}
