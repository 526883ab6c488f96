/** Something that the GPU, its driver or its memory refused; the message says what to do. */
export class GpuError extends Error {
  /** The name that `error.name` and stack traces show. */
  override name = "GpuError";
}

/** A buffer or tensor that exceeds what the device can hold or bind. */
export class TooLargeError extends GpuError {
  override name = "TooLargeError";
}
