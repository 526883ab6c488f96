/** Convolution in float64, by its definition: what the kernels are held against. */
import type { Geometry } from "../kernels/conv2d_sizes.ts";
import { type Shape, sizeOf } from "../tensor/tensor.ts";
import type { Reference } from "./check.ts";

/** Visits every term of the trilinear form. */
function terms(
  [N, H, W, C]: Shape,
  [kh, kw, , O]: Shape,
  [, Y, X]: Shape,
  { stride: s, padding, groups = 1 }: Geometry,
  visit: (x: number, w: number, y: number) => void,
) {
  const [top, left] = typeof padding === "number" ? [padding, padding] : padding;
  for (let n = 0; n < N; n++) {
    for (let y = 0; y < Y; y++) {
      for (let x = 0; x < X; x++) {
        for (let i = 0; i < kh; i++) {
          for (let j = 0; j < kw; j++) {
            const h = y * s + i - top, v = x * s + j - left;
            if (h < 0 || h >= H || v < 0 || v >= W) continue;
            for (let c = 0; c < C / groups; c++) {
              for (let o = 0; o < O; o++) {
                const group = Math.floor(o / (O / groups));
                visit(
                  ((n * H + h) * W + v) * C + group * C / groups + c,
                  ((i * kw + j) * C / groups + c) * O + o,
                  ((n * Y + y) * X + x) * O + o,
                );
              }
            }
          }
        }
      }
    }
  }
}

/** One convolution: shapes, and references of its three derivatives. */
export interface Case {
  x: Shape;
  w: Shape;
  y: Shape;
  g: Geometry;
  forward: Reference;
  input: Reference;
  weight: Reference;
}

/** The convolution of `x` `[N, H, W, C]` by a kernel of sides `k` to `O` channels, times `scale`. */
export function caseOf(
  [N, H, W, C]: Shape,
  k: Shape,
  O: number,
  stride: number,
  padding: Geometry["padding"],
  scale = 1,
  groups = 1,
): Case {
  const g = { stride, padding, scale, groups };
  const x = [N, H, W, C], w = [k[0], k[1], C / groups, O];
  const [top, left] = typeof padding === "number" ? [padding, padding] : padding;
  const along = (size: number, k: number, p: number) => Math.floor((size + 2 * p - k) / stride) + 1;
  const y = [N, along(H, k[0], top), along(W, k[1], left), O];
  const zeros = (shape: Shape): number[] => new Array(sizeOf(shape)).fill(0);
  const each = (shape: Shape, add: (t: number[], x: number, w: number, y: number) => void) => {
    const t = zeros(shape);
    terms(x, w, y, g, (xi, wi, yi) => add(t, xi, wi, yi));
    return t;
  };
  return {
    x,
    w,
    y,
    g,
    forward: (X, Wt) => each(y, (t, xi, wi, yi) => t[yi] += scale * X[xi] * Wt[wi]),
    input: (Y, Wt) => each(x, (t, xi, wi, yi) => t[xi] += scale * Y[yi] * Wt[wi]),
    weight: (X, Y) => each(w, (t, xi, wi, yi) => t[wi] += scale * X[xi] * Y[yi]),
  };
}
