/**
 * Times this checkout against another one, job by job in turn, and prints the ratios: whether a change
 * made anything slower.
 *
 *     git worktree add ../before main~20
 *     deno run -A bench/against.ts ../before --jobs dcgan-32,sagan-64 --rounds 5
 *
 * Each round times a job by both, in processes of their own, the other first in every second round.
 *
 * @module
 */
import { join, resolve } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";

const JOBS = "dcgan-32,dcgan-64,sagan-64,pggan-16,pggan-32,matmul-512,conv-forward,conv-weight";
const HELP = `bench/against.ts FOLDER [--jobs ${JOBS}] [--rounds 3] [--batch 16] [--host]

FOLDER is another checkout. A ratio above 1 says that this one is faster. --host also times what a
step takes of the host.`;

/** What one process said of a job: least milliseconds, and the host's where asked for. */
interface Timed {
  readonly ms: number;
  readonly host?: number;
}

async function time(root: string, job: string, options: readonly string[]): Promise<Timed> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "bench/main.ts", "--jobs", job, ...options],
    cwd: root,
    // Machine code that the other compiled is not used: it may be of other vectors.
    env: { MESA_SHADER_CACHE_DIR: join(root, ".cache/mesa") },
  }).output();
  if (code !== 0) throw new Error(`${root}: ${job}: ${new TextDecoder().decode(stderr)}`);
  const line = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  const { ms_min: ms, play_ms = 0, submit_ms = 0 } = JSON.parse(line);
  return { ms, host: play_ms + submit_ms };
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Median, least and largest ratio of the rounds' pairs. */
function ratios(theirs: readonly number[], ours: readonly number[]): string {
  const all = theirs.map((ms, i) => ms / ours[i]);
  return `${median(all).toFixed(2)} (${Math.min(...all).toFixed(2)} to ${
    Math.max(...all).toFixed(2)
  })`;
}

async function main(words: string[]): Promise<number> {
  const args = parseArgs(words, {
    string: ["jobs", "rounds", "batch"],
    boolean: ["help", "host"],
    default: { jobs: JOBS, rounds: "3", batch: "16" },
  });
  const [folder] = args._;
  if (args.help || folder === undefined) {
    console.log(HELP);
    return args.help ? 0 : 2;
  }
  const roots = [resolve(String(folder)), resolve(import.meta.dirname!, "..")];
  const options = ["--batch", String(args.batch), ...args.host ? [] : ["--no-host"]];
  for (const job of String(args.jobs).split(",")) {
    const times: Timed[][] = [[], []];
    for (let round = 0; round < Number(args.rounds); round++) {
      for (const which of round % 2 ? [1, 0] : [0, 1]) {
        times[which].push(await time(roots[which], job, options));
      }
    }
    const [theirs, ours] = times.map((all) => all.map(({ ms }) => ms));
    const host = times.map((all) => all.map(({ host }) => host!));
    const said = args.host && host[1][0] ? `, host ${ratios(host[0], host[1])}` : "";
    console.log(
      `${job}: ${median(theirs).toFixed(2)} -> ${median(ours).toFixed(2)} ms, ratio ${
        ratios(theirs, ours)
      }${said}`,
    );
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
