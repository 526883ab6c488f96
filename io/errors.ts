/** A checkpoint that cannot be written, or read back as what it claims to be. */
export class CheckpointError extends Error {
  /** The name that `error.name` and stack traces show. */
  override name = "CheckpointError";
}

/** A file that is not whole: damaged since it was written. */
export class DamagedError extends CheckpointError {
  override name = "DamagedError";
}
