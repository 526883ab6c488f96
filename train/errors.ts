/** A run that cannot go on; the message says why and what to do. */
export class TrainError extends Error {
  override name = "TrainError";
}

/** A run whose images have become alike. */
export class CollapseError extends TrainError {
  override name = "CollapseError";
}

/** A run whose numbers are of no use any more: NaN, infinity, or losses beyond all bounds. */
export class BreakdownError extends TrainError {
  override name = "BreakdownError";
}
