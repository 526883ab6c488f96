import { basename, resolve } from "@std/path";
import { DataError } from "./errors.ts";
import { isPicturePath, isVisible, type Listed, sortByName, type Source } from "./source.ts";

// Between two looks at the event loop, so that an interrupt is seen.
const STRIDE = 1000;

/** Links to files are followed, links to folders are not: they may lead in circles. */
async function list(root: string, signal?: AbortSignal): Promise<Listed<string>[]> {
  const found: Listed<string>[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of Deno.readDirSync(`${root}/${folder}`)) {
      const name = folder + entry.name;
      if (entry.isDirectory && isVisible(entry.name)) folders.push(`${name}/`);
      if (entry.isDirectory || !isPicturePath(entry.name)) continue;
      const path = `${root}/${name}`;
      let info: Deno.FileInfo | undefined;
      try {
        info = Deno.statSync(path);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      // A dangling link is listed, and will be named as broken when it is read.
      const stamp = info ? `${info.size} ${info.mtime?.getTime()}` : "missing";
      if (info?.isFile !== false) found.push({ name, stamp, handle: path });
      if (found.length % STRIDE === 0) {
        await new Promise((resume) => setTimeout(resume));
        signal?.throwIfAborted();
      }
    }
  }
  return sortByName(found);
}

/**
 * The pictures in a folder and in the folders within it.
 *
 * @param path The folder.
 * @param signal Stops the listing.
 * @returns The source.
 * @throws {DataError} If the folder cannot be listed.
 */
export async function openFolder(path: string, signal?: AbortSignal): Promise<Source> {
  let found: Listed<string>[];
  try {
    found = await list(path, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw new DataError(
      `data: the folder ${path} cannot be listed (${(error as Error).message}); ` +
        "check its permissions",
      { cause: error },
    );
  }
  return {
    name: basename(resolve(path)),
    names: found.map((file) => file.name),
    stamps: found.map((file) => `${file.name}\t${file.stamp}`),
    read: (index) => Deno.readFile(found[index].handle),
    close: () => Promise.resolve(),
  };
}
