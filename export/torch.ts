/**
 * A generator for PyTorch: a module's source text.
 *
 * @module
 */
import { BatchNorm2d, Conv2d } from "../nn/layers.ts";
import type { Weighted } from "../nn/weighted.ts";
import type { Graph, Layer, Node } from "./graph.ts";

/** The name of the weights' file beside the module. */
export const WEIGHTS = "model.safetensors";

/**
 * The text of `generator.py`.
 *
 * @param about A line on where it comes from.
 */
export function torchModule(graph: Graph, about: string): string {
  const { nodes, nz, classes, resolution, channels } = graph, lines: string[] = [];
  for (const node of nodes) {
    if (node.op === "layer") lines.push(`self.${node.layer.name} = ${layerText(node.layer)}`);
    if (node.op === "addScaled") lines.push(`self.${node.name} = nn.Parameter(torch.zeros(1))`);
  }
  const names = variables(nodes);
  const body = nodes.map((node, i) =>
    `${names[i + 1]} = ${nodeText(node, node.inputs.map((input) => names[input]))}`
  );
  const indented = (text: readonly string[]) => text.map((line) => `        ${line}`).join("\n");
  return `"""${about}

${
    classes.length
      ? "Latents"
      : "Standard normal latents"
  } [N, ${nz}] to images [N, ${channels}, ${resolution}, ${resolution}] in [-1, 1].

    generator = load()
    images = generator(${classes.length ? "latents(16, CLASSES[0])" : `torch.randn(16, ${nz})`})
"""

import json
import struct
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

${nodes.some(({ op }) => op === "attend") ? ATTEND : ""}${
    nodes.some(({ op }) => op === "upSmooth") ? UP_SMOOTH : ""
  }${classes.length ? latentsText(classes, nz) : ""}
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
${indented(lines)}

    def forward(self, z):
${indented(body)}
        return ${names[nodes.length]}

${LOAD}`;
}

function latentsText(classes: readonly string[], nz: number): string {
  const random = nz - classes.length;
  return `
CLASSES = ${JSON.stringify(classes)}


def latents(count, name):
    """Standard normal numbers beside the class, which counts as much as they do."""
    told = torch.zeros(count, len(CLASSES))
    told[:, CLASSES.index(name)] = ${random} ** 0.5
    return torch.cat([torch.randn(count, ${random}), told], 1)

`;
}

const LOAD = `
def read_safetensors(path):
    """What safetensors.torch.load_file does, for float32."""
    data = bytearray(Path(path).read_bytes())
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        count = (entry["data_offsets"][1] - entry["data_offsets"][0]) // 4
        values = torch.frombuffer(data, dtype=torch.float32, count=count, offset=start + entry["data_offsets"][0])
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def load(path=Path(__file__).with_name("${WEIGHTS}")):
    generator = Generator()
    generator.load_state_dict(read_safetensors(path))
    return generator.eval()
`;

const ATTEND = `
def attend(q, k, v):
    """Sums of values, weighted by the softmax of a pixel's query with all keys."""
    N, _, H, W = q.shape
    weights = torch.softmax(q.flatten(2).transpose(1, 2) @ k.flatten(2), -1)
    return (v.flatten(2) @ weights.transpose(1, 2)).reshape(N, -1, H, W)

`;

const UP_SMOOTH = `
def up_smooth(x):
    """Twice the side: each pixel repeated, then smoothed by [1, 2, 1] / 4 along both axes."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 4
    weight = (taps[:, None] * taps).expand(x.shape[1], 1, 4, 4)
    return F.conv_transpose2d(x, weight, stride=2, padding=1, groups=x.shape[1])

`;

function layerText({ kind, module }: Layer): string {
  if (module instanceof BatchNorm2d) {
    return `nn.BatchNorm2d(${module.weight.size}, eps=${module.constants.eps})`;
  }
  const { weight, weight_orig } = module as Weighted, shape = (weight ?? weight_orig)!.shape;
  const { stride, padding, groups = 1 } = module.geometry;
  // On the device [k, k, in / groups, out], of transposed ones [k, k, out / groups, in].
  const [k, , few, b] = shape, a = groups * few;
  const [inputs, outputs] = module instanceof Conv2d ? [a, b] : [b, a];
  const name = kind === "conv" ? "Conv2d" : "ConvTranspose2d";
  const more = (groups > 1 ? `, groups=${groups}` : "") + (module.bias ? "" : ", bias=False");
  return `nn.${name}(${inputs}, ${outputs}, ${k}, ${stride}, ${padding}${more})`;
}

function nodeText(node: Node, [x, y, v]: readonly string[]): string {
  switch (node.op) {
    case "latent":
      return `${x}.reshape(-1, ${node.nz}, 1, 1)`;
    case "layer":
      return `self.${node.layer.name}(${x})`;
    case "leakyRelu":
      return node.slope === 0 ? `F.relu(${x})` : `F.leaky_relu(${x}, ${node.slope})`;
    case "tanh":
      return `torch.tanh(${x})`;
    case "pixelNorm":
      return `${x} * torch.rsqrt((${x} * ${x}).mean(1, keepdim=True) + ${node.eps})`;
    case "upNearest":
      return `F.interpolate(${x}, scale_factor=${node.factor}, mode="nearest")`;
    case "upSmooth":
      return `up_smooth(${x})`;
    case "add":
      return `${x} + ${y}`;
    case "maxPool":
      return `F.max_pool2d(${x}, 2)`;
    case "attend":
      return `attend(${x}, ${y}, ${v})`;
    case "addScaled":
      return `self.${node.name} * ${x} + ${y}`;
    case "mix":
      return `${1 - node.alpha} * ${x} + ${node.alpha} * ${y}`;
  }
}

/** What each value is called: `x` where only the next line reads it. */
function variables(nodes: readonly Node[]): string[] {
  const names = ["z"];
  for (let value = 1; value <= nodes.length; value++) {
    const readers = nodes.flatMap(({ inputs }, i) => inputs.includes(value) ? [i] : []);
    const next = readers.every((i) => i === value);
    names.push(next ? "x" : `x${value}`);
  }
  return names;
}
