/**
 * The weights of the face network from the files of the npm package that holds them: bytes, and a
 * manifest that says what they mean.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { CheckpointError } from "../../io/errors.ts";
import { FaceNet, type FaceWeights } from "../../models/face.ts";
import { tensor } from "../../tensor/tensor.ts";
import { EvalError } from "../errors.ts";
import type { LoadedNetwork } from "./weights.ts";

/** The package; its code is MIT, and these weights were released into the public domain by dlib's author. */
export const FACE_PACKAGE = "@vladmandic/face-api@1.7.15";

/** The files in its folder `model`, with their SHA-256. */
export const FACE_FILES: Readonly<Record<string, string>> = {
  "face_recognition_model.bin": "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
  "face_recognition_model-weights_manifest.json":
    "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
};

const [BIN] = Object.keys(FACE_FILES);
const MEAN = [122.782, 117.001, 104.298]; // of red, green and blue

/** An array of the network, as TensorFlow.js writes it. */
interface Written {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string; readonly scale: number; readonly min: number };
}

interface Read {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Where the manifest of a `.bin` lies. */
function manifestOf(path: string): string {
  return path.replace(/\.bin$/, "") + "-weights_manifest.json";
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? `there is no ${path}`
      : `cannot read ${path}: ${(error as Error).message}`;
    throw new EvalError(
      `eval: ${why}: gan weights face fetches ${Object.keys(FACE_FILES).join(" and ")}; or take ` +
        `them from the npm package ${FACE_PACKAGE}, and name the first with --weights`,
      { cause: error },
    );
  }
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * Reads the face network.
 *
 * @param path The `.bin`; by default where `gan weights face` puts it.
 * @throws {EvalError} If there is no such file, or no manifest beside it.
 * @throws {CheckpointError} If the files are broken, or of another network.
 */
export async function loadFace(path: string = join("weights", BIN)): Promise<LoadedNetwork> {
  const places = [path, manifestOf(path)], files = await Promise.all(places.map(read));
  const digests = await Promise.all(files.map(digestOf));
  for (const [i, place] of places.entries()) {
    const expected = FACE_FILES[basename(place)];
    if (expected && expected !== digests[i]) {
      throw new CheckpointError(
        `${place} is damaged: its SHA-256 is ${digests[i]}, expected ${expected}: remove it, and ` +
          "fetch it again with gan weights face",
      );
    }
  }
  const [bytes, manifest] = files;
  const net = new FaceNet(weightsOf(arraysIn(bytes, manifest, path), path));
  return { net, file: basename(path), sha256: digests[0] };
}

/** All arrays by name; each follows the one before. */
function arraysIn(
  bytes: Uint8Array<ArrayBuffer>,
  manifest: Uint8Array,
  where: string,
): Map<string, Read> {
  let written: readonly Written[];
  try {
    written = JSON.parse(new TextDecoder().decode(manifest))[0].weights;
    if (!Array.isArray(written)) throw new Error("it lists no weights");
  } catch (error) {
    throw new CheckpointError(`${manifestOf(where)} is no manifest: ${(error as Error).message}`);
  }
  const arrays = new Map<string, Read>();
  let at = 0;
  for (const { name, shape, dtype, quantization } of written) {
    const known = quantization === undefined || quantization.dtype === "uint8";
    if (dtype !== "float32" || !known || !Array.isArray(shape)) {
      throw new CheckpointError(`${where}: ${name} is no array of float32 or of bytes for it`);
    }
    const size = shape.reduce((n, side) => n * side, quantization ? 1 : 4);
    const part = bytes.slice(at, at += size);
    if (part.length < size) break;
    const { scale = 1, min = 0 } = quantization ?? {};
    const values = quantization
      ? Float32Array.from(part, (value) => value * scale + min)
      : new Float32Array(part.buffer);
    arrays.set(name, { shape, values });
  }
  if (at !== bytes.length) {
    throw new CheckpointError(`${where} has ${bytes.length} bytes, its manifest ${at}`);
  }
  return arrays;
}

function weightsOf(arrays: ReadonlyMap<string, Read>, where: string): FaceWeights {
  const of = (name: string, rank: number): Read => {
    const found = arrays.get(name);
    if (found?.shape.length === rank) return found;
    throw new CheckpointError(`${where} has no ${name}: it is not the face network`);
  };
  const dense = of("fc", 2);
  return {
    dense: tensor(dense.values, dense.shape),
    conv(path) {
      const { shape, values } = of(`${path}/conv/filters`, 4), O = shape[3];
      const [biases, scales, shifts] = ["conv/bias", "scale/weights", "scale/biases"]
        .map((name) => of(`${path}/${name}`, 1).values);
      const weight = values.map((w, i) => w * scales[i % O]);
      const bias = biases.map((b, o) => b * scales[o] + shifts[o]);
      // Images are given in [-1, 1]; the network was trained on (x - mean) / 255 of bytes.
      if (path === "conv32_down") centre(weight, bias);
      return { weight: tensor(weight, shape), bias: tensor(bias, [O]) };
    },
  };
}

/** Takes the means of the colors into the first layer, which has no frame of zeros. */
function centre(weight: Float32Array, bias: Float32Array): void {
  const O = bias.length;
  for (let i = 0; i < weight.length; i++) {
    bias[i % O] += weight[i] * (0.5 - MEAN[Math.floor(i / O) % 3] / 255);
    weight[i] /= 2;
  }
}
