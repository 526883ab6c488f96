import { join } from "@std/path";

/**
 * Writes a file whole or not at all: beside its place first, under a name that nobody else has, then
 * moved there.
 *
 * It waits for the disk before the move, so that not even a power cut leaves half a file in the
 * place of a good one.
 *
 * @param path Where to; a link there is replaced, not followed.
 * @param bytes What.
 * @throws {Error} As the system says it, e.g. of a full disk, with the path; nothing is left behind
 *   then.
 */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.${crypto.randomUUID()}.part`;
  try {
    await writeThrough(part, bytes);
    await Deno.rename(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw named(error, path);
  }
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
}

/** What {@linkcode writeAtomically} has left beside a file if it was killed. */
const LEFT = /^(.+?)(\.[0-9a-f-]{8,36})?\.part$/;

/**
 * Removes what writers that were killed left in a folder.
 *
 * @param ours Whether a file is of those that the caller writes, by its name without what was added.
 * @param idle Milliseconds since it was written to, where others may be writing.
 */
export async function removeLeft(
  folder: string,
  ours: (name: string) => boolean,
  idle = 0,
): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const file = LEFT.exec(name)?.[1], path = join(folder, name);
    if (isDirectory || file === undefined || !ours(file)) continue;
    if (idle > 0) {
      const { mtime } = await Deno.stat(path);
      if (Date.now() - Number(mtime) < idle) continue;
    }
    await Deno.remove(path);
  }
}

/**
 * Does something with a file; errors of the system then name it, as not all of them do.
 *
 * @param path The file.
 * @param work What to do.
 */
export async function naming<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw named(error, path);
  }
}

/** The error, with the path in its message unless it names one, and without what was added to that. */
export function named(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  error.message = error.message.replace(/\.[0-9a-f-]{8,36}\.part(?=')/g, "");
  if (!error.message.includes(path) && !/: \w+ '.+'/.test(error.message)) {
    error.message = `${path}: ${error.message}`;
  }
  return error;
}
