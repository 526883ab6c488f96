/**
 * Inception-v3 as FID uses it: the network of "inception-2015-12-05", with torchvision's names.
 *
 * It differs from the Inception of ImageNet that torchvision has: 1008 classes, average pools that do
 * not count their padding, and a maximum pool in the last block. Batch norms are folded into the
 * convolutions. It only computes; nothing here is trained.
 *
 * @see Szegedy et al. 2016, https://arxiv.org/abs/1512.00567, and pytorch-fid's `inception.py`
 * @module
 */
import { deviceInfo } from "../gpu/device.ts";
import { matmul } from "../kernels/matmul.ts";
import { mean } from "../kernels/reduce.ts";
import { bilinear } from "../kernels/resample.ts";
import { concat, slice } from "../kernels/slice.ts";
import { Module } from "../nn/module.ts";
import { EVALUATION } from "../nn/context.ts";
import { noGrad } from "../tensor/op.ts";
import { consuming, scoped, type Tensor } from "../tensor/tensor.ts";
import {
  BlockA,
  BlockB,
  BlockC,
  BlockD,
  BlockE,
  Conv,
  type ConvWeights,
  type Draw,
  HALVE,
  maxHalf,
  type Placement,
} from "./inception_blocks.ts";

/** Places in the network where features are taken, by the channels there; `logits` has no bias. */
export const FEATURES = ["64", "192", "768", "2048", "logits"] as const;

/** One of {@linkcode FEATURES}. */
export type Feature = typeof FEATURES[number];

const SIDE = 299; // pixels

/** Images at a time on a processor, which few keep busy: their maps take most of the memory. */
const PORTION = 8;

/** Where the network's tensors come from. */
export interface InceptionWeights {
  /** The convolution at a path such as `Mixed_5b.branch1x1`, whose kernel is `kh` by `kw`. */
  conv(path: string, kernel: readonly [kh: number, kw: number]): ConvWeights;
  /** The last layer, `[inputs, classes]`, without its bias. */
  dense(path: string): Tensor;
}

/** The net up to one feature; weights of what comes behind it are not asked for. */
export class Inception extends Module {
  /** Pixels along a side of what it looks at. */
  readonly side: number = SIDE;
  /** The feature that it gives. */
  readonly feature: Feature;
  /** By torchvision's names, in order. */
  readonly layers: Readonly<Record<string, Module>>;
  /** `[inputs, classes]`, for logits only. */
  readonly dense?: Tensor;

  /**
   * Draws the network from `weights` up to `feature`.
   *
   * @throws {CheckpointError} If `weights` lack something.
   */
  constructor(weights: InceptionWeights, feature: Feature) {
    super();
    this.feature = feature;
    const depth = FEATURES.indexOf(feature);
    const layers: Record<string, Module> = {};
    const conv = (path: string, k: number, options?: Placement) => {
      layers[path] = new Conv(weights.conv(path, [k, k]), options);
    };
    const mixed = (path: string, make: (draw: Draw) => Module) => {
      layers[path] = make((name, kh, kw, options) =>
        new Conv(weights.conv(`${path}.${name}`, [kh, kw]), options)
      );
    };
    conv("Conv2d_1a_3x3", 3, HALVE);
    conv("Conv2d_2a_3x3", 3, { same: false });
    conv("Conv2d_2b_3x3", 3);
    if (depth >= 1) {
      conv("Conv2d_3b_1x1", 1);
      conv("Conv2d_4a_3x3", 3, { same: false });
    }
    if (depth >= 2) {
      for (const path of ["Mixed_5b", "Mixed_5c", "Mixed_5d"]) mixed(path, (d) => new BlockA(d));
      mixed("Mixed_6a", (d) => new BlockB(d));
      for (const path of ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"]) {
        mixed(path, (d) => new BlockC(d));
      }
    }
    if (depth >= 3) {
      mixed("Mixed_7a", (d) => new BlockD(d));
      mixed("Mixed_7b", (d) => new BlockE(d, "average"));
      mixed("Mixed_7c", (d) => new BlockE(d, "maximum"));
    }
    if (feature === "logits") this.dense = weights.dense("fc");
    this.layers = layers;
  }

  /**
   * Images of any size to features.
   *
   * @param x `[N, H, W, 3]` in [-1, 1]; resized to 299x299 here, as pytorch-fid does.
   * @returns `[N, d]`: the mean over all pixels of the feature's map, or the logits without a bias.
   */
  override forward(x: Tensor): Tensor {
    const [N] = x.shape, most = deviceInfo().software ? PORTION : N;
    return noGrad(() =>
      scoped(() => {
        const features: Tensor[] = [];
        for (let at = 0; at < N; at += most) {
          features.push(this.#featuresOf(N > most ? slice(x, 0, at, Math.min(most, N - at)) : x));
        }
        return features.length > 1 ? concat(features, 0) : features[0];
      })
    );
  }

  #featuresOf(x: Tensor): Tensor {
    return scoped(() => {
      let h = bilinear(x, [SIDE, SIDE]);
      for (const [path, layer] of Object.entries(this.layers)) {
        h = consuming([h], () => {
          const y = layer.forward(h, EVALUATION);
          return path === "Conv2d_2b_3x3" || path === "Conv2d_4a_3x3" ? maxHalf(y) : y;
        });
      }
      const pooled = mean(h, [1, 2]);
      return this.dense ? matmul(pooled, this.dense) : pooled;
    });
  }
}
