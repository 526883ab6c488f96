/**
 * The backward pass of a leaky ReLU and of the bias before it, in one kernel.
 *
 * @module
 */
import wgsl from "./gate_sum.wgsl" with { type: "text" };
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElement } from "./element.ts";
import { chunksOf, sumInto, workgroupsOf } from "./reduce.ts";
import { variant } from "./variant.ts";

const kernels = byElement("gate_sum", wgsl, ["lane", "group"]);

/**
 * `z = dy` where `y > 0`, else `slope dy`, and the sum of `z` over all axes but the last: in one pass
 * over memory instead of two. It records no graph.
 *
 * @param y `[..., C]`, the ReLU's result.
 * @param dy The same.
 */
export function gateAndSum(y: Tensor, dy: Tensor, slope: number): [z: Tensor, sum: Tensor] {
  const B = y.shape.at(-1)!, R = y.size / B, z = empty(y.shape), sum = empty([B]);
  const isVec4 = B % 4 === 0, columns = isVec4 ? B / 4 : B, lane = variant() === "lane";
  const { lane: perLane, group } = kernels[isVec4 ? "vec4f" : "f32"];
  const { wide, groups, chunks } = lane
    ? { wide: 1, groups: 1, chunks: chunksOf([1, R, columns]) }
    : workgroupsOf([1, R, columns]);
  const sums = chunks === 1 ? sum : empty([chunks, B]);
  run(
    lane ? perLane : group,
    { dy, y, z, sums },
    { R, B: columns, chunks, wide, slope },
    folded(lane ? Math.ceil(chunks * columns / 64) : groups * chunks),
  );
  if (chunks > 1) sumInto(sum, sums, [1, chunks, B]);
  return [z, sum];
}
