import { basename } from "@std/path";
import { GpuError } from "../gpu/errors.ts";
import { TrainError } from "../train/errors.ts";
import { checkpointsIn, RunError } from "../run/run_folder.ts";

/** The error of a run, with what can be done about it: that depends on whether it has a checkpoint. */
export async function advised(error: unknown, run: string): Promise<unknown> {
  const full = isFull(error);
  if (!(error instanceof TrainError || error instanceof GpuError || full)) return error;
  const last = (await checkpointsIn(run)).at(-1), { message } = error as Error;
  const kept = last === undefined
    ? `${run} has no checkpoint yet`
    : `the last good checkpoint, ${basename(last)}, is kept`;
  if (!full) return new RunError(`${message}; ${kept}`, { cause: error });
  return new RunError(
    `${message}; make room on the disk, then ` +
      (last === undefined
        ? `start again, as ${kept}`
        : `go on from ${basename(last)} with gan train --resume ${run}`),
    { cause: error },
  );
}

/** Whether an error, or what it arose from, is that of a full disk. */
function isFull(error: unknown): boolean {
  return error instanceof Error &&
    ((error as { code?: string }).code === "ENOSPC" || isFull(error.cause));
}
