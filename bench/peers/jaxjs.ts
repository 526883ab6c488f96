/**
 * The peer benchmark by jax-js on WebGPU, as bench/compare runs it:
 *
 *     deno run -A --config bench/peers/deno.json bench/peers/jaxjs.ts --jobs matmul-512
 *
 * jax-js counts references by hand: a function consumes its arguments, and `.ref` keeps one for later.
 */
import {
  type Array as JaxArray,
  blockUntilReady,
  defaultDevice,
  getWebGPUDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  random,
  tree,
  valueAndGrad,
  vjp,
} from "@jax-js/jax";
import { benchmark, endAtErrors, type FirstSteps } from "./peer.ts";

type Params = Record<string, JaxArray>;
/** Of one network: what Adam moves, its moments, and running statistics. */
type Net = { params: Params; m: Params; v: Params; stats: Params };
type State = { G: Net; D: Net };

const VERSION = "0.1.25";
/** What is to be computed: jax-js leaves undone what is disposed of before anyone waits for it. */
const wanted = new Set<JaxArray>();

await benchmark({
  framework: `jax-js ${VERSION}`,

  async open() {
    if (!(await init("webgpu")).includes("webgpu")) {
      throw new Error("jax-js finds no WebGPU");
    }
    defaultDevice("webgpu");
    endAtErrors(getWebGPUDevice());
    const { description, device } = getWebGPUDevice().adapterInfo;
    return description || device;
  },

  async idle() {
    await blockUntilReady([...wanted]);
    await getWebGPUDevice().queue.onSubmittedWorkDone();
    for (const y of wanted) y.dispose();
    wanted.clear();
  },

  matmul(a, b, n) {
    const [x, y] = [a, b].map((data) => np.array(new Float32Array(data)).reshape([n, n]));
    const product = jit((x: JaxArray, y: JaxArray) => np.matmul(x, y));
    return {
      run: () => wanted.add(product(x.ref, y.ref)),
      read: async () => await product(x.ref, y.ref).data() as Float32Array,
    };
  },

  conv(input, kernel, { N, S, C, O, kernel: k }) {
    const x = np.transpose(
      np.array(new Float32Array(input)).reshape([N, S, S, C]),
      [0, 3, 1, 2],
    );
    const w = np.transpose(
      np.array(new Float32Array(kernel)).reshape([k, k, C, O]),
      [3, 2, 0, 1],
    );
    const conv = jit((x: JaxArray, w: JaxArray) => lax.conv(x, w, [1, 1], "SAME"));
    const [laidX, laidW] = [x, w].map((x) => jit((x: JaxArray) => x.mul(1))(x)); // contiguous
    return {
      run: () => wanted.add(conv(laidX.ref, laidW.ref)),
      read: async () => {
        const y = conv(laidX.ref, laidW.ref);
        return await np.transpose(y, [0, 2, 3, 1]).data() as Float32Array;
      },
    };
  },

  dcgan(first) {
    let state: State = { G: net(first, "G."), D: net(first, "D.") }, steps = 0;
    const array = (name: string) => {
      const { shape, data } = first.get(name)!;
      return np.array(data).reshape(shape);
    };
    const real = array("real"), zs = first.get("z")!, [, N, nz] = zs.shape;
    const step = jit(trainStep);
    const make = (z: JaxArray) => {
      steps++;
      const correction = np.array([1 - 0.5 ** steps, 1 - 0.999 ** steps]);
      const [next, losses] = step(state, z, real.ref, correction);
      state = next;
      return losses;
    };
    return {
      run: () => wanted.add(make(random.normal(random.key(steps), [N, nz]))),
      async first(t) {
        const z = np.array(zs.data.slice(t * N * nz, (t + 1) * N * nz)).reshape(
          [N, nz],
        );
        return [...await make(z).data()];
      },
    };
  },
});

function net(first: FirstSteps, prefix: string): Net {
  const params: Params = {}, m: Params = {}, v: Params = {}, stats: Params = {};
  for (const [name, { shape, data }] of first) {
    const path = name.slice(`init/${prefix}`.length);
    if (!name.startsWith(`init/${prefix}`)) continue;
    const value = np.array(data).reshape(shape);
    if (path.includes("running")) stats[path] = value;
    else {[params[path], m[path], v[path]] = [
        value,
        np.zeros(shape),
        np.zeros(shape),
      ];}
  }
  return { params, m, v, stats };
}

/** Blocks of a network; its last layer is `output`. */
function depth(params: Params): number {
  return Object.keys(params).filter((name) => name.endsWith("conv.weight"))
    .length;
}

/** Batch norm of `[N, C, H, W]`, and mean and unbiased variance of the batch. */
function batchNorm(
  x: JaxArray,
  weight: JaxArray,
  bias: JaxArray,
): [JaxArray, JaxArray, JaxArray] {
  const [N, C, H, W] = x.shape,
    n = N * H * W,
    axes = [0, 2, 3],
    by = [1, C, 1, 1];
  const mean = np.mean(x.ref, axes, { keepdims: true });
  const centred = x.sub(mean.ref);
  const variance = np.mean(np.square(centred.ref), axes, { keepdims: true });
  const scale = weight.reshape(by).div(np.sqrt(variance.ref.add(1e-5)));
  const y = centred.mul(scale).add(bias.reshape(by));
  return [y, mean.reshape([C]), variance.reshape([C]).mul(n / (n - 1))];
}

