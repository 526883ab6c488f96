import { Progress } from "../run/progress.ts";

/** Progress, and a signal that ends a run with a checkpoint. */
export interface Interruptible {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Gives the system's signals back. */
  readonly release: () => void;
}

/**
 * Lets a run be stopped: by Ctrl-C (the second one ends the program at once), by the system's request
 * to end, and by the end of the terminal or program that progress is written to.
 *
 * Open MPI's launcher passes Ctrl-C on as SIGCONT, a second later SIGTERM, and two later SIGKILL: what
 * it has started stops at the first of them.
 */
export function interruptible(json: boolean): Interruptible {
  const controller = new AbortController();
  const abort = () => controller.abort(new DOMException("stopped by the user", "AbortError"));
  const progress = new Progress({ ...json && { style: "json" }, onLost: abort });
  const stop = () => {
    if (controller.signal.aborted) return;
    progress.say("Stopping, and keeping what there is; Ctrl-C again ends at once");
    abort();
  };
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(130);
    stop();
  };
  const listeners: [Deno.Signal, () => void][] = [["SIGINT", interrupt]];
  if (Deno.build.os !== "windows") {
    listeners.push(["SIGTERM", stop], ["SIGHUP", stop]);
    if (Deno.env.has("OMPI_COMM_WORLD_RANK")) listeners.push(["SIGCONT", stop]);
  }
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  const release = () =>
    listeners.forEach(([signal, listener]) => Deno.removeSignalListener(signal, listener));
  return { progress, signal: controller.signal, release };
}
