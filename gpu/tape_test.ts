import { assertEquals, assertThrows } from "@std/assert";
import { fromBytes } from "../kernels/bytes.ts";
import { add, affine } from "../kernels/elementwise.ts";
import { lerpInto } from "../kernels/lerp.ts";
import { uniform } from "../kernels/random.ts";
import { empty, type Tensor, tensor } from "../tensor/tensor.ts";
import { gpu, SLOTS } from "./gpu.ts";
import { release } from "./memory.ts";
import { effect, type Live } from "./record.ts";
import { Player } from "./tape.ts";
import { openGpu } from "./engines/deno.ts";

await openGpu();

const sumsPlayer = () => new Player((y: Tensor) => [y.storage]);

/** A step of numbers, an upload and an effect; its numbers are live, or those of when it is recorded. */
function stepper(live: boolean) {
  const state = { steps: 0 }, y = tensor([0, 0], [2]);
  const here = <T>(value: () => T): Live<T> => live ? value : value() as Live<T>;
  const body = () => {
    effect(() => state.steps++);
    const bytes = fromBytes(() => Uint8Array.of(state.steps, 255 - state.steps), [2]);
    const noise = uniform([2], { seed: 1, stream: 1, counter: here(() => state.steps) });
    lerpInto(y.storage, add(bytes, noise).storage, here(() => 1 / state.steps));
    return add(y, y);
  };
  return { state, body };
}

async function run(live: boolean, keys: string) {
  const player = sumsPlayer(), { state, body } = stepper(live), found: number[][] = [];
  for (const key of keys) found.push([...await player.step(key, body).read()]);
  player.forget();
  return { found, played: player.played, steps: state.steps };
}

Deno.test("what is live is found anew each time that a step is played", async () => {
  const recorded = await run(false, "aaaaaa"), played = await run(true, "aaaaaa");
  assertEquals(recorded.played, 0); // numbers that change without being live are noticed
  assertEquals(played.played, 4);
  assertEquals(played.found, recorded.found);
  assertEquals(played.steps, 6);
});

Deno.test("steps of several keys are played in any order", async () => {
  const order = "aabbabbabaaab", recorded = await run(false, order);
  const played = await run(true, order);
  assertEquals(played.played, order.length - 4);
  assertEquals(played.found, recorded.found);
});

Deno.test("what a player works in is its own until it forgets", () => {
  const player = sumsPlayer(), { body } = stepper(true);
  for (let i = 0; i < 3; i++) player.step("", body);
  const before = gpu().counters.bytes;
  for (let i = 0; i < 3; i++) player.step("", body);
  assertEquals(gpu().counters.bytes, before);
  // All that is free is taken: none of it may be the player's.
  const shape = [2], taken = Array.from({ length: 20 }, () => empty(shape));
  const more = gpu().counters.bytes;
  player.forget();
  const again = Array.from({ length: 4 }, () => empty(shape));
  assertEquals(gpu().counters.bytes, more, "what it gave back is used again");
  for (const { storage } of [...taken, ...again]) release(storage);
});

Deno.test("a step of more dispatches than one submit holds is played", async () => {
  const n = 2 * SLOTS + 10, start = { at: 0 }, one = tensor([1], [1]), player = sumsPlayer();
  const body = () => {
    let y = affine(one, () => start.at, 0);
    for (let i = 1; i < n; i++) y = affine(y, 1, i === SLOTS ? 1000 : 1);
    effect(() => start.at++);
    return y;
  };
  for (let i = 0; i < 5; i++) {
    assertEquals([...await player.step("", body).read()], [i + n - 1 + 999]);
    // Else the played one would begin in the same slot each time.
    for (let j = 0; j < 100 * i; j++) release(affine(one, 1, 0).storage);
  }
  assertEquals(player.played, 3);
  player.forget();
  release(one.storage);
});

Deno.test("a step of something else each time is not played", async () => {
  const player = sumsPlayer(), xs = [1, 2, 3, 4].map((value) => tensor([value], [1]));
  for (const [i, x] of xs.entries()) {
    assertEquals([...await player.step("", () => add(x, x)).read()], [2 * (i + 1)]);
  }
  assertEquals(player.played, 0);
  player.forget();
  for (const { storage } of xs) release(storage);
});

Deno.test("steps that are not played take no more memory each time, nor does one that fails", () => {
  const player = sumsPlayer(), { body } = stepper(false);
  const step = () => player.step("", body);
  for (let i = 0; i < 3; i++) step();
  const before = gpu().counters.bytes;
  for (let i = 0; i < 20; i++) step();
  assertThrows(() => player.step("", () => (body(), add(empty([2]), empty([3])))), RangeError);
  for (let i = 0; i < 3; i++) step();
  assertEquals(gpu().counters.bytes, before);
  player.forget();
});
