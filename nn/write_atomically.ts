/**
 * Writes a file whole or not at all: beside its place first, then moved there.
 *
 * It waits for the disk before the move, so that not even a power cut leaves half a file in the
 * place of a good one.
 *
 * @param path Where to.
 * @param bytes What.
 * @throws {Error} As the system says it, e.g. of a full disk; nothing is left behind then.
 */
export async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeThrough(part, bytes);
    await Deno.rename(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  await file.sync();
}
