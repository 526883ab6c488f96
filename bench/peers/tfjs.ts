/**
 * The peer benchmark by TensorFlow.js on WebGPU, as bench/compare runs it:
 *
 *     deno run -A --config bench/peers/deno.json bench/peers/tfjs.ts --jobs matmul-512
 */
import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import "@tensorflow/tfjs-backend-webgpu";
import { benchmark, endAtErrors, type FirstSteps } from "./peer.ts";

interface Layer {
  readonly conv: tf.Variable;
  readonly norm?: {
    readonly weight: tf.Variable;
    readonly bias: tf.Variable;
    readonly mean: tf.Variable;
    readonly var: tf.Variable;
  };
}

const backend = () => tf.backend() as WebGPUBackend;

await benchmark({
  framework: `tensorflow.js ${tf.version_core}`,

  async open() {
    if (!await tf.setBackend("webgpu")) {
      throw new Error("TensorFlow.js finds no WebGPU");
    }
    await tf.ready();
    endAtErrors(backend().device);
    const { description, device } = backend().device.adapterInfo;
    return description || device;
  },

  async idle() {
    (backend() as unknown as { endComputePassEncoder(): void })
      .endComputePassEncoder();
    backend().submitQueue();
    await backend().device.queue.onSubmittedWorkDone();
  },

  matmul(a, b, n) {
    const [x, y] = [a, b].map((data) => tf.tensor2d(data, [n, n]));
    return {
      run: () => tf.dispose(tf.matMul(x, y)),
      read: () => tf.matMul(x, y).data() as Promise<Float32Array>,
    };
  },

  conv(input, kernel, { N, S, C, O, kernel: k }) {
    const x = tf.tensor4d(input, [N, S, S, C]),
      w = tf.tensor4d(kernel, [k, k, C, O]);
    return {
      run: () => tf.dispose(tf.conv2d(x, w, 1, "same")),
      read: () => tf.conv2d(x, w, 1, "same").data() as Promise<Float32Array>,
    };
  },

  dcgan(first) {
    const G = net(first, "G"), D = net(first, "D");
    const { shape: [N, , R], data } = first.get("real")!;
    const real: tf.Tensor4D = tf.tidy(() =>
      tf.transpose(tf.tensor4d(data, [N, 3, R, R]), [0, 2, 3, 1])
    );
    const z = first.get("z")!, nz = z.shape[2];
    const adams = [G, D].map(() => tf.train.adam(2e-4, 0.5, 0.999, 1e-8));
    const step = (given: tf.Tensor2D) => trainStep(G, D, adams[0], adams[1], given, real);
    return {
      run: () => tf.dispose(tf.tidy(() => step(tf.randomNormal([N, nz])))),
      async first(t) {
        const given = tf.tensor2d(z.data.slice(t * N * nz, (t + 1) * N * nz), [
          N,
          nz,
        ]);
        const losses = step(given);
        return (await Promise.all(losses.map((loss) => loss.data()))).map((
          [v],
        ) => v);
      },
    };
  },
});

/** Layers of a network, the one without a norm last in G, first and last in D. */
function net(first: FirstSteps, name: string): Layer[] {
  const layer = (path: string): Layer => {
    const vector = (part: string, trained: boolean) =>
      tf.variable(
        tf.tensor1d(first.get(`init/${name}.${path}.${part}`)!.data),
        trained,
      );
    const { shape, data } = first.get(
      `init/${name}.${path === "output" ? path : `${path}.conv`}.weight`,
    )!;
    // [O, C, kh, kw] to [kh, kw, C, O]; of transposed ones, too, whose C are the outputs.
    const conv = tf.variable(
      tf.tidy(() =>
        tf.transpose(
          tf.tensor4d(data, shape as [number, number, number, number]),
          [2, 3, 1, 0],
        )
      ),
    );
    if (!first.has(`init/${name}.${path}.norm.weight`)) return { conv };
    return {
      conv,
      norm: {
        weight: vector("norm.weight", true),
        bias: vector("norm.bias", true),
        mean: vector("norm.running_mean", false),
        var: vector("norm.running_var", false),
      },
    };
  };
  const paths = [];
  while (first.has(`init/${name}.blocks.${paths.length}.conv.weight`)) {
    paths.push(`blocks.${paths.length}`);
  }
  return [...paths, "output"].map(layer);
}

