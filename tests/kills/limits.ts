/**
 * Runs that are given too little of something, and then enough: `deno task limits`. Each must end in a sentence
 * or be killed, and end as an unbroken one when it is resumed. Needs Linux; small disks need root, too.
 *
 * @module
 */
import { KilledRuns } from "./kills.ts";

/** Waits until a run has a file. */
const until = (file: string) => `until ls $OUT/0*/${file} >&2; do sleep 0.02; done 2>/dev/null`;
const LATER = ["options.json", "reals.png", "checkpoint*2.safetensors"];

/** Commands for `sh` by how much there is, by what is scarce. */
type Limits = Readonly<Record<string, readonly (readonly [much: string, commands: string])[]>>;
const LIMITS: Limits = {
  "file handles": [17, 18, 19, 20, 21, 22, 24].map((n) => [`${n}`, `ulimit -n ${n}`]),
  // V8 reserves tens of gigabytes before it starts, so the limit comes later.
  memory: [2, 5, 10, 20, 30].flatMap((megabytes) =>
    LATER.slice(1).map((file) =>
      [
        `${megabytes} MB after ${file}`,
        `(${until(file)}; has=$(awk '/VmSize/ {print $2}' /proc/$$/status)
        prlimit --pid $$ --as=$(((has + ${1024 * megabytes}) * 1024))) &`,
      ] as const
    )
  ),
};
const DISKS: Limits = {
  "room on the disk": [20, 40, 60, 80, 100, 120, 160].map((kB) => [
    `${kB} kB`,
    `mkdir -p $OUT; mount -t tmpfs -o size=${kB}k none $OUT`,
  ]),
  "permission to write": LATER.map((file) => [
    `after ${file}`,
    `mkdir -p $OUT; mount -t tmpfs none $OUT; (${until(file)}; mount -o remount,ro $OUT) &`,
  ]),
  "the data": [
    ["from the start", "mv images gone"],
    ...LATER.map((file) => [`after ${file}`, `(${until(file)}; mv images gone) &`] as const),
  ],
};
/** Gives a run enough again: the data, and a disk that is large and can be written to. */
const ENOUGH =
  "sh [ -e images ] || mv gone images; mountpoint -q $OUT && mount -o remount,rw,size=64m $OUT";

const folder = await Deno.makeTempDir();
let failed = 0;
try {
  const runs = new KilledRuns(folder);
  await runs.begin();
  for (
    const [what, limits] of Object.entries(Deno.uid() === 0 ? { ...LIMITS, ...DISKS } : LIMITS)
  ) {
    for (const [much, limit] of limits) {
      try {
        const { what: told } = await runs.checkAt("dcgan", [`sh ${limit}`, ENOUGH], much);
        console.log(`${what}, ${told}`);
      } catch (error) {
        failed++;
        console.log(`FAILED: too little of ${what}, ${much}: ${(error as Error).message}`);
      }
    }
  }
} finally {
  const mounts = await Deno.readTextFile("/proc/mounts");
  for (const [, path] of mounts.matchAll(/^none (\S+) tmpfs/gm)) {
    if (path.startsWith(folder)) await new Deno.Command("umount", { args: [path] }).output();
  }
  await Deno.remove(folder, { recursive: true });
}
console.log(`${failed} failed`);
Deno.exit(failed ? 1 : 0);
