/** What is wrong with the images that were asked for, in one sentence for the user. */
export class DataError extends Error {
  /** The name that `error.name` and stack traces show. */
  override name = "DataError";
}
