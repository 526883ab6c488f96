/** An evaluation that cannot be done; the message says why and what to do. */
export class EvalError extends Error {
  /** The name that `error.name` and stack traces show. */
  override name = "EvalError";
}
