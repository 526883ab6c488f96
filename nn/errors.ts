/** A checkpoint that cannot be written, or read back as what it claims to be. */
export class CheckpointError extends Error {
  override name = "CheckpointError";
}
