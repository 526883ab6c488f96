/**
 * The weights of FID's Inception-v3 from a file: with batch norms as trained, or folded already.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { type Feature, Inception, type InceptionWeights } from "../../models/inception.ts";
import type { ConvWeights } from "../../models/inception_blocks.ts";
import { CheckpointError } from "../../io/errors.ts";
import { decodeTorch, isTorch } from "../../io/torch_file.ts";
import { decodeSafetensors, type Entry } from "../../io/safetensors.ts";
import { tensor } from "../../tensor/tensor.ts";
import { EvalError } from "../errors.ts";
import type { Extractor } from "../extract.ts";
import { type Features, products, range } from "../products.ts";

/** The file that pytorch-fid's makers publish; its name ends in the start of its SHA-256. */
export const OFFICIAL = "pt_inception-2015-12-05-6726825d.pth";
/** Where it is published. */
export const PUBLISHED =
  `https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/${OFFICIAL}`;
/** Its SHA-256. */
export const SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2";

const EPS = 1e-3; // of the batch norms
const ROWS = 4096; // features a product

/** A network with what is to be said of its weights. */
export interface LoadedNetwork {
  readonly net: Extractor;
  /** Name of the file. */
  readonly file: string;
  /** SHA-256 of the file in hexadecimal. */
  readonly sha256: string;
  /** What a training program put before all names, as `module.`, where there is such. */
  readonly prefix?: string;
  /** Logits of 2048 features, without a bias; absent for other features, and without the last layer. */
  readonly logits?: (features: Features) => Promise<Features>;
}

/** Where the official file is looked for: here, and where pytorch-fid itself puts it. */
export function placesOfWeights(): string[] {
  const home = Deno.env.get("TORCH_HOME") ??
    join(Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".", ".cache", "torch");
  return [join("weights", OFFICIAL), join(home, "hub", "checkpoints", OFFICIAL)];
}

