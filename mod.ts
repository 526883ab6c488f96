/**
 * Generative adversarial networks on any GPU, without CUDA: tensors, gradients, layers, losses and
 * trainers on hand-written WGSL compute shaders through WebGPU.
 *
 * ```ts
 * import { conv2d, grad, mean, openGpu, square, tensor } from "@webgan/webgan";
 *
 * await openGpu();
 * const x = tensor(new Float32Array(32), [1, 4, 4, 2]); // [N, H, W, C]
 * const w = tensor(new Float32Array(54).fill(0.1), [3, 3, 2, 3], true); // [kh, kw, C, O]
 * const loss = mean(square(conv2d(x, w, { stride: 1, padding: 1 })));
 * const [dw] = grad(loss, [w]);
 * console.log(await dw.read());
 * ```
 *
 * @module
 */
export type { Apart, Compilation, Helper } from "./gpu/ahead.ts";
export type { DeviceInfo, Engine, OpenOptions } from "./gpu/device.ts";
export { listDevices, openGpu } from "./gpu/engines/deno.ts";
export { type Counters, type Gpu, gpu, type Origin } from "./gpu/gpu.ts";
export { GpuError } from "./gpu/errors.ts";
export { type Resource, Storage, Texture } from "./gpu/memory.ts";
export { type Bindable, type Bound } from "./gpu/bind.ts";
export { type Binding, type Field, type Kernel, kernel, type Pipeline } from "./gpu/kernel.ts";
export { effect, folded, type Grid, type Live, type Params } from "./gpu/record.ts";
export { run, type Runnable, type Twins } from "./gpu/run.ts";
export { expand, type File, type Source, type Values } from "./gpu/wgsl.ts";
export { Player } from "./gpu/tape.ts";
export {
  type Kept,
  type Node,
  scoped,
  type Shape,
  sizeOf,
  Tensor,
  tensor,
} from "./tensor/tensor.ts";
export { type Application, apply, constant, isRecording, noGrad, reshape } from "./tensor/op.ts";

export { attention, attentionMap, type AttentionPlan } from "./kernels/attention.ts";
export { type BatchNorm, batchNorm, type BatchNormOptions } from "./kernels/batch_norm.ts";
export { fromBytes, toBytes } from "./kernels/bytes.ts";
export { arange, ones, randn, zeros } from "./kernels/create.ts";
export { conv2d, conv2dInput, conv2dWeight } from "./kernels/conv2d.ts";
export type { Geometry } from "./kernels/conv2d_sizes.ts";
export {
  abs,
  add,
  affine,
  clamp,
  div,
  exp,
  full,
  leakyRelu,
  log,
  mul,
  neg,
  type Operand,
  reciprocal,
  relu,
  scale,
  sigmoid,
  sign,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
} from "./kernels/elementwise.ts";
export type { Epilogue } from "./kernels/epilogue.ts";
export { nonFinite } from "./kernels/finite.ts";
export { matmul, type ProductOptions } from "./kernels/matmul.ts";
export { minibatchStddev } from "./kernels/minibatch_stddev.ts";
export { pixelNorm } from "./kernels/pixel_norm.ts";
export { averagePool, type AverageWindows, maxPool, type Windows } from "./kernels/pool.ts";
export { type Precision } from "./kernels/precision.ts";
export { normal, type RandomKey, uniform } from "./kernels/random.ts";
export { broadcastTo, mean, sum, sumTo } from "./kernels/reduce.ts";
export { bilinear, downAverage, downSmooth, upNearest, upSmooth } from "./kernels/resample.ts";
export { downConv2d, type ResampledGeometry, upConv2d } from "./kernels/resampled_conv.ts";
export { concat, pad, permute, slice } from "./kernels/slice.ts";
export { logSoftmax, softmax, type SoftmaxOptions } from "./kernels/softmax.ts";
export { type KnownQuotient, spectralNorm } from "./kernels/spectral_norm.ts";

