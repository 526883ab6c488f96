/** An evaluation that cannot be done; the message says why and what to do. */
export class EvalError extends Error {
  /** The name that `error.name` and stack traces show. */
  override name = "EvalError";
}

/** A file's name without what would steer a terminal: control characters as `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}
