/** The jobs' results in double precision, one output at a time, straight from the definitions. */

/** Sizes of a square convolution. */
export interface ConvSizes {
  readonly N: number;
  readonly S: number;
  readonly C: number;
  readonly O: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

type Values = ArrayLike<number>;
type Reference = (i: number) => number;

/**
 * Compares some outputs with the reference.
 *
 * @throws {Error} If one is further from it than the tolerance, or not a number.
 */
export function compareSampled(
  job: string,
  y: Values,
  reference: Reference,
  tolerance: number,
  samples = 24,
): void {
  for (let s = 0; s < samples; s++) {
    // The first, the last, and some between that no tile size divides.
    const i = s === 0 ? 0 : s === 1 ? y.length - 1 : (s * 7_368_787 + 12_289) % y.length;
    const expected = reference(i);
    if (!(Math.abs(y[i] - expected) <= tolerance)) { // NaN, too
      throw new Error(
        `${job}: output ${i} of ${y.length} is wrong on this device: got ${y[i]}, ` +
          `expected ${expected} within ${tolerance.toPrecision(2)}`,
      );
    }
  }
}

/** `a b` for square matrices. */
export function productAt(a: Values, b: Values, n: number): Reference {
  return (at) => {
    const i = Math.floor(at / n), j = at % n;
    let t = 0;
    for (let k = 0; k < n; k++) t += a[i * n + k] * b[k * n + j];
    return t;
  };
}

/** Calls `term` with the indices into x, w and y of every term of the trilinear form that has them. */
function eachTerm(
  { N, S, C, O, kernel, stride, padding }: ConvSizes,
  fixed: { n?: number; Y?: number; X?: number; i?: number; j?: number; c?: number; o?: number },
  term: (x: number, w: number, y: number) => void,
): void {
  const T = (S + 2 * padding - kernel) / stride + 1;
  const range = (value: number | undefined, end: number) =>
    value === undefined ? [0, end] : [value, value + 1];
  const [n0, n1] = range(fixed.n, N), [Y0, Y1] = range(fixed.Y, T), [X0, X1] = range(fixed.X, T);
  const [i0, i1] = range(fixed.i, kernel), [j0, j1] = range(fixed.j, kernel);
  const [c0, c1] = range(fixed.c, C), [o0, o1] = range(fixed.o, O);
  for (let n = n0; n < n1; n++) {
    for (let Y = Y0; Y < Y1; Y++) {
      for (let X = X0; X < X1; X++) {
        for (let i = i0; i < i1; i++) {
          for (let j = j0; j < j1; j++) {
            const h = Y * stride + i - padding, v = X * stride + j - padding;
            if (h < 0 || v < 0 || h >= S || v >= S) continue;
            for (let c = c0; c < c1; c++) {
              for (let o = o0; o < o1; o++) {
                term(
                  ((n * S + h) * S + v) * C + c,
                  ((i * kernel + j) * C + c) * O + o,
                  ((n * T + Y) * T + X) * O + o,
                );
              }
            }
          }
        }
      }
    }
  }
}

/** `index` taken apart along the axes of `shape`, last axis fastest. */
function unravel(index: number, shape: readonly number[]): number[] {
  return shape.map((size, k) => {
    const inner = shape.slice(k + 1).reduce((a, b) => a * b, 1);
    return Math.floor(index / inner) % size;
  });
}

/** The convolution, `[N, T, T, O]`. */
export function convAt(x: Values, w: Values, sizes: ConvSizes): Reference {
  const { N, S, O, kernel, stride, padding } = sizes;
  const T = (S + 2 * padding - kernel) / stride + 1;
  return (at) => {
    const [n, Y, X, o] = unravel(at, [N, T, T, O]);
    let t = 0;
    eachTerm(sizes, { n, Y, X, o }, (xi, wi) => t += x[xi] * w[wi]);
    return t;
  };
}

/** Its gradient by the image, or a transposed convolution, `[N, S, S, C]`. */
export function convInputAt(y: Values, w: Values, sizes: ConvSizes): Reference {
  const { N, S, C, O, kernel, stride, padding } = sizes;
  const T = (S + 2 * padding - kernel) / stride + 1;
  return (at) => {
    const [n, h, v, c] = unravel(at, [N, S, S, C]);
    let t = 0;
    for (let i = 0; i < kernel; i++) {
      for (let j = 0; j < kernel; j++) {
        const Y = (h + padding - i) / stride, X = (v + padding - j) / stride;
        if (!Number.isInteger(Y) || !Number.isInteger(X)) continue;
        if (Y < 0 || X < 0 || Y >= T || X >= T) continue;
        for (let o = 0; o < O; o++) {
          t += y[((n * T + Y) * T + X) * O + o] * w[((i * kernel + j) * C + c) * O + o];
        }
      }
    }
    return t;
  };
}

/** Its gradient by the weights, `[kernel, kernel, C, O]`. */
export function convWeightAt(x: Values, y: Values, sizes: ConvSizes): Reference {
  const { C, O, kernel } = sizes;
  return (at) => {
    const [i, j, c, o] = unravel(at, [kernel, kernel, C, O]);
    let t = 0;
    eachTerm(sizes, { i, j, c, o }, (xi, _, yi) => t += x[xi] * y[yi]);
    return t;
  };
}

/** A channel's mean and `1 / sqrt(var + eps)`. */
function moments(x: Values, C: number, c: number, eps: number): [number, number] {
  let sum = 0, squares = 0;
  const rows = x.length / C;
  for (let r = c; r < x.length; r += C) sum += x[r];
  const mean = sum / rows;
  for (let r = c; r < x.length; r += C) squares += (x[r] - mean) ** 2;
  return [mean, 1 / Math.sqrt(squares / rows + eps)];
}

/** Batch normalisation with weight 1 and bias 0, `[..., C]`. */
export function batchNormAt(x: Values, C: number, eps: number): Reference {
  return (at) => {
    const [mean, scale] = moments(x, C, at % C, eps);
    return (x[at] - mean) * scale;
  };
}

/** Its gradient by `x`. */
export function batchNormGradAt(x: Values, dy: Values, C: number, eps: number): Reference {
  return (at) => {
    const c = at % C, rows = x.length / C, [mean, scale] = moments(x, C, c, eps);
    let plain = 0, along = 0;
    for (let r = c; r < x.length; r += C) {
      plain += dy[r];
      along += dy[r] * (x[r] - mean) * scale;
    }
    return scale * (dy[at] - plain / rows - (x[at] - mean) * scale * along / rows);
  };
}

/** Softmax of rows of `n`. */
export function softmaxAt(x: Values, n: number): Reference {
  return (at) => {
    const start = at - at % n;
    let sum = 0;
    for (let j = start; j < start + n; j++) sum += Math.exp(x[j]);
    return Math.exp(x[at]) / sum;
  };
}

/** A parameter after Adam's first step, where the bias corrections cancel the moments' betas. */
export function adamAt(p: Values, g: Values, lr: number, eps: number): Reference {
  return (i) => p[i] - lr * g[i] / (Math.abs(g[i]) + eps);
}
