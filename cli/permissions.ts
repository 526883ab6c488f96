/** Commands of files alone; the script `gan` has the same list. */
const PLAIN = ["report", "timelapse", "runs", "cache", "data", "completion"];

/**
 * Gives up what a command does not need, where more was given: a compiled binary is one for all commands, and
 * `deno run -A` gives everything. Only `weights` has a network; commands of files alone run no program.
 */
export async function giveUpPermissions(command: string | undefined): Promise<void> {
  if (command !== "weights") await Deno.permissions.revoke({ name: "net" });
  if (PLAIN.includes(command ?? "")) await Deno.permissions.revoke({ name: "run" });
}
