/**
 * A module of your own, trained: a residual network that learns the function `sin(3 x)`.
 *
 * ```sh
 * deno run -A examples/custom_module.ts
 * ```
 *
 * @module
 */
import {
  Adam,
  add,
  grad,
  hostRandom,
  Linear,
  mean,
  Module,
  openGpu,
  scoped,
  square,
  sub,
  type Tensor,
  tensor,
  uniformInit,
} from "@webgan/webgan";

/** `x + W2 relu(W1 x)`: a block whose parameters are found by the names of its fields. */
class Residual extends Module {
  readonly first: Linear;
  readonly second: Linear;

  constructor(width: number, seed: number) {
    super();
    const init = uniformInit(hostRandom(seed, 1));
    this.first = new Linear(width, width, init, { slope: 0 }); // a ReLU behind it
    this.second = new Linear(width, width, init);
  }

  override forward(x: Tensor): Tensor {
    return add(x, this.second.forward(this.first.forward(x)));
  }
}

class Net extends Module {
  readonly into: Linear;
  readonly blocks: Residual[];
  readonly out: Linear;

  constructor(width: number, depth: number) {
    super();
    const init = uniformInit(hostRandom(0, 1));
    this.into = new Linear(1, width, init);
    this.blocks = Array.from({ length: depth }, (_, i) => new Residual(width, i + 1));
    this.out = new Linear(width, 1, init);
  }

  override forward(x: Tensor): Tensor {
    return this.out.forward(
      this.blocks.reduce((h, block) => block.forward(h), this.into.forward(x)),
    );
  }
}

/** Trains for some steps; returns the first and the last loss. */
export async function train(steps: number, log: (text: string) => void): Promise<number[]> {
  const xs = Float32Array.from({ length: 256 }, (_, i) => i / 128 - 1);
  const x = tensor(xs, [256, 1]), y = tensor(xs.map((x) => Math.sin(3 * x)), [256, 1]);
  const net = new Net(32, 2), adam = new Adam(net.parameters(), { lr: 2e-3, betas: [0.9, 0.99] });
  const losses: number[] = [];
  for (let step = 0; step <= steps; step++) {
    const loss = scoped(() => {
      const loss = mean(square(sub(net.forward(x), y)));
      adam.step(grad(loss, adam.params));
      return loss;
    });
    if (step % 100) continue; // only reading waits for the device
    losses.push(await loss.item());
    log(`step ${step}: loss ${losses.at(-1)!.toFixed(5)}`);
  }
  return losses;
}

if (import.meta.main) {
  await openGpu();
  await train(500, console.log);
  Deno.exit(); // an open device keeps the process alive
}
