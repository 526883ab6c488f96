// deno-lint-ignore-file no-control-regex
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import pngjs from "pngjs";
import { halfBlocks, kitty, sixels } from "./terminal_image.ts";

const image = (width: number, height: number, ...rgb: number[]) => ({
  width,
  height,
  rgb: Uint8Array.from(rgb),
});

Deno.test("half blocks: two pixels a character, each colour said once, an odd row without a background", () => {
  const red = [255, 0, 0], blue = [0, 0, 255];
  assertEquals(halfBlocks(image(2, 3, ...red, ...red, ...blue, ...blue, ...blue, ...red)), {
    text: "\x1b[38;2;255;0;0;48;2;0;0;255m▀▀\x1b[0m\n" +
      "\x1b[38;2;0;0;255;49m▀\x1b[38;2;255;0;0;49m▀\x1b[0m\n",
    rows: 2,
  });
});

/** The pixels of sixel graphics, in percent, as the DEC manual EK-VT330-PO-001 has them. */
function ofSixels(text: string): number[][][] {
  const [, width, height, body] = /^\x1bP0;1q"1;1;(\d+);(\d+)(.*)\x1b\\\n$/.exec(text)!;
  const palette = new Map<string, number[]>(), rows: number[][][] = [];
  for (let y = 0; y < Number(height); y++) rows.push(Array(Number(width)).fill([]));
  let x = 0, top = 0, colour: number[] = [];
  for (
    const [, set, r, g, b, use, times, one, move] of body.matchAll(
      /#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|(?:!(\d+))?([?-~])|([$-])/g,
    )
  ) {
    if (set) palette.set(set, [r, g, b].map(Number));
    else if (use) colour = palette.get(use)!;
    else if (move) [x, top] = [0, move === "-" ? top + 6 : top];
    else {
      const bits = one.charCodeAt(0) - 63;
      for (let i = 0; i < Number(times ?? 1); i++, x++) {
        for (let y = 0; y < 6; y++) if (bits >> y & 1) rows[top + y][x] = colour;
      }
    }
  }
  return rows;
}

Deno.test("sixels: every pixel has a colour of the palette near its own", () => {
  const [width, height] = [9, 14];
  const rgb = Array.from({ length: width * height * 3 }, (_, i) => i * 37 % 256);
  const { text, rows } = sixels(image(width, height, ...rgb), 6), found = ofSixels(text);
  assertEquals(rows, 3);
  const steps = [20, 100 / 6, 20]; // percent from one level to the next
  const far = found.flat(2).filter((percent, i) =>
    Math.abs(percent - rgb[i] / 2.55) > steps[i % 3] + 0.5
  );
  assertEquals([found.flat(2).length, far], [rgb.length, []]);
});

Deno.test("sixels: black and white stay so, and repeats are counted", () => {
  const { text } = sixels(image(8, 1, ...Array(12).fill(0), ...Array(12).fill(255)), 16);
  assertEquals(
    text.replace(/(#\d+;2;\d+;\d+;\d+)+/, "PALETTE"),
    '\x1bP0;1q"1;1;8;1PALETTE#0!4@!4?$#251!4?!4@-\x1b\\\n',
  );
});

Deno.test("kitty's protocol: a PNG in chunks, with room made for it first", () => {
  const size = 48, rgb = Array.from({ length: size * size * 3 }, (_, i) => i * i * 31 % 251);
  const { text, rows } = kitty(image(size, size, ...rgb), 20);
  assertEquals(rows, 3);
  const [, before, commands, after] = /^(\n*\x1b\[3A)((?:\x1b_G[^\x1b]*\x1b\\)*)(.*)$/s.exec(text)!;
  assertEquals([before, after], ["\n\n\n\x1b[3A", "\x1b[3B\r"]);
  const all = [...commands.matchAll(/_G([^;]*);([^\x1b]*)/g)];
  const keys = all.map(([, keys]) => keys);
  assertEquals(keys[0], "a=T,f=100,i=1,p=1,q=2,C=1,r=3,m=1");
  assertEquals(new Set(keys.slice(1, -1)), new Set(["q=2,m=1"]));
  assertEquals(keys.at(-1), "q=2,m=0");
  const png = pngjs.PNG.sync.read(Buffer.from(all.map(([, , data]) => data).join(""), "base64"));
  assertEquals([png.width, png.height, [...png.data.subarray(0, 3)]], [
    size,
    size,
    rgb.slice(0, 3),
  ]);
});
