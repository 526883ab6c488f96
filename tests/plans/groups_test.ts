/** Batch norm by workgroups, as on a GPU, is that by lanes. */
import { batchNorm } from "../../kernels/batch_norm.ts";
import { full, mul } from "../../kernels/elementwise.ts";
import { sum } from "../../kernels/reduce.ts";
import { forceVariant } from "../../kernels/variant.ts";
import { grad } from "../../nn/grad.ts";
import { type Shape, sizeOf, tensor } from "../../tensor/tensor.ts";
import { assertClose, randoms } from "../support.ts";
import { openGpu } from "../../gpu/engines/deno.ts";

await openGpu();

/** What a batch norm makes and moves, and its gradients. */
async function normed(shape: Shape): Promise<Float32Array[]> {
  const C = shape.at(-1)!,
    [x, weight, bias] = [shape, [C], [C]]
      .map((shape, i) => tensor(randoms(sizeOf(shape), i + 1), shape, true));
  const norm = { weight, bias, running_mean: full([C], 0), running_var: full([C], 1) };
  const y = batchNorm(x, norm, { training: true, eps: 1e-5, momentum: 0.1, slope: 0.2 });
  const gradients = grad(sum(mul(y, tensor(randoms(y.size, 9), shape))), [x, weight, bias]);
  const values: Float32Array[] = [];
  for (const t of [y, norm.running_mean, norm.running_var, ...gradients]) {
    values.push(await t.read());
  }
  return values;
}

// one lane's work; primes; many channels; several chunks a lane
for (const shape of [[1, 1, 1, 4], [5, 13, 7, 3], [2, 3, 3, 260], [20, 20, 20, 8]]) {
  Deno.test(`batchNorm() of [${shape}] by workgroups is that by lanes`, async () => {
    forceVariant("lane");
    const expected = await normed(shape);
    forceVariant("group");
    (await normed(shape)).forEach((values, i) => assertClose(`value ${i}`, values, expected[i]));
  });
}
