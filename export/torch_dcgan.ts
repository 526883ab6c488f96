/**
 * Weights of the networks of PyTorch's DCGAN example, `netG.pth` and `netD.pth`.
 *
 * @see https://github.com/pytorch/examples/blob/main/dcgan/main.py
 * @module
 */
import { CHANNELS, type Channels } from "../data/image.ts";
import { CheckpointError } from "../io/errors.ts";
import type { Entry } from "../io/safetensors.ts";

/** Sizes of a network, and its tensors by our names. */
export interface ReadNet {
  readonly kind: "G" | "D";
  /** Side of the images. */
  readonly resolution: number;
  /** What a pixel has. */
  readonly channels: Channels;
  /** Channels of the map beside the image. */
  readonly width: number;
  /** Length of a latent; of G only. */
  readonly nz?: number;
  readonly entries: Map<string, Entry>;
}

/** A convolution and the batch norm behind it. */
interface Block {
  readonly conv: Entry;
  readonly norm: ReadonlyMap<string, Entry>;
}

/** Whether the names are those of the example: `main.0.weight`, or `0.weight`. */
export function isExample(entries: ReadonlyMap<string, Entry>): boolean {
  return entries.has("main.0.weight") || entries.has("0.weight");
}

/**
 * Reads a state dict of `netG` or `netD`.
 *
 * @param where The file's name, for messages.
 * @throws {CheckpointError} If it is of another network.
 */
export function readExample(entries: ReadonlyMap<string, Entry>, where: string): ReadNet {
  const fault = (what: string) =>
    new CheckpointError(`${where} is not a network of PyTorch's DCGAN example: ${what}`);
  const blocks = blocksIn(entries, fault), first = blocks[0].conv.shape;
  const last = blocks.at(-1)!.conv.shape, kind = last[0] === 1 ? "D" : "G";
  // [in, out, k, k] of transposed convolutions, [out, in, k, k] of others.
  const colours = kind === "G" ? last[1] : first[1];
  const channels = (Object.keys(CHANNELS) as Channels[]).find((one) => CHANNELS[one] === colours);
  if (!channels) throw fault(`its images have ${colours} channels, expected 1, 3 or 4`);
  const resolution = 4 * 2 ** (blocks.length - 1), width = kind === "G" ? last[0] : first[0];
  const named = new Map<string, Entry>();
  for (const [i, { conv, norm }] of blocks.entries()) {
    const path = i === blocks.length - 1 ? "output" : `blocks.${i}.conv`;
    named.set(`${path}.weight`, conv);
    for (const [name, entry] of norm) named.set(`blocks.${i}.norm.${name}`, entry);
  }
  return {
    kind,
    resolution,
    channels,
    width,
    ...(kind === "G" && { nz: first[0] }),
    entries: named,
  };
}

function blocksIn(
  entries: ReadonlyMap<string, Entry>,
  fault: (what: string) => CheckpointError,
): Block[] {
  const layers = new Map<number, Map<string, Entry>>();
  for (const [name, entry] of entries) {
    const [, place, own] = /^(?:main\.)?(\d+)\.(\w+)$/.exec(name) ?? [];
    if (place === undefined) throw fault(`it has ${name}`);
    if (own === "num_batches_tracked") continue;
    const at = Number(place), layer = layers.get(at) ?? new Map<string, Entry>();
    layers.set(at, layer.set(own, entry));
  }
  const blocks: { conv: Entry; norm: Map<string, Entry> }[] = [];
  for (const [place, layer] of [...layers].sort(([a], [b]) => a - b)) {
    const weight = layer.get("weight");
    if (!weight) throw fault(`layer ${place} has no weight`);
    if (weight.shape.length === 1) {
      if (blocks.length === 0 || blocks.at(-1)!.norm.size) throw fault(`its norms do not fit`);
      blocks.at(-1)!.norm = layer;
      continue;
    }
    if (weight.shape.length !== 4 || weight.shape[2] !== 4 || layer.has("bias")) {
      throw fault(`layer ${place} is no convolution of 4 x 4 without a bias`);
    }
    blocks.push({ conv: weight, norm: new Map() });
  }
  if (blocks.length < 2) throw fault("it has too few layers");
  return blocks;
}
