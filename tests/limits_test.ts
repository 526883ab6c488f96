/** What happens where the device binds less than a tensor, a network or a batch takes. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { recipes } from "../cli/recipes.ts";
import { products } from "../eval/products.ts";
import { grouped, toInput } from "../eval/input.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { TooLargeError } from "../gpu/errors.ts";
import { gpu } from "../gpu/gpu.ts";
import { nonFinite } from "../kernels/finite.ts";
import { lerpInto } from "../kernels/lerp.ts";
import { Adam } from "../nn/adam.ts";
import { scoped, tensor } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import { TrainError } from "../train/errors.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { samples } from "../train/sampling.ts";
import { grow, newState } from "../train/state.ts";
import { datasetOf } from "./dataset.ts";
import { randoms } from "./support.ts";

await openGpu();

/** What `body` gives where `bytes` can be bound at once. */
async function limited<T>(bytes: number, body: () => T | Promise<T>): Promise<T> {
  gpu().bindable = bytes;
  try {
    return await body();
  } finally {
    gpu().bindable = undefined;
  }
}

const buffers: Record<string, () => Promise<ArrayLike<number>>> = {
  "Adam's step": async () => {
    const params = [9000, 1, 30_000, 7, 5].map((n) => tensor(randoms(n, n), [n], true));
    const adam = new Adam(params, { lr: 0.1, betas: [0.5, 0.9] });
    adam.step(params.map(({ size }) => tensor(randoms(size, 8), [size])));
    return (await Promise.all(params.map((p) => p.read()))).flatMap((values) => [...values]);
  },
  "a running average": async () => {
    const [y, x] = [1, 2].map((seed) => tensor(randoms(100_000, seed), [100_000]));
    lerpInto(y.storage, x.storage, 0.25);
    return await y.read();
  },
  "the search for NaN": async () => {
    const bad = (place: number) => randoms(100_001, 1).map((x, i) => i === place ? NaN : x);
    return await nonFinite([-1, 0, 50_000, 100_000].map((at) => tensor(bad(at), [100_001])));
  },
};
for (const [name, make] of Object.entries(buffers)) {
  Deno.test(`${name} goes over a buffer larger than a binding, with the same result`, async () => {
    const dispatches = async (bytes?: number) => {
      const before = gpu().counters.dispatches;
      const made = bytes === undefined ? await make() : await limited(bytes, make);
      return { made, count: gpu().counters.dispatches - before };
    };
    const whole = await dispatches(), apart = await dispatches(66_000);
    assertEquals(apart.made, whole.made);
    assert(apart.count > whole.count);
  });
}

const networks = { batch: 16, ngf: 8, ndf: 8, nz: 10, fmapBase: 64, fmapMax: 8, kimg: 1 };

function stateOf(recipe: string, more: Partial<TrainOptions>) {
  const small = recipes[recipe].presets.small.options;
  const options = { ...defaults, ...small, ...networks, recipe, preset: "small", ...more };
  return { state: newState(recipes[recipe], options) };
}

/** A step's losses, and D's first parameter afterwards. */
async function stepped(recipe: string, more: Partial<TrainOptions>): Promise<number[][]> {
  const { state } = stateOf(recipe, more);
  const made = scoped(() => advance(state, datasetOf(state.stage.resolution)));
  const read = [...Object.values(made), state.D.parameters()[0]].map((t) => t.read());
  return (await Promise.all(read)).map((values) => [...values]);
}

// D sums its gradient at 16 x 16 pixels from [2 N 8 8, 128] columns: 64 KiB an image.
Deno.test("a step that does not fit names the --accumulate that does, and with it is the same as without a limit", async () => {
  const bytes = 192 << 10;
  const refused = () => limited(bytes, () => stepped("dcgan", { accumulate: 1 }));
  const error = await refused().catch((error) => error);
  assert(error instanceof TrainError, `${error}`);
  assert(
    /^[\w.]+: \w+: \w+ \[[\d,]+\] is too large for .*; --accumulate 8 fits this run$/.test(
      error.message,
    ),
    error.message,
  );
  const expected = await stepped("dcgan", { accumulate: 8 });
  assertEquals(await limited(bytes, () => stepped("dcgan", { accumulate: 8 })), expected);
});

// D's largest map is [2 N, R, R, 16]. At 8 pixels two micro-batches would fit, at 16 sixteen are wanted.
Deno.test("networks that grow are told the --accumulate that fits the largest", async () => {
  const more = { resolution: 16, batch: 32, fullBatchTo: 16, fmapBase: 256, fmapMax: 16 };
  const { state } = stateOf("pggan", { ...more, minibatch: "none" });
  state.images = state.schedule.phases[1].from;
  grow(state);
  const step = () => scoped(() => void advance(state, datasetOf(8)));
  await limited(
    96 << 10,
    () => assertThrows(step, TrainError, "--accumulate 16 fits this run"),
  );
});

Deno.test("a step that no number of micro-batches makes fit is refused as it is", async () => {
  const { state } = stateOf("dcgan", {});
  await limited(
    4096,
    () => assertThrows(() => scoped(() => advance(state, datasetOf(32))), TooLargeError),
  );
});

Deno.test("samples are made as many at a time as fit, and are the same", async () => {
  const { state } = stateOf("dcgan", {});
  const sampled = async () => {
    const all: number[] = [];
    for await (const { bytes } of samples(state.G, state.options, 16, 1)) all.push(...bytes);
    return all;
  };
  const expected = await sampled();
  assertEquals(await limited(192 << 10, sampled), expected);
});

Deno.test("products of many features are the same in parts", async () => {
  const features = (count: number) => ({
    count,
    dimension: 12,
    values: Float32Array.from(randoms(12 * count, count)),
  });
  const make = () => products(features(17), features(203));
  const expected = await make();
  assertEquals(await limited(4096, make), expected);
});

Deno.test("an image that is larger than a binding becomes the evaluator's input in strips", async () => {
  const rgb = Uint8Array.from(randoms(3 * 500 * 400, 1), (x) => 127 * (x + 1));
  const make = () =>
    scoped(() => toInput(grouped([{ width: 500, height: 400, rgb }]), "bilinear")).read();
  const expected = await make();
  assertEquals(await limited(1_900_000, make), expected);
});