function variables(layers: Layer[]): tf.Variable[] {
  return layers.flatMap(({ conv, norm }) => norm ? [conv, norm.weight, norm.bias] : [conv]);
}

function batchNorm(
  x: tf.Tensor4D,
  norm: NonNullable<Layer["norm"]>,
): tf.Tensor4D {
  const { mean, variance } = tf.moments(x, [0, 1, 2]), n = x.size / x.shape[3];
  tf.tidy(() => {
    norm.mean.assign(tf.add(tf.mul(norm.mean, 0.9), tf.mul(mean, 0.1)));
    norm.var.assign(
      tf.add(tf.mul(norm.var, 0.9), tf.mul(variance, 0.1 * n / (n - 1))),
    );
  });
  return tf.batchNorm4d(
    x,
    mean as tf.Tensor1D,
    variance as tf.Tensor1D,
    norm.bias as tf.Tensor1D,
    norm.weight as tf.Tensor1D,
    1e-5,
  );
}

/** Latents `[N, nz]` to images `[N, R, R, 3]`. */
function generate(layers: Layer[], z: tf.Tensor2D): tf.Tensor4D {
  let x = tf.reshape(z, [z.shape[0], 1, 1, z.shape[1]]) as tf.Tensor4D;
  for (const [i, { conv, norm }] of layers.entries()) {
    const [, , outputs] = conv.shape, [N, S] = x.shape, T = i === 0 ? 4 : 2 * S;
    const shape: [number, number, number, number] = [N, T, T, outputs];
    const w = conv as unknown as tf.Tensor4D;
    x = tf.conv2dTranspose(
      x,
      w,
      shape,
      i === 0 ? 1 : 2,
      i === 0 ? "valid" : "same",
    );
    x = norm ? tf.relu(batchNorm(x, norm)) : tf.tanh(x);
  }
  return x;
}

/** Images `[N, R, R, 3]` to logits `[N]`. */
function judge(layers: Layer[], x: tf.Tensor4D): tf.Tensor {
  for (const [i, { conv, norm }] of layers.entries()) {
    const last = i === layers.length - 1, w = conv as unknown as tf.Tensor4D;
    x = tf.conv2d(x, w, last ? 1 : 2, last ? "valid" : "same");
    if (norm) x = batchNorm(x, norm);
    if (!last) x = tf.leakyRelu(x, 0.2);
  }
  return tf.reshape(x, [-1]);
}

/** D-real, D-fake, G. */
function trainStep(
  G: Layer[],
  D: Layer[],
  adamG: tf.Optimizer,
  adamD: tf.Optimizer,
  z: tf.Tensor2D,
  real: tf.Tensor4D,
): tf.Scalar[] {
  let dReal: tf.Scalar, dFake: tf.Scalar;
  // D's step is made inside of G's, so that G's forward pass is made once.
  const { value: g, grads } = tf.variableGrads(() => {
    const fake = generate(G, z);
    const { value, grads } = tf.variableGrads(() => {
      dReal = tf.keep(tf.mean(tf.softplus(tf.neg(judge(D, real)))));
      dFake = tf.keep(tf.mean(tf.softplus(judge(D, fake))));
      return tf.add(dReal, dFake);
    }, variables(D));
    adamD.applyGradients(grads);
    tf.dispose([value, grads]);
    return tf.mean(tf.softplus(tf.neg(judge(D, fake))));
  }, variables(G));
  adamG.applyGradients(grads);
  tf.dispose(grads);
  return [dReal!, dFake!, g];
}
