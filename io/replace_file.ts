import { dirname } from "@std/path";
import { named } from "./write_atomically.ts";

const CHUNK = 1 << 26; // one write of more than 2 GB fails on some systems
const SMALL = 1 << 16; // written and renamed at once, which takes a tenth of the time of handing it to a thread

/**
 * Writes a file beside its place and then renames it, so that nobody ever sees half of it.
 *
 * @param path Where the file goes; its folder is made if it is not there.
 * @param bytes What it holds.
 */
export async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  const beside = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    try {
      await write(beside, bytes);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.mkdir(dirname(path), { recursive: true });
      await write(beside, bytes);
    }
    if (bytes.length <= SMALL) Deno.renameSync(beside, path);
    else await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw named(error, path);
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  if (bytes.length <= SMALL) return Deno.writeFileSync(path, bytes, { createNew: true });
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let done = 0; done < bytes.length;) {
    done += await file.write(bytes.subarray(done, done + CHUNK));
  }
}
