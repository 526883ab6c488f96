/**
 * Matrix products.
 *
 * @module
 */
import { apply } from "../tensor/op.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import { MOST_PIXELS, sumPixels } from "./conv2d_weight.ts";
import { checkEpilogue, type Epilogue, throughEpilogue } from "./epilogue.ts";
import { gather } from "./gather.ts";
import type { Layout } from "./panel.ts";
import { byTiles } from "./plan.ts";
import { up } from "./plan_rules.ts";
import type { Precision } from "./precision.ts";
import { gpu } from "../gpu/gpu.ts";

/** How operands are read, and a factor. */
export interface ProductOptions {
  /** Whether `a` is `[..., K, M]`. */
  readonly a?: boolean;
  /** Whether `b` is `[..., N, K]`. */
  readonly b?: boolean;
  /** What every sum is multiplied by; 1 if left out. */
  readonly scale?: number;
  /** How operands are stored, here and in the backward pass; `f32` if left out. */
  readonly precision?: Precision | undefined;
}

/**
 * `scale op(a) op(b)`: a product of matrices, or of as many as the first axis says, with a bias and a leaky
 * ReLU if asked for.
 *
 * @param a `[M, K]` or `[batch, M, K]`; `[..., K, M]` if read transposed.
 * @param b `[K, N]` or `[batch, K, N]`; `[..., N, K]` if read transposed.
 * @param epilogue Its bias is `[N]`.
 * @returns `[M, N]` or `[batch, M, N]`.
 * @throws {RangeError} If the inner sizes or the batches differ, or the epilogue does not fit.
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  options: ProductOptions = {},
  epilogue: Epilogue = {},
): Tensor {
  const { a: ta = false, b: tb = false, scale = 1, precision = "f32" } = options;
  const [batch, M, K] = matrix("a", a.shape, ta), [batchB, Kb, N] = matrix("b", b.shape, tb);
  if (K !== Kb || batch !== batchB || a.shape.length !== b.shape.length) {
    throw new RangeError(
      `matmul: inner sizes or batches differ: a is [${a.shape}]${ta ? " transposed" : ""}, ` +
        `b is [${b.shape}]${tb ? " transposed" : ""}`,
    );
  }
  checkEpilogue("matmul", epilogue, N);
  const { bias } = epilogue;
  return apply({
    op: "matmul",
    inputs: bias ? [a, b, bias] : [a, b],
    shape: [...a.shape.slice(0, -2), M, N],
    forward: (y) =>
      product(a, b, y, [batch, M, K, N], { a: ta, b: tb, scale, precision }, epilogue),
    backward: (dy, y, need) => {
      const [dz, db] = throughEpilogue(dy, y, epilogue, need[2]);
      return [
        !need[0]
          ? null
          : ta
          ? matmul(b, dz, { a: tb, b: true, scale, precision })
          : matmul(dz, b, { b: !tb, scale, precision }),
        !need[1]
          ? null
          : tb
          ? matmul(dz, a, { a: true, b: ta, scale, precision })
          : matmul(a, dz, { a: !ta, scale, precision }),
        db,
      ];
    },
  });
}

function matrix(name: string, shape: Shape, transposed: boolean): [number, number, number] {
  if (shape.length !== 2 && shape.length !== 3) {
    throw new RangeError(`matmul: ${name} is [${shape}], expected 2 or 3 axes`);
  }
  const [rows, columns] = shape.slice(-2);
  const batch = shape.length === 3 ? shape[0] : 1;
  return transposed ? [batch, columns, rows] : [batch, rows, columns];
}

const ONE_PIXEL = { groups: 1, H: 1, W: 1, kh: 1, kw: 1, Y: 1, X: 1, s: 1, py: 0, px: 0 };

function product(
  a: Tensor,
  b: Tensor,
  y: Tensor,
  [batch, M, K, N]: [number, number, number, number],
  options: Required<ProductOptions> & { readonly precision: Precision },
  epilogue: Epilogue,
): void {
  const { a: ta, b: tb, scale, precision } = options;
  const { bias, slope = 1 } = epilogue, sums = ta && !tb && batch === 1 && !bias && slope === 1;
  if (sums && byTiles() && K <= MOST_PIXELS) {
    // Tiles are filled from rows as they lie: those of K images of one pixel.
    return sumPixels(a, b, y, { ...ONE_PIXEL, N: K, C: M, O: N, scale, precision });
  }
  gpu().counters.flop += 2 * batch * M * K * N;
  // A single row or column lies as if transposed, too.
  const byColumns = K > 1 && (tb || N === 1);
  const channels = up(K, K <= 4 ? 4 : 8), frame = { top: 0, columns: 1, left: 0 };
  const A: Layout = {
    ...frame,
    size: [batch, M, 1, K],
    strides: ta ? [M * K, 1, 0, M] : [M * K, K, 0, 1],
    rows: M,
    channels,
  };
  const B: Layout = {
    ...frame,
    size: [batch, K, 1, N],
    strides: byColumns ? [K * N, 1, 0, K] : [K * N, N, 0, 1],
    rows: channels,
    channels: up(N, 4),
  };
  const flipped: Layout = {
    ...frame,
    size: [batch, N, 1, K],
    strides: [K * N, K, 0, 1],
    rows: N,
    channels,
  };
  // A convolution of one tap over an image one pixel wide.
  const [one, none] = [{ TX: 1, S: 1, E: 1, kh: 1, kw: 1, W: 1 }, { pad_y: 0, pad_x: 0 }];
  const sizes = { ...one, ...none, rows: M, TY: M, H: M, OC: N };
  gather(
    {
      a,
      A,
      b,
      B,
      ...byColumns && { flipped },
      transposed: false,
      sizes,
      images: batch,
      scale,
      precision,
      epilogue,
    },
    y,
  );
}