async function readWeights(path: string | undefined) {
  for (const place of path === undefined ? placesOfWeights() : [path]) {
    try {
      return { path: place, bytes: await Deno.readFile(place) };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw new EvalError(`eval: cannot read ${place}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
  const missing = path === undefined
    ? `the weights of FID's Inception are not in ${placesOfWeights().join(" nor ")}`
    : `there is no weights file ${path}`;
  throw new EvalError(
    `eval: ${missing}: gan weights fetches it, or fetch ${OFFICIAL} (95 MB, SHA-256 begins with ` +
      `6726825d) from ${PUBLISHED} and put it into the folder weights, or name it with --weights`,
  );
}

/**
 * Reads the network up to a feature.
 *
 * @param path A `.pth` of PyTorch or a safetensors file; by default the official file, where it is
 *   usually found.
 * @throws {EvalError} If there is no such file; the message tells where it is published.
 * @throws {CheckpointError} If the file is broken, of another network, or ends before the feature.
 */
export async function loadInception(
  feature: Feature,
  path?: string,
): Promise<LoadedNetwork> {
  const found = await readWeights(path);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", found.bytes)).toHex();
  const file = basename(found.path);
  if (file === OFFICIAL && !digest.startsWith("6726825d")) {
    throw new CheckpointError(
      `${found.path} is damaged: its SHA-256 begins with ${
        digest.slice(0, 8)
      }, expected 6726825d; ` +
        `fetch it again from ${PUBLISHED}`,
    );
  }
  const { entries, metadata: { prefix } } = isTorch(found.bytes)
    ? await decodeTorch(found.bytes, found.path)
    : decodeSafetensors(found.bytes, found.path);
  const last = feature === "2048" ? entries.get("fc.weight") : undefined;
  return {
    net: new Inception(weightsOf(entries, found.path), feature),
    file,
    sha256: digest,
    ...prefix && { prefix },
    ...last && { logits: (features) => logitsOf(features, last) },
  };
}

/** Products with the last layer's weight, some thousand rows at a time. */
async function logitsOf(features: Features, { shape, data }: Entry): Promise<Features> {
  const [classes, dimension] = shape;
  const weight = { count: classes, dimension, values: Float32Array.from(data as Float32Array) };
  const values = new Float32Array(features.count * classes);
  for (let at = 0; at < features.count; at += ROWS) {
    const rows = range(features, at, Math.min(features.count, at + ROWS));
    values.set(await products(rows, weight), at * classes);
  }
  return { count: features.count, dimension: classes, values };
}

/**
 * The weights in a file's arrays.
 *
 * @param where The file's name, for messages.
 * @throws {CheckpointError} If they are those of the Inception that is trained on ImageNet.
 */
export function weightsOf(entries: ReadonlyMap<string, Entry>, where: string): InceptionWeights {
  if (entries.has("AuxLogits.fc.weight") || entries.get("fc.weight")?.shape[0] === 1000) {
    throw new CheckpointError(
      `${where} is torchvision's Inception for ImageNet, not that of FID: its numbers would be ` +
        `comparable to nothing; take ${OFFICIAL}`,
    );
  }
  const last = [...entries.keys()].filter((name) => /^(Conv2d|Mixed|fc)/.test(name)).sort().at(-1)
    ?.split(".")[0];
  const of = (name: string, shape?: readonly (number | undefined)[]): Float32Array => {
    const entry = entries.get(name);
    if (!entry) {
      throw new CheckpointError(
        last === undefined
          ? `${where} has no ${name}: it does not hold an Inception with torchvision's names`
          : `${where} has no ${name}: it goes as far as ${last}; take the complete file ${OFFICIAL}` +
            (name.startsWith("fc") ? "" : ", or choose an earlier --feature"),
      );
    }
    const fits = !shape || shape.length === entry.shape.length &&
        shape.every((size, i) => size === undefined || size === entry.shape[i]);
    if (!["F32", "F64"].includes(entry.dtype) || !fits) {
      throw new CheckpointError(
        `${where}: ${name} is ${entry.dtype} [${entry.shape}], expected F32 ` +
          `[${shape?.map((size) => size ?? "any")}]`,
      );
    }
    return entry.dtype === "F32"
      ? entry.data as Float32Array
      : Float32Array.from(entry.data as Float64Array);
  };
  return {
    conv(path, [kh, kw]) {
      const w = of(`${path}.conv.weight`, [undefined, undefined, kh, kw]);
      const [O, C] = entries.get(`${path}.conv.weight`)!.shape;
      if (entries.has(`${path}.bn.weight`)) {
        const [gamma, beta, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
          .map((name) => of(`${path}.bn.${name}`, [O]));
        const scale = Float64Array.from(gamma, (g, o) => g / Math.sqrt(variance[o] + EPS));
        const bias = Float32Array.from(beta, (b, o) => b - mean[o] * scale[o]);
        return convOf(w, [O, C, kh, kw], scale, bias);
      }
      const bias = of(`${path}.conv.bias`, [O]);
      return convOf(w, [O, C, kh, kw], new Float64Array(O).fill(1), bias);
    },
    dense(path) {
      const w = of(`${path}.weight`, [undefined, undefined]);
      const [O, C] = entries.get(`${path}.weight`)!.shape;
      return tensor(transposed(w, O, C, 1, new Float64Array(O).fill(1)), [C, O]);
    },
  };
}

function convOf(
  w: Float32Array,
  [O, C, kh, kw]: readonly [number, number, number, number],
  scale: Float64Array,
  bias: Float32Array,
): ConvWeights {
  return {
    weight: tensor(transposed(w, O, C, kh * kw, scale), [kh, kw, C, O]),
    bias: tensor(bias, [O]),
  };
}

/** `[O, C, taps] -> [taps, C, O]`, each output times its scale. */
function transposed(w: Float32Array, O: number, C: number, taps: number, scale: Float64Array) {
  const out = new Float32Array(w.length);
  for (let o = 0, i = 0; o < O; o++) {
    const k = scale[o];
    for (let c = 0; c < C; c++) {
      for (let tap = 0; tap < taps; tap++) out[(tap * C + c) * O + o] = k * w[i++];
    }
  }
  return out;
}
