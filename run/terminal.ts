/**
 * What the terminal is able to show.
 *
 * @module
 */

/** How a terminal shows images, and how many pixels a character takes there. */
export interface Graphics {
  readonly kind: "kitty" | "sixel" | "blocks";
  readonly cell: { readonly width: number; readonly height: number };
}

const BLOCKS: Graphics = { kind: "blocks", cell: { width: 1, height: 2 } };
/** Where a terminal does not tell. */
const CELL = { width: 8, height: 16 };

/** Asks for kitty's graphics, the size of a character and, as every terminal answers this, its attributes. */
export const QUESTION = "\x1b_Gi=1,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[16t\x1b[c";

const TENTHS = 2; // of a second that the terminal has for a part of its answer

/** Whether an answer is complete. */
export function isComplete(answer: string): boolean {
  // deno-lint-ignore no-control-regex
  return /\x1b\[\?[\d;]*c/.test(answer);
}

/** What an answer to {@linkcode QUESTION} says. */
export function graphicsOf(answer: string): Graphics {
  // deno-lint-ignore no-control-regex
  const [, height, width] = /\x1b\[6;(\d+);(\d+)t/.exec(answer) ?? [];
  const cell = Number(height) && Number(width)
    ? { width: Number(width), height: Number(height) }
    : CELL;
  // deno-lint-ignore no-control-regex
  if (/\x1b_Gi=1;OK\x1b\\/.test(answer)) return { kind: "kitty", cell };
  // deno-lint-ignore no-control-regex
  const attributes = /\x1b\[\?([\d;]*)c/.exec(answer)?.[1].split(";") ?? [];
  return attributes.slice(1).includes("4") ? { kind: "sixel", cell } : BLOCKS;
}

/** Whether the program may ask: it is in the foreground, where reading does not stop it. */
function isInForeground(): boolean {
  try {
    const [, , group, , , foreground] = Deno.readTextFileSync("/proc/self/stat").split(") ")[1]
      .split(" ");
    return group === foreground;
  } catch {
    return false; // no Linux
  }
}

function stty(...args: string[]): string {
  const { code, stdout } = new Deno.Command("stty", { args, stdin: "inherit", stderr: "null" })
    .outputSync();
  if (code !== 0) throw new Error("stty failed");
  return new TextDecoder().decode(stdout).trim();
}

/** Whether something has been typed that nobody has read: it would be taken for a part of the answer. */
function isTypedAhead(): boolean {
  try {
    const args = ["-c", "read -t 0"]; // looks, and takes nothing
    return new Deno.Command("bash", { args, stdin: "inherit", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false; // no bash
  }
}

/**
 * Asks the terminal how it shows images. Reading ends by the terminal driver's own clock, so that nothing
 * is left that would take what is typed later; Ctrl-C ends the program as ever.
 *
 * @returns Undefined where there is no terminal, or where no colours are wanted.
 */
export function askTerminal(
  out: { readonly isTerminal: () => boolean } = Deno.stdout,
): Graphics | undefined {
  if (Deno.env.get("NO_COLOR") || !out.isTerminal()) return undefined;
  if (["dumb", "linux"].includes(Deno.env.get("TERM") ?? "dumb")) return undefined;
  if (!Deno.stdin.isTerminal() || !isInForeground()) return BLOCKS;
  let before: string | undefined;
  try {
    before = stty("-g");
    stty("-icanon", "-echo", "min", "0", "time", String(TENTHS));
    if (isTypedAhead()) return BLOCKS;
    Deno.stdout.writeSync(new TextEncoder().encode(QUESTION));
    const part = new Uint8Array(256);
    let answer = "";
    while (!isComplete(answer)) {
      const length = Deno.stdin.readSync(part);
      if (!length) break;
      answer += new TextDecoder("latin1").decode(part.subarray(0, length));
    }
    return graphicsOf(answer);
  } catch {
    return BLOCKS; // no stty
  } finally {
    if (before !== undefined) stty(before);
  }
}
