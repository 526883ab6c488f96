/** A checkpoint that cannot be written, or read back as what it claims to be. */
export class CheckpointError extends Error {
  /** The name that `error.name` and stack traces show. */
  override name = "CheckpointError";
}
