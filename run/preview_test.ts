import { assert, assertEquals } from "@std/assert";
import { openGpu } from "../gpu/engines/deno.ts";
import { datasetOf } from "../tests/dataset.ts";
import { trainIn } from "../tests/train_in.ts";
import { dcgan } from "../train/dcgan.ts";
import { defaults } from "../train/options.ts";
import { newState } from "../train/state.ts";
import { arranged, drawn } from "./preview.ts";
import { Progress } from "./progress.ts";
import { graphicsHere, graphicsOf } from "./terminal.ts";

await openGpu();

/** What terminals answer to the question of the script `gan`, as their manuals and sources have it. */
const ANSWERS: [name: string, answer: string, expected: ReturnType<typeof graphicsOf>][] = [
  ["tmux 3.3a", "\x1b[?1;2c", { kind: "blocks", cell: { width: 1, height: 2 } }],
  ["xterm -ti vt340", "\x1b[6;13;6t\x1b[?63;1;2;4;6;9;15;22c", {
    kind: "sixel",
    cell: { width: 6, height: 13 },
  }],
  ["foot", "\x1b[6;20;10t\x1b[?62;4;22;28c", { kind: "sixel", cell: { width: 10, height: 20 } }],
  ["kitty", "\x1b_Gi=1;OK\x1b\\\x1b[6;18;9t\x1b[?62;c", {
    kind: "kitty",
    cell: { width: 9, height: 18 },
  }],
  ["a kitty that refuses", "\x1b_Gi=1;ENOENT:no\x1b\\\x1b[?62;c", {
    kind: "blocks",
    cell: { width: 1, height: 2 },
  }],
  ["vt340 without a size", "\x1b[?63;4c", { kind: "sixel", cell: { width: 8, height: 16 } }],
  ["a VT100 with 4 as its class", "\x1b[?4c", { kind: "blocks", cell: { width: 1, height: 2 } }],
  ["none", "", { kind: "blocks", cell: { width: 1, height: 2 } }],
];

for (const [name, answer, expected] of ANSWERS) {
  Deno.test(`the answer of ${name} says how images are shown`, () => {
    assertEquals(graphicsOf(answer), expected);
  });
}

Deno.test("nothing is drawn in a pipe, without colours or on a dumb terminal", () => {
  const before = ["NO_COLOR", "TERM"].map((name) => [name, Deno.env.get(name)] as const);
  const on = (terminal: boolean, TERM: string, NO_COLOR: string) => {
    Deno.env.set("TERM", TERM);
    Deno.env.set("NO_COLOR", NO_COLOR);
    return graphicsHere({ isTerminal: () => terminal });
  };
  try {
    assertEquals(on(false, "xterm", ""), undefined);
    assertEquals(on(true, "xterm", "1"), undefined);
    assertEquals(on(true, "dumb", ""), undefined);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
});

Deno.test("images are as large as the least number of them allows, in whole rows", () => {
  const blocks = { kind: "blocks", cell: { width: 1, height: 2 } } as const;
  const of = (width: number, height: number, least = 6) =>
    arranged(64, 32, { width, height, least });
  assertEquals(of(59, 40), { side: 16, across: 3, count: 6 });
  assertEquals(of(79, 40), { side: 16, across: 4, count: 8 });
  assertEquals(of(159, 80), { side: 32, across: 4, count: 8 });
  assertEquals(of(9, 9), { side: 8, across: 1, count: 1 });
  assertEquals(of(7, 40), undefined);
  assertEquals(of(632, 320, 16), { side: 64, across: 9, count: 45 }); // pixels may be enlarged
  const grey = new Uint8Array(64 * 8 * 8 * 3).fill(128);
  assertEquals(drawn(grey, 64, 8, blocks, { columns: 60, rows: 24 })?.rows, 20);
  assertEquals(drawn(grey, 64, 8, blocks, { columns: 60, rows: 5 }), undefined);
  // Open MPI gives its processes a terminal without columns and rows.
  assertEquals(drawn(grey, 64, 8, blocks, { columns: 0, rows: 24 }), undefined);
  assertEquals(drawn(grey, 64, 8, blocks, { columns: 0, rows: 0 }), undefined);
  assertEquals(of(40, -4), undefined);
});

Deno.test("images stand above the live line, and are replaced unless something was said", () => {
  const texts: string[] = [], write = (text: string) => void texts.push(text);
  const progress = new Progress({ style: "live", write, width: () => 60, now: () => 0 });
  const picture = { text: "A\nB\n", rows: 2 };
  progress.picture(picture);
  progress.report({ images: 1, total: 2 });
  progress.picture(picture);
  progress.say("said");
  progress.picture(picture);
  const line = "\r0.00/0.00 kimg  ████░░░░ 50%\x1b[K", clear = "\r\x1b[K";
  assertEquals(
    texts.join("|"),
    [
      `${clear}A\nB\n`,
      line,
      `${clear}\x1b[2A\x1b[JA\nB\n`,
      line,
      `${clear}said\n`,
      line,
      `${clear}A\nB\n`,
      line,
    ].join("|"),
  );
});

for (const style of ["lines", "json"] as const) {
  Deno.test(`images are not written to ${style}`, () => {
    const progress = new Progress({ style, write: () => assertEquals("written", "nothing") });
    progress.picture({ text: "A\n", rows: 1 });
  });
}

Deno.test("a run shows the images of each grid, and the live line after them", async () => {
  const folder = await Deno.makeTempDir(), texts: string[] = [];
  const write = (text: string) => void texts.push(text);
  const small = { resolution: 8, batch: 4, nz: 4, ngf: 4, ndf: 4, kimg: 0.008, snapshot: 0.004 };
  const state = newState(dcgan, { ...defaults, recipe: "dcgan", preset: "default", ...small });
  const progress = new Progress({ style: "live", write, width: () => 60 });
  const shown: number[] = [];
  const draw = (pixels: Uint8Array, n: number, R: number) => {
    shown.push(pixels.length / (n * R * R * 3));
    return { text: "IMAGES\n", rows: 1 };
  };
  try {
    await trainIn({ state, dataset: datasetOf(8), run: folder, progress, draw });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(shown, [1, 1]);
  assertEquals(texts.filter((text) => text.includes("IMAGES")).length, 2);
  assert(texts.findLastIndex((text) => text.startsWith("\r0.01/0.01 kimg")) > 0);
});
