/** A command line that cannot be followed; the message says what to type instead. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What an error says; where Deno refuses, not how Deno is run, as `./gan` does that. */
export function messageOf(error: unknown): string {
  const message = String((error as Error).message ?? error);
  if (!(error instanceof Deno.errors.NotCapable)) return message;
  return message
    .replace(/^Requires .* access to (.*?)(, run again.*)?$/, "Deno keeps programs from $1")
    .replace(/\.[0-9a-f-]{8,36}\.part(?=")/, ""); // as files are named until they are whole
}
