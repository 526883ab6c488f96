import { assert, assertEquals, assertThrows } from "@std/assert";
import { gpu } from "../gpu/gpu.ts";
import { conv2d } from "../kernels/conv2d.ts";
import { add } from "../kernels/elementwise.ts";
import { sum } from "../kernels/reduce.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { Adam } from "./adam.ts";
import { fromEntries, toEntries } from "./checkpoint.ts";
import { TRAINING } from "./context.ts";
import { grad } from "./grad.ts";
import { normalInit } from "./init.ts";
import { BatchNorm2d, Conv2d, ConvTranspose2d, Linear, Sequential } from "./layers.ts";
import { Module } from "./module.ts";
import { PowerIteration } from "./power_iteration.ts";
import { hostRandom } from "./random.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const geometry = { kernel: 2, stride: 1, padding: 0, spectral: true };

/** Layers of each kind, two of them normalised. */
class Net extends Module {
  readonly blocks;
  readonly output: Linear;
  constructor(seed = 1) {
    super();
    const init = normalInit(hostRandom(seed), 0.3);
    this.blocks = [
      { conv: new Conv2d(2, 3, geometry, init), norm: new BatchNorm2d(3) },
      { up: new ConvTranspose2d(3, 2, geometry, init) },
    ];
    this.output = new Linear(4, 3, init, { spectral: true });
  }
  override forward(x: Tensor): Tensor {
    return this.blocks[1].up!.forward(this.blocks[0].conv!.forward(x));
  }
}
const at = (net: Module, name: string) => [...net.named()].find(([path]) => path === name)![1];

Deno.test("a normalised layer has PyTorch's names, in a checkpoint PyTorch's shapes", async () => {
  const entries = await toEntries(new Net().named());
  const shapes = [...entries].filter(([name]) => !name.includes("norm"))
    .map(([name, { shape }]) => `${name} ${shape}`);
  assertEquals(shapes, [
    "blocks.0.conv.weight_orig 3,2,2,2",
    "blocks.0.conv.weight_u 3",
    "blocks.0.conv.weight_v 8",
    "blocks.0.conv.bias 3",
    "blocks.1.up.weight_orig 3,2,2,2",
    "blocks.1.up.weight_u 2",
    "blocks.1.up.weight_v 12",
    "blocks.1.up.bias 2",
    "output.weight_orig 3,4",
    "output.weight_u 3",
    "output.weight_v 4",
    "output.bias 3",
  ]);
  const other = new Net(2);
  fromEntries(other.named(), entries, "test");
  for (const [name, t] of new Net().named()) {
    assertEquals(await at(other, name).read(), await t.read(), name);
  }
  // [kh, kw, C] on the device; the channel comes first in the file
  const v = await at(other, "blocks.0.conv.weight_v").read();
  assertEquals(entries.get("blocks.0.conv.weight_v")!.data[1], v[2]);
});

Deno.test("a step of PowerIteration serves all layers of a kind in four dispatches", () => {
  const init = normalInit(hostRandom(1), 1);
  const convs = [[2, 4], [4, 8], [3, 16]].map(([i, o]) => new Conv2d(i, o, geometry, init));
  const ups = [[4, 2], [8, 3]].map(([i, o]) => new ConvTranspose2d(i, o, geometry, init));
  const net = new Sequential(...convs, ...ups, new Linear(12, 5, init, { spectral: true }));
  new Adam(net.parameters(), { lr: 1, betas: [0, 0.9] });
  const iteration = new PowerIteration(net), before = gpu().counters.dispatches;
  scoped(() => iteration.step());
  assertEquals(gpu().counters.dispatches - before, 8); // rows last, as in Conv2d, and columns last
});

Deno.test("PowerIteration moves the vectors alone, to the weight's", async () => {
  const net = new Net(), adam = new Adam(net.parameters(), { lr: 1, betas: [0, 0.9] });
  const iteration = new PowerIteration(net);
  const weights = await Promise.all(net.parameters().map((t) => t.read()));
  for (let i = 0; i < 200; i++) scoped(() => iteration.step());
  assertEquals(await Promise.all(adam.params.map((t) => t.read())), weights);
  const sigmas = iteration.sigmas();
  assertEquals(Object.keys(sigmas), ["blocks.0.conv", "blocks.1.up", "output"]);
  // u is W v / sigma
  const [w, u, v] = await Promise.all(
    ["weight_orig", "weight_u", "weight_v"].map((name) => at(net, `output.${name}`).read()),
  );
  const [sigma] = await sigmas.output.read();
  const Wv = [0, 1, 2].map((r) => v.reduce((t, e, i) => t + e * w[4 * r + i], 0) / sigma);
  assertClose("u", u, Wv, { atol: 1e-5 });
});

