/** Runs one test file in a copy of the checkout, within limits of time and memory. */

/** How a run of a test file ended. */
export interface Outcome {
  readonly state: "passed" | "failed" | "hung" | "invalid";
  /** Of the processor where `/proc` tells them, so that a busy machine changes nothing. */
  readonly seconds: number;
  /** Name of the test that failed; none where the file could not be loaded. */
  readonly failed?: string | undefined;
}

/** More than any test that is used here takes, so that a mutant cannot take the machine's memory. */
const MOST_BYTES = 4e9;
/** Elapsed seconds for one second of the processor, beyond which a test waits for nothing. */
const PATIENCE = 8;

/** What compilers say of a text that is not of their language. */
const REFUSED = /could not be parsed|cannot be had: .*(parsing|validation) error|SyntaxError: /;

/** Whether the type checker accepts a file. */
export async function hasTypes(folder: string, file: string): Promise<boolean> {
  const args = ["check", "--quiet", "--cached-only", file];
  const command = new Deno.Command(Deno.execPath(), { args, cwd: folder, stderr: "null" });
  return (await command.output()).success;
}

/** Memory and time of the processor of a process; zeros where there is no `/proc`. */
function usage(pid: number): { bytes: number; seconds: number } {
  try {
    const bytes = 4096 * Number(Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[1]);
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { bytes, seconds: ticks / 100 };
  } catch {
    return { bytes: 0, seconds: 0 };
  }
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // it ended
  }
}

/**
 * Runs `test` in `folder`; what it started ends with it.
 *
 * @param limit Seconds of the processor.
 * @param only Part of the names of the tests to run.
 */
export async function runTest(
  folder: string,
  test: string,
  limit: number,
  only?: string,
): Promise<Outcome> {
  const start = performance.now();
  const filter = only === undefined ? [] : ["--filter", only];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--cached-only", "--fail-fast", "--quiet", ...filter, test],
    cwd: folder,
    env: {
      LP_NUM_THREADS: "1",
      NO_COLOR: "1",
      DENO_WEBGPU_BACKEND: Deno.env.get("DENO_WEBGPU_BACKEND") ?? "vulkan,metal,dx12",
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true, // a group of its own
  }).spawn();
  let isOver = false, seconds = 0;
  const watch = setInterval(() => {
    const elapsed = (performance.now() - start) / 1000, used = usage(child.pid);
    seconds = Math.max(seconds, used.seconds, elapsed / PATIENCE);
    if (seconds < limit && used.bytes < MOST_BYTES) return;
    isOver = true;
    killGroup(child.pid);
  }, 250);
  const { success, stdout, stderr } = await child.output();
  clearInterval(watch);
  killGroup(child.pid);
  if (isOver) return { state: "hung", seconds };
  if (success) return { state: "passed", seconds };
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (REFUSED.test(said)) return { state: "invalid", seconds };
  const failed = /^ FAILURES \n\n(.*) => /m.exec(said)?.[1].split(" ... ")[0];
  return { state: "failed", seconds, failed };
}
