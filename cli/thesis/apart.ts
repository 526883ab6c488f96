/**
 * Training in a process of its own: what ends one run, a driver included, does not end the next.
 *
 * @module
 */

const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

/** What `gan train` may do, as in the script `gan`; on Windows "/" is one drive of several. */
const FILES = Deno.build.os === "windows" ? ["-R", "-W"] : ["-R=/", "-W=/"];
const PERMISSIONS = [...FILES, "-E", "-S", "--allow-run=deno,npm", "--no-prompt"];

/** `gan train` with these words, as this very program; returns its exit code. */
export async function trainApart(args: string[]): Promise<number> {
  const program = Deno.build.standalone ? [] : ["run", ...PERMISSIONS, Deno.mainModule];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...program, "train", ...args],
    stdin: "null",
  }).spawn();
  // Asked to end, the run writes a checkpoint; a terminal's Ctrl-C reaches it by itself.
  let stopped = false;
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      stopped = true;
      if (signal !== "SIGINT" || !Deno.stdin.isTerminal()) end(child, signal);
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  try {
    const { code } = await child.status;
    return stopped ? 130 : code;
  } finally {
    for (const release of listeners) release();
  }
}

function end(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended already
  }
}
