import { empty, tensor } from "../tensor/tensor.ts";
import { assertClose, randoms } from "../tests/support.ts";
import { foldInto, type FoldSizes } from "./fold.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

/** By the definition: each number goes where its window lies. */
function reference(columns: readonly number[], sizes: FoldSizes): number[] {
  const { N, H, W, C, kh, kw, Y, X, s, py, px } = sizes, image = new Array(N * H * W * C).fill(0);
  columns.forEach((value, at) => {
    const [c, j, i, x, y, n] = [C, kw, kh, X, Y, N].map((size) => {
      const index = at % size;
      at = (at - index) / size;
      return index;
    });
    const h = y * s + i - py, w = x * s + j - px;
    if (h >= 0 && h < H && w >= 0 && w < W) image[((n * H + h) * W + w) * C + c] += value;
  });
  return image;
}

// [N, H, W, C], kernel, stride, padding: one number; those of images; windows that begin anywhere in
// a four, with gaps between them, or one over the other; none in the last columns; several workgroups
const cases: [number[], [number, number], number, [number, number]][] = [
  [[1, 1, 1, 1], [1, 1], 1, [0, 0]],
  [[2, 6, 6, 3], [4, 4], 2, [1, 1]],
  [[2, 8, 8, 3], [4, 4], 2, [1, 1]],
  [[1, 7, 12, 1], [3, 4], 5, [0, 0]],
  [[1, 7, 6, 3], [5, 3], 1, [2, 0]],
  [[1, 6, 8, 2], [1, 6], 1, [0, 3]],
  [[1, 5, 12, 1], [2, 8], 1, [3, 3]],
  [[2, 5, 6, 2], [3, 2], 1, [1, 1]],
  [[1, 9, 8, 5], [5, 4], 3, [2, 2]],
  [[3, 4, 48, 3], [4, 4], 2, [1, 1]],
];
for (const [[N, H, W, C], [kh, kw], s, [py, px]] of cases) {
  Deno.test(`fold to [${N},${H},${W},${C}] of ${kh}x${kw}, stride ${s}, padding ${py},${px}`, async () => {
    const along = (size: number, k: number, p: number) => Math.floor((size + 2 * p - k) / s) + 1;
    const sizes = { N, H, W, C, kh, kw, Y: along(H, kh, py), X: along(W, kw, px), s, py, px };
    const shape = [N, sizes.Y, sizes.X, kh, kw, C];
    const columns = randoms(shape.reduce((n, size) => n * size), 1).map(Math.fround);
    const image = empty([N, H, W, C]);
    foldInto(image, tensor(columns, shape), sizes);
    assertClose("image", await image.read(), reference(columns, sizes));
  });
}
