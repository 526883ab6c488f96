/**
 * A generator as an ONNX model: operator set 17, in float32, images `[N, C, R, R]` from latents.
 *
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 * @module
 */
import { PbfWriter } from "pbf";
import type { Entry } from "../io/safetensors.ts";
import { BatchNorm2d } from "../nn/layers.ts";
import type { Graph, Node } from "./graph.ts";

/** Fields of the messages that are written. */
const MODEL = { irVersion: 1, producer: 2, producerVersion: 3, doc: 6, graph: 7, opset: 8 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, op: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, f: 2, i: 3, s: 4, ints: 8, type: 20 };
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9 };
const FLOAT = 1, INT64 = 7; // of TensorProto.DataType
const IR = 8, OPSET = 17;

/** A number is a float where it is marked so, else an integer. */
type Attribute = { f: number } | number | string | readonly number[];

class Writer {
  readonly #pbf = new PbfWriter();
  readonly #arrays: ReadonlyMap<string, Entry>;
  #made = 0;

  constructor(arrays: ReadonlyMap<string, Entry>) {
    this.#arrays = arrays;
  }

  finish(): Uint8Array {
    return this.#pbf.finish();
  }

  /** Adds a node; returns the name of what it makes. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output = `t${this.#made++}`,
  ): string {
    this.#pbf.writeMessage(GRAPH.node, (_: unknown, pbf: PbfWriter) => {
      for (const input of inputs) pbf.writeStringField(NODE.input, input);
      pbf.writeStringField(NODE.output, output);
      pbf.writeStringField(NODE.op, op);
      for (const [name, value] of Object.entries(attributes)) {
        pbf.writeMessage(NODE.attribute, writeAttribute, { name, value });
      }
    }, undefined);
    return output;
  }

  /** Puts an array of the graph into the model. */
  array(name: string): string {
    const { shape, data } = this.#arrays.get(name)!;
    return this.#tensor(name, FLOAT, shape, data as Float32Array);
  }

  floats(values: readonly number[], shape: readonly number[]): string {
    return this.#tensor(`c${this.#made++}`, FLOAT, shape, Float32Array.from(values));
  }

  integers(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.#tensor(`c${this.#made++}`, INT64, [values.length], data);
  }

  has(name: string): boolean {
    return this.#arrays.has(name);
  }

  #tensor(name: string, type: number, dims: readonly number[], data: ArrayBufferView): string {
    this.#pbf.writeMessage(GRAPH.initializer, (_: unknown, pbf: PbfWriter) => {
      for (const size of dims) pbf.writeVarintField(TENSOR.dims, size);
      pbf.writeVarintField(TENSOR.type, type);
      pbf.writeStringField(TENSOR.name, name);
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      pbf.writeBytesField(TENSOR.raw, bytes);
    }, undefined);
    return name;
  }

  /** What goes in or out: any number of rows of these sizes. */
  value(field: number, name: string, sizes: readonly number[]): void {
    this.#pbf.writeMessage(field, (_: unknown, pbf: PbfWriter) => {
      pbf.writeStringField(1, name);
      pbf.writeMessage(2, (_: unknown, pbf: PbfWriter) => {
        pbf.writeMessage(1, (_: unknown, pbf: PbfWriter) => {
          pbf.writeVarintField(1, FLOAT);
          pbf.writeMessage(2, (_: unknown, pbf: PbfWriter) => {
            pbf.writeMessage(1, (_: unknown, pbf) => pbf.writeStringField(2, "N"), undefined);
            for (const size of sizes) {
              pbf.writeMessage(1, (_: unknown, pbf) => pbf.writeVarintField(1, size), undefined);
            }
          }, undefined);
        }, undefined);
      }, undefined);
    }, undefined);
  }

  name(name: string): void {
    this.#pbf.writeStringField(GRAPH.name, name);
  }
}

function writeAttribute(
  { name, value }: { name: string; value: Attribute },
  pbf: PbfWriter,
): void {
  pbf.writeStringField(ATTRIBUTE.name, name);
  if (typeof value === "number") {
    pbf.writeVarintField(ATTRIBUTE.i, value);
    pbf.writeVarintField(ATTRIBUTE.type, 2);
  } else if (typeof value === "string") {
    pbf.writeStringField(ATTRIBUTE.s, value);
    pbf.writeVarintField(ATTRIBUTE.type, 3);
  } else if ("f" in value) {
    pbf.writeFloatField(ATTRIBUTE.f, value.f);
    pbf.writeVarintField(ATTRIBUTE.type, 1);
  } else {
    for (const one of value) pbf.writeVarintField(ATTRIBUTE.ints, one);
    pbf.writeVarintField(ATTRIBUTE.type, 7);
  }
}

/**
 * The bytes of the model; its input is `latents`, its output `images`.
 *
 * @param arrays Those of the graph: `arraysOf`.
 * @param producer Program and version.
 */
