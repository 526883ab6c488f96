/**
 * The network that tells faces apart: dlib's ResNet of 27 convolutions, as face-api.js has it, from 150
 * pixels to 128 numbers, which lie within 0.6 of one another for one person. It only computes.
 *
 * @see King 2017, https://github.com/davisking/dlib-models, and `FaceRecognitionNet` of face-api.js
 * @module
 */
import { conv2d } from "../kernels/conv2d.ts";
import { add, relu } from "../kernels/elementwise.ts";
import { matmul } from "../kernels/matmul.ts";
import { averagePool, maxPool } from "../kernels/pool.ts";
import { mean } from "../kernels/reduce.ts";
import { bilinear } from "../kernels/resample.ts";
import { pad } from "../kernels/slice.ts";
import { Module } from "../nn/module.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import type { ConvWeights } from "./inception_blocks.ts";

/** The residual blocks by face-api's names; those with `down` in it halve the sides. */
const BLOCKS = [
  ...["32_1", "32_2", "32_3", "64_down", "64_1", "64_2", "64_3", "128_down", "128_1", "128_2"],
  ...["256_down", "256_1", "256_2", "256_down_out"],
].map((name) => `conv${name}`);

/** Where the network's tensors come from. */
export interface FaceWeights {
  /** The convolution at a path such as `conv64_1/conv2`, with its scale folded in. */
  conv(path: string): ConvWeights;
  /** The last layer, `[256, 128]`. */
  readonly dense: Tensor;
}

/** Faces to 128 numbers. */
export class FaceNet extends Module {
  /** Pixels along a side of what it looks at. */
  readonly side = 150;
  readonly #weights: FaceWeights;
  readonly #convs = new Map<string, ConvWeights>();

  /** @throws {CheckpointError} If `weights` lack something. */
  constructor(weights: FaceWeights) {
    super();
    this.#weights = weights;
    const paths = BLOCKS.flatMap((block) => [`${block}/conv1`, `${block}/conv2`]);
    for (const path of ["conv32_down", ...paths]) this.#convs.set(path, weights.conv(path));
  }

  /**
   * Faces to numbers.
   *
   * @param x `[N, H, W, 3]` in [-1, 1].
   * @returns `[N, 128]`.
   */
  override forward(x: Tensor): Tensor {
    return noGrad(() =>
      scoped(() => {
        const first = this.#conv("conv32_down", bilinear(x, [this.side, this.side]), true);
        let h = maxPool(relu(first), { kernel: 3, stride: 2, pad: 0 });
        for (const block of BLOCKS) h = scoped(() => this.#residual(block, h));
        return matmul(mean(h, [1, 2]), this.#weights.dense);
      })
    );
  }

  /** Halved without a frame of zeros, else of the same size. */
  #conv(path: string, x: Tensor, halves: boolean): Tensor {
    const { weight, bias } = this.#convs.get(path)!;
    const geometry = halves
      ? { stride: 2, padding: 0 }
      : { stride: 1, padding: (weight.shape[0] - 1) / 2 };
    return conv2d(x, weight, geometry, { bias });
  }

  /** Where sides are halved, what is beside the convolutions is averaged, and the smaller one padded. */
  #residual(block: string, x: Tensor): Tensor {
    const halves = block.includes("down");
    let y = this.#conv(`${block}/conv2`, relu(this.#conv(`${block}/conv1`, x, halves)), false);
    if (!halves) return relu(add(x, y));
    let beside = averagePool(x, { kernel: 2, stride: 2, pad: 0, countPadding: true });
    const [, H, W, C] = beside.shape, [, height, width, channels] = y.shape;
    if (height < H) y = pad(y, 1, 0, H - height);
    if (width < W) y = pad(y, 2, 0, W - width);
    if (C < channels) beside = pad(beside, 3, 0, channels - C);
    return relu(add(beside, y));
  }
}
