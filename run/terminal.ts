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

/** What an answer to the question of the script `gan` says: about kitty's protocol, a cell, attributes. */
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

/**
 * How the terminal shows images. The script `gan` has asked it before: a program that Deno runs can neither
 * limit the time of a read nor tell whether it is in the foreground.
 *
 * @returns Undefined where there is no terminal, or where no colours are wanted.
 */
export function graphicsHere(
  out: { readonly isTerminal: () => boolean } = Deno.stdout,
): Graphics | undefined {
  if (Deno.env.get("NO_COLOR") || !out.isTerminal()) return undefined;
  if (["dumb", "linux"].includes(Deno.env.get("TERM") ?? "dumb")) return undefined;
  return graphicsOf(Deno.env.get("GAN_TERMINAL") ?? "");
}
