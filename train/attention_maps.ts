import { slice } from "../kernels/slice.ts";
import { EVALUATION } from "../nn/context.ts";
import type { Module } from "../nn/module.ts";
import { SelfAttention } from "../nn/self_attention.ts";
import { noGrad } from "../tensor/op.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What one attention of a network looks at. */
export interface SeenMap {
  /** In the network, e.g. `blocks.2.attention`. */
  readonly path: string;
  readonly layer: SelfAttention;
  /** Side of the map that attends; its keys have this side or, pooled, half of it. */
  readonly side: number;
  /** `[n, side^2, keys]`, rows of which sum to 1. */
  readonly map: Tensor;
}

const MOST = 2 ** 24; // elements of a map at once; of fewer images than given, if they are more

/**
 * Runs a network outside of training and tells where its attentions look.
 *
 * @param x What the network takes, as many as are wanted.
 */
export function attentionMaps(net: Module, x: Tensor): SeenMap[] {
  const layers = [...net.namedModules()].flatMap(([path, layer]) =>
    layer instanceof SelfAttention ? [{ path, layer, forward: layer.forward }] : []
  );
  if (layers.length === 0) return [];
  const seen: SeenMap[] = [];
  for (const { path, layer, forward } of layers) {
    layer.forward = (x) => {
      const [N, side] = x.shape, n = Math.max(1, Math.min(N, Math.floor(MOST / side ** 4)));
      seen.push({ path, layer, side, map: layer.map(slice(x, 0, 0, n)) });
      return forward(x);
    };
  }
  try {
    noGrad(() => void net.forward(x, EVALUATION));
  } finally {
    for (const { layer, forward } of layers) layer.forward = forward;
  }
  return seen;
}
