import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { reshape } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Activation } from "../nn/layers.ts";
import { latentsAt, render, type SamplingOptions, slerp, walk } from "./sampling.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const length = (v: ArrayLike<number>) => Math.hypot(...Array.from(v));

Deno.test("slerp: ends, an even pace along the arc, lengths between the ends'", () => {
  const a = [3, 0, 0], b = [0, 0, 5];
  assertEquals([...slerp(a, b, 0)], a);
  for (const [i, v] of slerp(a, b, 1).entries()) assertAlmostEquals(v, b[i], 1e-6);
  const third = slerp(a, b, 1 / 3);
  assertAlmostEquals(Math.atan2(third[2], third[0]), Math.PI / 6, 1e-6);
  assertAlmostEquals(length(third), 3 + 2 / 3, 1e-6);
  assertEquals(third[1], 0);
});

Deno.test("slerp: the same and opposite directions are a straight line, and finite", () => {
  assertEquals([...slerp([1, 2], [2, 4], 0.5)], [1.5, 3]);
  assertEquals([...slerp([1, 2], [-1, -2], 0.25)], [0.5, 1]);
  assertThrows(() => slerp([1], [1, 2], 0), RangeError, "1 and 2");
});

// "Images" of 2 x 2 pixels that show the latent itself, so that frames can be read.
const seen: number[] = [];
const G = new Activation((z: Tensor) => {
  seen.push(z.shape[0]);
  return reshape(z, [z.shape[0], 2, 2, 3]);
});
const options = { nz: 12, batch: 2, resolution: 4 };

Deno.test("a walk begins with the seed's own images, ends before them, and moves evenly", async () => {
  const frames: number[][] = [];
  const plan = { count: 3, stops: 3, frames: 4, seed: 5 };
  for await (const frame of walk(G, options, plan)) frames.push([...frame]);
  assertEquals(frames.length, 12);
  assert(seen.every((n) => n <= 2), `batches of ${seen}`);
  const stop = async (
    s: number,
  ) => [...await render(G, options, () => latentsAt(options, 5, 3 * s, 3))];
  assertEquals(frames[0].length, 3 * 4 * 4 * 3); // enlarged to the resolution
  for (const s of [0, 1, 2]) assertEquals(frames[4 * s], await stop(s));
  const change = frames.map((frame, i) =>
    frame.reduce((t, v, k) => t + Math.abs(v - frames[(i + 1) % 12][k]), 0)
  );
  // Bytes are held at 0 and 255; but for that the pace is even.
  assert(Math.min(...change) > 0 && Math.max(...change) < 6 * Math.min(...change), `${change}`);
});

Deno.test("latents: each seed has its own, truncation multiplies random numbers, not the class", async () => {
  const of = async (
    more: Partial<SamplingOptions>,
    seed = 0,
    at = 0,
    n = 1,
  ) => [...await latentsAt({ ...options, ...more }, seed, at, n).read()];
  const nine = await of({}, 9), four = await of({}, 4);
  assertEquals(await of({ seeds: [4, 9, 9] }, 0, 0, 3), [...four, ...nine, ...nine]);
  assertEquals(await of({ seeds: [4, 9] }, 0, 1, 1), nine);
  assertEquals(await of({ truncation: 0.5 }, 9), nine.map((x) => 0.5 * x));
  const told = { conditional: true, classes: "a,b", classOf: () => 1 };
  const length = Math.fround(Math.sqrt(12));
  assertEquals(await of({ ...told, truncation: 0 }), [...new Array(13).fill(0), length]);
});