/** Latents `[N, nz]` to images `[N, 3, R, R]`, and the statistics of its batch norms. */
function generate(params: Params, z: JaxArray): [JaxArray, JaxArray[]] {
  const blocks = depth(params), seen: JaxArray[] = [];
  let x = z.reshape([...z.shape, 1, 1]);
  for (let i = 0; i < blocks; i++) {
    x = transposed(x, params[`blocks.${i}.conv.weight`], i > 0);
    const norm = `blocks.${i}.norm`;
    const [y, mean, variance] = batchNorm(
      x,
      params[`${norm}.weight`],
      params[`${norm}.bias`],
    );
    seen.push(mean, variance);
    x = nn.relu(y);
  }
  return [np.tanh(transposed(x, params["output.weight"], true)), seen];
}

/** PyTorch's transposed convolution of kernel 4: from 1x1 to 4x4, or to twice the side. */
function transposed(x: JaxArray, w: JaxArray, doubles: boolean): JaxArray {
  const [stride, p] = doubles ? [2, 1] : [1, 0];
  return lax.convTranspose(x, w, [stride, stride], [[p, p], [p, p]], {
    transposeKernel: true,
  });
}

/** Images to logits `[N]`, and statistics. */
function judge(params: Params, x: JaxArray): [JaxArray, JaxArray[]] {
  const blocks = depth(params), seen: JaxArray[] = [];
  for (let i = 0; i < blocks; i++) {
    x = lax.conv(x, params[`blocks.${i}.conv.weight`], [2, 2], [[1, 1], [
      1,
      1,
    ]]);
    const norm = `blocks.${i}.norm`;
    if (params[`${norm}.weight`]) {
      const [y, mean, variance] = batchNorm(
        x,
        params[`${norm}.weight`],
        params[`${norm}.bias`],
      );
      seen.push(mean, variance);
      x = y;
    }
    x = nn.leakyRelu(x, 0.2);
  }
  return [
    lax.conv(x, params["output.weight"], [1, 1], "VALID").reshape([-1]),
    seen,
  ];
}

function moved(stats: Params, batches: JaxArray[][]): Params {
  const names = Object.keys(stats).sort(byLayer), next: Params = { ...stats };
  for (const seen of batches) {
    for (const [i, name] of names.entries()) {
      next[name] = next[name].mul(0.9).add(seen[i].mul(0.1));
    }
  }
  return next;
}

/** In the order in which they are seen: by block, the mean first. */
function byLayer(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function adam(
  { params, m, v }: Net,
  grads: Params,
  correction: JaxArray,
): Omit<Net, "stats"> {
  const next: Omit<Net, "stats"> = { params: {}, m: {}, v: {} };
  const [c1, c2] = [correction.ref.slice(0), correction.slice(1)];
  for (const name of Object.keys(params)) {
    const g = grads[name];
    const m1 = m[name].mul(0.5).add(g.ref.mul(0.5));
    const v1 = v[name].mul(0.999).add(np.square(g).mul(0.001));
    const down = np.sqrt(v1.ref.div(c2.ref)).add(1e-8);
    next.params[name] = params[name].sub(
      m1.ref.div(c1.ref).div(down).mul(2e-4),
    );
    next.m[name] = m1;
    next.v[name] = v1;
  }
  c1.dispose();
  c2.dispose();
  return next;
}

/** One step; returns the new state and `[3]`: D-real, D-fake, G. */
function trainStep(
  { G, D }: State,
  z: JaxArray,
  real: JaxArray,
  correction: JaxArray,
): [State, JaxArray] {
  const [fake, backG, seenG] = vjp(
    (params: Params, z: JaxArray) => generate(params, z),
    [tree.ref(G.params), z],
    { hasAux: true },
  ) as unknown as [JaxArray, (dy: JaxArray) => [Params, JaxArray], JaxArray[]];

  const [[whole, aux], gradsD] = valueAndGrad(
    (params: Params, real: JaxArray, fake: JaxArray) => {
      const [onReal, seenReal] = judge(tree.ref(params), real),
        [onFake, seenFake] = judge(params, fake);
      const dReal = np.mean(nn.softplus(np.negative(onReal))),
        dFake = np.mean(nn.softplus(onFake));
      return [dReal.ref.add(dFake.ref), { dReal, dFake, seenReal, seenFake }];
    },
    { hasAux: true },
  )(tree.ref(D.params), real, fake.ref) as unknown as [
    [
      JaxArray,
      {
        dReal: JaxArray;
        dFake: JaxArray;
        seenReal: JaxArray[];
        seenFake: JaxArray[];
      },
    ],
    Params,
  ];
  whole.dispose();
  const trainedD = adam(D, gradsD, correction.ref);

  const [[g, seenD], dFake] = valueAndGrad((fake: JaxArray, params: Params) => {
    const [logits, seen] = judge(params, fake);
    return [np.mean(nn.softplus(np.negative(logits))), seen];
  }, { hasAux: true })(fake, tree.ref(trainedD.params)) as unknown as [
    [JaxArray, JaxArray[]],
    JaxArray,
  ];
  const [gradsG, dz] = backG(dFake);
  dz.dispose();
  const next: State = {
    G: { ...adam(G, gradsG, correction), stats: moved(G.stats, [seenG]) },
    D: {
      ...trainedD,
      stats: moved(D.stats, [aux.seenReal, aux.seenFake, seenD]),
    },
  };
  return [next, np.stack([aux.dReal, aux.dFake, g])];
}
