import { join } from "@std/path";
import { DataError } from "./errors.ts";

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

/** A folder of an npm package, such as `img` of `emoji@1.0.0`. */
export interface PackageFolder {
  /** Name and version. */
  readonly of: string;
  /** Names of folders, one in the other. */
  readonly path: readonly string[];
}

/** The name and the version apart: a name may begin with @. */
function parts({ of }: PackageFolder): { name: string; version: string } {
  const at = of.lastIndexOf("@");
  return { name: of.slice(0, at), version: of.slice(at + 1) };
}

/** Deno keeps packages by registry, and a registry's address can take more than one folder. */
async function findInDenoCache(
  npmCache: string,
  folder: PackageFolder,
): Promise<string | undefined> {
  const { name, version } = parts(folder);
  const folders = [npmCache];
  for (let depth = 0; depth < 2; depth++) {
    for (const above of folders.splice(0)) {
      for await (const entry of Deno.readDir(above)) {
        if (!entry.isDirectory) continue;
        const path = join(above, entry.name, name, version, ...folder.path);
        if (await isFolder(path)) return path;
        folders.push(join(above, entry.name));
      }
    }
  }
  return undefined;
}

async function throughDeno(
  folder: PackageFolder,
  run: RunClient,
  signal?: AbortSignal,
): Promise<string> {
  // In a compiled program the executable is the program itself.
  const deno = Deno.build.standalone ? "deno" : Deno.execPath();
  // Without the project's own configuration: the package is no dependency of it.
  await run(deno, ["cache", "--no-config", "--no-lock", `npm:${folder.of}`], signal);
  const info = JSON.parse(await run(deno, ["info", "--json", "--no-config"], signal));
  const found = await findInDenoCache(info.npmCache, folder);
  if (!found) throw new Error(`no ${folder.of} in the folder of packages that deno info names`);
  return found;
}

async function throughNpm(
  folder: PackageFolder,
  run: RunClient,
  cache: string,
  signal?: AbortSignal,
): Promise<string> {
  const prefix = join(cache, "packages");
  const found = join(prefix, "node_modules", parts(folder).name, ...folder.path);
  if (await isFolder(found)) return found;
  await Deno.mkdir(prefix, { recursive: true });
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  await run(
    npm,
    ["install", "--no-save", "--ignore-scripts", "--prefix", prefix, folder.of],
    signal,
  );
  if (!await isFolder(found)) throw new Error(`npm left no ${folder.of} in its folder`);
  return found;
}

/**
 * Fetches a folder of an npm package with the package client that is there: `deno`, or else `npm`.
 *
 * @param cache Folder into which npm may unpack.
 * @param missing What to say where neither can fetch it, from what they say.
 * @param signal Stops it.
 * @param run Runs the clients.
 * @returns The folder.
 * @throws {DataError} If neither client can fetch it.
 */
export async function fetchPackage(
  folder: PackageFolder,
  cache: string,
  missing: (why: string) => string,
  signal?: AbortSignal,
  run: RunClient = runClient,
): Promise<string> {
  const reasons: string[] = [];
  const ways = [
    () => throughDeno(folder, run, signal),
    () => throughNpm(folder, run, cache, signal),
  ];
  for (const fetch of ways) {
    try {
      return await fetch();
    } catch (error) {
      signal?.throwIfAborted();
      reasons.push((error as Error).message);
    }
  }
  const why = `could not be fetched with deno (${reasons[0]}) or npm (${reasons[1]})`;
  throw new DataError(missing(why));
}
