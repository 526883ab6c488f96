import { join } from "@std/path";
import { naming } from "../io/write_atomically.ts";
import { RunError } from "./run_folder.ts";

/**
 * Makes this process the only one that trains a run. The system gives the lock back when the process
 * ends, however it ends.
 *
 * @param run Path of the run's folder.
 * @returns What gives it back.
 * @throws {RunError} If another process trains the run.
 */
export async function lockRun(run: string): Promise<Disposable> {
  const path = join(run, ".lock");
  // What a link points to is not ours to write.
  if ((await Deno.lstat(path).catch(() => undefined))?.isSymlink) await Deno.remove(path);
  const file = await Deno.open(path, { read: true, write: true, create: true });
  // A file system without locks has none to hold.
  if (!await file.tryLock(true).catch(() => true)) {
    file.close();
    const owner = await Deno.readTextFile(path).catch(() => "");
    throw new RunError(
      `run: ${run} is being trained by ${owner || "another process"}: ` +
        "stop that first, or wait for its end",
    );
  }
  await naming(path, async () => {
    await file.truncate();
    await file.write(new TextEncoder().encode(`process ${Deno.pid} on ${Deno.hostname()}`));
  });
  let open = true;
  const close = () => {
    if (open) file.close();
    open = false;
  };
  return { [Symbol.dispose]: close };
}
