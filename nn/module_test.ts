import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { openGpu } from "../gpu/engines/deno.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { constantInit } from "./init.ts";
import { Linear } from "./layers.ts";
import { Module } from "./module.ts";
await openGpu();

class Block extends Module {
  readonly first: Linear;
  readonly second: Linear;

  constructor(width: number) {
    super();
    this.first = new Linear(4, width, constantInit(1));
    this.second = new Linear(4, 4, constantInit(1));
  }

  override forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x));
  }
}

class Net extends Module {
  readonly blocks: Block[];

  constructor(...widths: number[]) {
    super();
    this.blocks = widths.map((width) => new Block(width));
  }

  override forward(x: Tensor): Tensor {
    if (x.shape[0] > 9) throw new TypeError("too many");
    return this.blocks.reduce((x, block) => block.forward(x), x);
  }
}

const x = tensor([1, 2, 3, 4], [1, 4]);

Deno.test("an error names the innermost module that it arose in, by its path, once", () => {
  const error = assertThrows(() => new Net(4, 3).forward(x), RangeError);
  assertEquals(/^blocks\.1\.second: matmul: /.test(error.message), true, error.message);
  assertEquals(error.message.split("blocks").length, 2);
  assertThrows(() => new Block(3).forward(x), RangeError, "second: matmul: ");
});

Deno.test("an error of the network itself stays as it is, and other parts run on", async () => {
  const net = new Net(4, 3);
  assertThrows(() => net.forward(tensor(new Float32Array(40), [10, 4])), TypeError, "too many");
  assertEquals((await net.blocks[0].forward(x).read()).length, 4);
  await assertRejects(() => Promise.resolve().then(() => net.forward(x)), RangeError, "blocks.1");
});

Deno.test("modules have the paths of their fields", () => {
  assertEquals([...new Net(4).namedModules()].map(([path]) => path), [
    "",
    "blocks.0",
    "blocks.0.first",
    "blocks.0.second",
  ]);
});
