import wgsl from "./parts.wgsl" with { type: "text" };
import { bindable } from "../gpu/memory.ts";
import { folded } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { byElement } from "./element.ts";
import type { Epilogue } from "./epilogue.ts";

const kernels = byElement("parts", wgsl, ["main"]);

/**
 * Has `body` compute `y` at once, or in parts as `sums [parts, size of y]`, which `add` then sums.
 */
export function inParts(
  y: Tensor,
  parts: number,
  body: (y: Tensor) => void,
  add: (y: Tensor, sums: Tensor) => void = (y, sums) => addParts(y, sums, {}),
): void {
  if (parts === 1) return body(y);
  const sums = empty([parts, y.size]);
  body(sums);
  add(y, sums);
}

/** How many parts of `size` elements each can be bound together. */
export function partsThatFit(size: number): number {
  return Math.floor(bindable() / (4 * size));
}

/** Sums `sums [parts, size of y]` into `y [..., channels]`, with the epilogue. */
export function addParts(y: Tensor, sums: Tensor, { bias, slope = 1 }: Epilogue): void {
  const channels = y.shape.at(-1)!, by = channels % 4 === 0 ? 4 : 1, n = y.size / by;
  const params = { parts: sums.shape[0], n, channels: channels / by, slope };
  run(
    kernels[by === 4 ? "vec4f" : "f32"].main,
    { sums, y, bias: bias ?? sums }, // without a bias anything may be bound
    params,
    folded(Math.ceil(n / 64)),
    { BIAS: Number(bias !== undefined), RELU: Number(slope !== 1) },
  );
}
