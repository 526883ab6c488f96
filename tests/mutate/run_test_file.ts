/** Runs one test file in a copy of the checkout, within limits of time and memory. */

/** How a run of a test file ended. */
export interface Outcome {
  readonly state: "passed" | "failed" | "hung" | "invalid";
  readonly seconds: number;
}

/** More than any test that is used here takes, so that a mutant cannot take the machine's memory. */
const MOST_BYTES = 4e9;

/** What compilers say of a text that is not of their language. */
const REFUSED = /could not be parsed|cannot be had: .*(parsing|validation) error|SyntaxError: /;

/** Whether the type checker accepts a file. */
export async function hasTypes(folder: string, file: string): Promise<boolean> {
  const args = ["check", "--quiet", "--cached-only", file];
  const command = new Deno.Command(Deno.execPath(), { args, cwd: folder, stderr: "null" });
  return (await command.output()).success;
}

function residentBytes(pid: number): number {
  try {
    return 4096 * Number(Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[1]);
  } catch {
    return 0; // it ended, or this is no Linux
  }
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // it ended
  }
}

/** Runs `test` in `folder`; what it started ends with it. */
export async function runTest(folder: string, test: string, limit: number): Promise<Outcome> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--cached-only", "--fail-fast", "--quiet", test],
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
  let isOver = false;
  const watch = setInterval(() => {
    const late = performance.now() - start > 1000 * limit;
    if (!late && residentBytes(child.pid) < MOST_BYTES) return;
    isOver = true;
    killGroup(child.pid);
  }, 250);
  const { success, stdout, stderr } = await child.output();
  clearInterval(watch);
  killGroup(child.pid);
  const seconds = (performance.now() - start) / 1000;
  if (isOver) return { state: "hung", seconds };
  if (success) return { state: "passed", seconds };
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  return { state: REFUSED.test(said) ? "invalid" : "failed", seconds };
}
