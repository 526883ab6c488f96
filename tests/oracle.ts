/** What PyTorch computed of a small GAN: a fixture, and how its values become ours. */
import { fromEntries } from "../nn/checkpoint.ts";
import type { Module } from "../nn/module.ts";
import { loadSafetensors } from "../io/safetensors.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";

/** Images a batch, their side, the length of a latent. */
export interface Sizes {
  readonly N: number;
  readonly R: number;
  readonly nz: number;
}

/** Tensors of a network, by their path behind a prefix. */
export function prefixed(prefix: string, net: Module): [string, Tensor][] {
  return [...net.named()].map(([name, t]) => [prefix + name, t]);
}

/** `[N, 3, R, R] -> [N, R, R, 3]`. */
export function fromNCHW(x: Float32Array, { N, R }: Pick<Sizes, "N" | "R">): Float32Array {
  const y = new Float32Array(x.length);
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < R * R; i++) y[(n * R * R + i) * 3 + c] = x[(n * 3 + c) * R * R + i];
    }
  }
  return y;
}

/** The fixture `tests/fixtures/NAME.safetensors`, made by `tests/oracle/NAME.py`. */
export async function oracle(name: string, { N, R, nz }: Sizes) {
  const path = new URL(`./fixtures/${name}.safetensors`, import.meta.url).pathname;
  const { entries } = await loadSafetensors(path);
  const array = (name: string): Float32Array => {
    const entry = entries.get(name);
    if (!entry) throw new Error(`the fixture has no ${name}`);
    return entry.data as Float32Array;
  };
  return {
    entries,
    array,
    fromNCHW: (x: Float32Array) => fromNCHW(x, { N, R }),
    /** Gives both networks the weights that PyTorch's began with. */
    begin: (G: Module, D: Module) => {
      fromEntries(prefixed("init/G.", G), entries, "fixture");
      fromEntries(prefixed("init/D.", D), entries, "fixture");
    },
    /** The latents of batch t, `[N, nz]`. */
    latents: (t: number) => tensor(array("z").slice(t * N * nz, (t + 1) * N * nz), [N, nz]),
    /** Its real images, `[N, R, R, 3]`. */
    reals: (t: number): Tensor => {
      const bytes = entries.get("real_u8")!.data as Uint8Array, size = N * 3 * R * R;
      const values = Float32Array.from(bytes.subarray(t * size, (t + 1) * size));
      const pixels = values.map((v) => Math.fround(Math.fround(v / 127.5) - 1));
      return tensor(fromNCHW(pixels, { N, R }), [N, R, R, 3]);
    },
  };
}