export { Adam, type AdamOptions } from "./nn/adam.ts";
export { Average } from "./nn/average.ts";
export { type Context, EVALUATION, logitsOf, RandomStreams, TRAINING } from "./nn/context.ts";
export { fromEntries, toEntries } from "./nn/checkpoint.ts";
export type { Dtype, Elements } from "./io/dtypes.ts";
export { CheckpointError } from "./io/errors.ts";
export { grad } from "./nn/grad.ts";
export { GradScaler, type GradScalerOptions } from "./nn/grad_scaler.ts";
export { constantInit, type Init, normalInit, parameter, uniformInit } from "./nn/init.ts";
export {
  Activation,
  BatchNorm2d,
  Conv2d,
  type Conv2dOptions,
  type ConvOptions,
  ConvTranspose2d,
  type LayerGeometry,
  type LayerOptions,
  LeakyReLU,
  Linear,
  Sequential,
} from "./nn/layers.ts";
export { MinibatchDiscrimination } from "./nn/minibatch_discrimination.ts";
export { Module } from "./nn/module.ts";
export { PowerIteration } from "./nn/power_iteration.ts";
export { type HostRandom, hostRandom } from "./nn/random.ts";
export { type Contents, type Entry, loadSafetensors, saveSafetensors } from "./io/safetensors.ts";
export { Weighted, type WeightOptions } from "./nn/weighted.ts";
export { DcganDiscriminator, DcganGenerator, type DcganOptions } from "./models/dcgan.ts";
export {
  PgganDiscriminator,
  PgganGenerator,
  type PgganLayer,
  type PgganOptions,
} from "./models/pggan.ts";
export type { Stage } from "./models/stage.ts";
export { type Loss, losses } from "./train/losses.ts";
export { driftPenalty, gradientPenalty, slopePenalty, weightPenalty } from "./train/penalties.ts";
export {
  drift,
  r1,
  r2,
  type Seen,
  type Slope,
  type Term,
  type Terms,
  weightDecay,
  wganGp,
} from "./train/terms.ts";
export { growing, type Moment, type Phase, type Schedule, steady } from "./train/growth.ts";
export { Ledger, type LossMeans } from "./train/ledger.ts";
export { train } from "./train/loop.ts";
export {
  defaults,
  type Option,
  optionGroups,
  type OptionName,
  type Options,
  optionTable,
  type TrainOptions,
  type Value,
} from "./train/options.ts";
export { validate } from "./train/validate.ts";
export type { Annealed, Moving } from "./train/anneal.ts";
export {
  type NetworkOptions,
  networkOptions,
  type Preset,
  presetOptions,
  type Recipe,
} from "./train/recipe.ts";
export { classesIn, type ClassOptions, spread } from "./train/classes.ts";
export { dcgan } from "./train/dcgan.ts";
export { pggan } from "./train/pggan.ts";
export { r3gan } from "./train/r3gan.ts";
export { sagan } from "./train/sagan.ts";
export { latentsAt, render, samples, type SamplingOptions, slerp } from "./train/sampling.ts";
export { type DataMark } from "./train/data_mark.ts";
export {
  freeState,
  loadGenerator,
  loadState,
  newState,
  sampler,
  saveState,
  type State,
} from "./train/state.ts";
export {
  type Batch,
  type Gradients,
  type Players,
  type Step,
  type StepInput,
  type StepLosses,
  stepOf,
  trainStep,
} from "./train/step.ts";
export type { Observer, Stepped, Training } from "./train/training.ts";
export { watch } from "./train/watch.ts";
export type { Image, Samples } from "./data/image.ts";
export { grid } from "./data/grid.ts";
export type { Labels } from "./data/labels.ts";
export { type Broken, type Dataset, datasetFrom } from "./data/pack.ts";
export { encodePng, savePng } from "./data/png.ts";
export type { Resize } from "./data/resample.ts";
export { batchAt, gather, type Selection } from "./data/sampler.ts";
export { frechetDistance } from "./eval/frechet.ts";
export { type Kid, kid, type KidOptions } from "./eval/kid.ts";
export { type Neighbours, type PrecisionRecall, precisionRecall } from "./eval/precision_recall.ts";
export type { Matrix } from "./eval/matrix.ts";
export type { Features } from "./eval/products.ts";
export { type Statistics, statisticsOfRows } from "./eval/statistics.ts";