export function onnxModel(
  graph: Graph,
  arrays: ReadonlyMap<string, Entry>,
  { program, version, about }: { program: string; version: string; about: string },
): Uint8Array {
  const { classes } = graph, random = graph.nz - classes.length;
  const told = classes.length
    ? `; a latent has ${random} standard normal numbers, then the root of ${random} at its class among ` +
      `${classes.join(", ")} and 0 at the others`
    : "";
  const to = new Writer(arrays), names = ["latents"];
  for (const [i, node] of graph.nodes.entries()) {
    const last = i === graph.nodes.length - 1;
    names.push(
      write(to, node, node.inputs.map((input) => names[input]), last ? "images" : undefined),
    );
  }
  to.name("generator");
  to.value(GRAPH.input, "latents", [graph.nz]);
  to.value(GRAPH.output, "images", [graph.channels, graph.resolution, graph.resolution]);
  const bytes = to.finish(), model = new PbfWriter();
  model.writeVarintField(MODEL.irVersion, IR);
  model.writeStringField(MODEL.producer, program);
  model.writeStringField(MODEL.producerVersion, version);
  model.writeStringField(MODEL.doc, about + told);
  model.writeBytesField(MODEL.graph, bytes);
  model.writeMessage(MODEL.opset, (_: unknown, pbf) => pbf.writeVarintField(2, OPSET), undefined);
  return model.finish();
}

/** The nodes of one operation; returns what they make. */
function write(to: Writer, node: Node, inputs: string[], output?: string): string {
  const [x, y] = inputs;
  switch (node.op) {
    case "latent":
      return to.node("Reshape", [x, to.integers([-1, node.nz, 1, 1])], {}, output);
    case "layer":
      return writeLayer(to, node.layer, x, output);
    case "leakyRelu":
      return node.slope === 0
        ? to.node("Relu", [x], {}, output)
        : to.node("LeakyRelu", [x], { alpha: { f: node.slope } }, output);
    case "tanh":
      return to.node("Tanh", [x], {}, output);
    case "pixelNorm": {
      const square = to.node("ReduceMean", [to.node("Mul", [x, x])], { axes: [1], keepdims: 1 });
      const sum = to.node("Add", [square, to.floats([node.eps], [])]);
      return to.node("Div", [x, to.node("Sqrt", [sum])], {}, output);
    }
    case "upNearest": {
      const scales = to.floats([1, 1, node.factor, node.factor], [4]);
      const how = { mode: "nearest", coordinate_transformation_mode: "asymmetric" };
      return to.node("Resize", [x, "", scales], { ...how, nearest_mode: "floor" }, output);
    }
    case "upSmooth": {
      const taps = [1, 3, 3, 1], kernel = taps.flatMap((a) => taps.map((b) => a * b / 16));
      const values = Array.from({ length: node.channels }, () => kernel).flat();
      const weight = to.floats(values, [node.channels, 1, 4, 4]);
      const how = { group: node.channels, strides: [2, 2], pads: [1, 1, 1, 1] };
      return to.node("ConvTranspose", [x, weight], how, output);
    }
    case "add":
      return to.node("Add", [x, y], {}, output);
    case "maxPool":
      return to.node("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] }, output);
    case "attend":
      return writeAttention(to, node, inputs, output);
    case "addScaled":
      return to.node("Add", [to.node("Mul", [x, to.array(node.name)]), y], {}, output);
    case "mix": {
      const [old, fresh] = [[x, 1 - node.alpha], [y, node.alpha]] as const;
      const share = ([value, k]: readonly [string, number]) =>
        to.node("Mul", [value, to.floats([k], [])]);
      return to.node("Add", [share(old), share(fresh)], {}, output);
    }
  }
}

function writeLayer(
  to: Writer,
  { name, kind, module }: Extract<Node, { op: "layer" }>["layer"],
  x: string,
  output?: string,
): string {
  if (module instanceof BatchNorm2d) {
    const parts = ["weight", "bias", "running_mean", "running_var"];
    const inputs = [x, ...parts.map((part) => to.array(`${name}.${part}`))];
    return to.node("BatchNormalization", inputs, { epsilon: { f: module.constants.eps } }, output);
  }
  const { stride, padding, groups = 1 } = module.geometry, weight = to.array(`${name}.weight`);
  const bias = to.has(`${name}.bias`) ? [to.array(`${name}.bias`)] : [];
  return to.node(
    kind === "conv" ? "Conv" : "ConvTranspose",
    [x, weight, ...bias],
    {
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      ...groups > 1 && { group: groups },
    },
    output,
  );
}

function writeAttention(
  to: Writer,
  { side, widths: [d, e] }: Extract<Node, { op: "attend" }>,
  [q, k, v]: string[],
  output?: string,
): string {
  const rows = (x: string, width: number) => to.node("Reshape", [x, to.integers([0, width, -1])]);
  const turned = (x: string) => to.node("Transpose", [x], { perm: [0, 2, 1] });
  const weights = to.node("Softmax", [to.node("MatMul", [turned(rows(q, d)), rows(k, d)])], {
    axis: -1,
  });
  const sums = to.node("MatMul", [rows(v, e), turned(weights)]);
  return to.node("Reshape", [sums, to.integers([0, e, side, side])], {}, output);
}
