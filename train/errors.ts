/** A run that cannot go on; the message says why and what to do. */
export class TrainError extends Error {
  override name = "TrainError";
}
