import { assertEquals } from "@std/assert";
import { tensor } from "../tensor/tensor.ts";
import { inFewGroups } from "../tests/check.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { Average } from "./average.ts";
import { TRAINING } from "./context.ts";
import { normalInit } from "./init.ts";
import { BatchNorm2d, Conv2d, Sequential } from "./layers.ts";
import { hostRandom } from "./random.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const net = (seed: number) => {
  const init = normalInit(hostRandom(seed), 1);
  const shape = { kernel: 1, stride: 1, padding: 0 };
  return new Sequential(new Conv2d(2, 300, shape, init), new BatchNorm2d(300, init));
};
const values = (model: Sequential) => Promise.all([...model.named()].map(([, t]) => t.read()));

for (const decay of [0.75, () => 0.75]) {
  const kind = typeof decay;
  Deno.test(`an average begins as a copy, then mixes weights and copies statistics (${kind})`, async () => {
    const source = net(1), copy = net(2), average = new Average(source, copy);
    const before = await values(source);
    assertEquals(await values(copy), before);
    // A pass in training moves the running statistics.
    source.forward(tensor(randoms(4 * 2, 3), [1, 2, 2, 2]), TRAINING);
    for (const t of source.parameters()) t.write((await t.read()).map((e) => 2 * e + 1));
    inFewGroups(() => average.update(decay));
    const after = await values(source), got = await values(copy);
    for (const [i, [name, t]] of [...source.named()].entries()) {
      assertEquals(String(after[i]) === String(before[i]), false, `${name} did not move`);
      const share = t.isParam ? 0.75 : 0;
      assertClose(name, got[i], after[i].map((e, k) => share * before[i][k] + (1 - share) * e));
    }
  });
}
