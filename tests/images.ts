/** Windows of images and their sizes changed, in float64, by definition. */
import type { Windows } from "../kernels/pool.ts";
import type { Shape } from "../tensor/tensor.ts";

/** Its shape. */
export type Image = [N: number, H: number, W: number, C: number];

/** Every element of an image computed from its indices. */
function image(
  [N, H, W, C]: Image,
  at: (n: number, h: number, w: number, c: number) => number,
) {
  return Array.from({ length: N * H * W * C }, (_, i) => {
    const c = i % C, w = Math.floor(i / C) % W, h = Math.floor(i / C / W) % H;
    return at(Math.floor(i / C / W / H), h, w, c);
  });
}
/** Every pixel `f` times along both axes. */
export function upReference(x: number[], [N, H, W, C]: Image, f: number): number[] {
  return image(
    [N, f * H, f * W, C],
    (n, h, w, c) => x[((n * H + Math.floor(h / f)) * W + Math.floor(w / f)) * C + c],
  );
}
/** Means of squares of `f` by `f` pixels. */
export function downReference(x: number[], [N, H, W, C]: Image, f: number): number[] {
  return image([N, H / f, W / f, C], (n, h, w, c) => {
    let total = 0;
    for (let i = 0; i < f; i++) {
      for (let j = 0; j < f; j++) total += x[((n * H + f * h + i) * W + f * w + j) * C + c];
    }
    return total / f ** 2;
  });
}
/** [1, 2, 1] / 4 along both axes of an image with zeros around it. */
export function smoothed(x: number[], [N, H, W, C]: Image): number[] {
  return image([N, H, W, C], (n, h, w, c) => {
    let total = 0;
    for (let i = -1; i <= 1; i++) {
      for (let j = -1; j <= 1; j++) {
        const [row, column] = [h + i, w + j];
        if (row < 0 || row >= H || column < 0 || column >= W) continue;
        total += (2 - i * i) * (2 - j * j) / 16 * x[((n * H + row) * W + column) * C + c];
      }
    }
    return total;
  });
}
/** The two neighbours of output `o` and the second one's share. */
function neighbours(o: number, size: number, size2: number): [number, number, number] {
  const place = Math.max(0, (o + 0.5) * size / size2 - 0.5), low = Math.floor(place);
  return [low, Math.min(low + 1, size - 1), place - low];
}
/** PyTorch's `interpolate(mode="bilinear", align_corners=False)`. */
export function bilinearReference(x: number[], [N, H, W, C]: Image, [H2, W2]: number[]): number[] {
  return image([N, H2, W2, C], (n, h, w, c) => {
    const [h0, h1, th] = neighbours(h, H, H2), [w0, w1, tw] = neighbours(w, W, W2);
    const at = (h: number, w: number) => x[((n * H + h) * W + w) * C + c];
    return (1 - th) * ((1 - tw) * at(h0, w0) + tw * at(h0, w1)) +
      th * ((1 - tw) * at(h1, w0) + tw * at(h1, w1));
  });
}

/** What `of` makes of the pixels of each window that are inside of the image. */
export function pooled(
  x: number[],
  [N, H, W, C]: Shape,
  { kernel, stride, pad }: Windows,
  of: (values: number[]) => number,
): number[] {
  const y: number[] = [];
  for (let n = 0; n < N; n++) {
    for (let top = -pad; top + kernel <= H + pad; top += stride) {
      for (let left = -pad; left + kernel <= W + pad; left += stride) {
        for (let c = 0; c < C; c++) {
          const values: number[] = [];
          for (let h = Math.max(0, top); h < Math.min(H, top + kernel); h++) {
            for (let w = Math.max(0, left); w < Math.min(W, left + kernel); w++) {
              values.push(x[((n * H + h) * W + w) * C + c]);
            }
          }
          y.push(of(values));
        }
      }
    }
  }
  return y;
}