Deno.test("what is normalised is shared by passes, and made anew when the weight has changed", async () => {
  const net = new Net(), x = tensor(randoms(18, 1), [1, 3, 3, 2]);
  const conv = net.blocks[0].conv!;
  const adam = new Adam(net.parameters(), { lr: 0.1, betas: [0, 0.9] });
  const iteration = new PowerIteration(net);
  const dispatches = (body: () => unknown) => {
    const before = gpu().counters.dispatches;
    body();
    return gpu().counters.dispatches - before;
  };
  const fresh = dispatches(() => noGrad(() => conv.forward(x)));
  const again = dispatches(() => noGrad(() => conv.forward(x)));
  assert(again < fresh, `${again} dispatches after ${fresh}`);
  // Made without a graph, it has no gradient: a graph needs its own.
  const y = conv.forward(x), [dw] = grad(sum(y), [conv.weight_orig!]);
  assert((await dw.read()).some((e) => e !== 0));
  assertClose("y", await y.read(), await noGrad(() => conv.forward(x)).read());
  iteration.step();
  const moved = conv.forward(x);
  assert(String(await moved.read()) !== String(await y.read()), "u and v moved, and y did not");
  const grads = adam.params.map((t) => tensor(randoms(t.size, 2), t.shape));
  adam.step(grads);
  assert(String(await conv.forward(x).read()) !== String(await moved.read()), "w moved, y did not");
});

Deno.test("a layer takes sigma from the last iteration, until the weight changes", async () => {
  const net = new Net(), conv = net.blocks[0].conv!, x = tensor(randoms(18, 1), [1, 3, 3, 2]);
  const adam = new Adam(net.parameters(), { lr: 0.1, betas: [0, 0.9] });
  const iteration = new PowerIteration(net);
  const forward = () => {
    const before = gpu().counters.dispatches, y = noGrad(() => conv.forward(x));
    return { y, dispatches: gpu().counters.dispatches - before };
  };
  forward(); // lays x out
  iteration.step();
  const known = forward();
  const bias = await conv.bias!.read();
  const expected = async () => {
    const [sigma] = await iteration.sigmas()["blocks.0.conv"].read();
    const w = (await conv.weight_orig!.read()).map((e) => e / sigma);
    const plain = conv2d(x, tensor(w, conv.weight_orig!.shape), geometry);
    return await add(plain, tensor(bias, [3])).read();
  };
  assertClose("y", await known.y.read(), await expected());
  // Else the bias would move.
  const grads = adam.params.map((t) =>
    tensor(t.size > 3 ? randoms(t.size, 2) : new Float32Array(t.size), t.shape)
  );
  adam.step(grads);
  const changed = forward();
  assert(changed.dispatches > known.dispatches);
  assertClose("y, changed", await changed.y.read(), await expected());
  adam.step(grads);
  iteration.measure();
  const measured = forward();
  assertEquals(measured.dispatches, known.dispatches);
  assertClose("y, measured", await measured.y.read(), await expected());
  // What was measured in a scope goes with it.
  adam.step(grads);
  scoped(() => iteration.measure());
  const later = forward();
  assert(later.dispatches > known.dispatches);
  assertClose("y, later", await later.y.read(), await expected());
});

Deno.test("weights of more than can be bound at once are served in turn, the same", async () => {
  const x = tensor(randoms(16 * 16, 1), [1, 4, 4, 16]);
  const outputs = async (bytes?: number) => {
    gpu().bindable = bytes;
    try {
      const init = normalInit(hostRandom(1), 0.3);
      const net = new Sequential(...[1, 2, 3].map(() => new Conv2d(16, 16, geometry, init)));
      new Adam(net.parameters(), { lr: 0.1, betas: [0, 0.9] });
      const iteration = new PowerIteration(net), before = gpu().counters.dispatches;
      iteration.step();
      const made = gpu().counters.dispatches - before;
      iteration.measure();
      return { made, y: await noGrad(() => net.forward(x, TRAINING)).read() };
    } finally {
      gpu().bindable = undefined;
    }
  };
  const whole = await outputs(), apart = await outputs(4 * 16 * 16 * 2 * 2);
  assertEquals([whole.made, apart.made], [4, 12]);
  assertEquals(apart.y, whole.y);
});

Deno.test("PowerIteration refuses weights that were moved since", () => {
  const net = new Net(), iteration = new PowerIteration(net);
  new Adam(net.parameters(), { lr: 1, betas: [0, 0.9] });
  assertThrows(() => iteration.step(), Error, "make it after the optimiser");
});
