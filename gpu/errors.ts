/** Something that the GPU, its driver or its memory refused; the message says what to do. */
export class GpuError extends Error {
  /** The name that `error.name` and stack traces show. */
  override name = "GpuError";
}
