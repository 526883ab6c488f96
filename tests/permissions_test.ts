/** What the script `gan` and the tasks let a command do, and what it keeps of that. */
import { assert, assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { GIVEN, inFolder } from "./support.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const FILES = GIVEN.filter((one) => one.startsWith("--allow-") && !one.includes("-run")).sort();
/** Commands of files alone. */
const PLAIN = ["report", "timelapse", "runs", "cache", "data", "completion"];
const SHORT: Readonly<Record<string, string>> = {
  "-R=/,C:/,D:/,E:/,F:/": "--allow-read=/",
  ...{ "-E": "--allow-env", "-S": "--allow-sys" },
  "-W=/,C:/,D:/,E:/,F:/": "--allow-write=/", // on Windows "/" is one drive
};

/** The permissions among Deno's arguments. */
function granted(args: readonly string[]): string[] {
  return args.map((arg) => SHORT[arg] ?? arg)
    .filter((arg) => /^(-A|-N|--allow-)/.test(arg)).sort();
}

Deno.test({
  name: "gan: only weights has a network, and what needs no device runs no other program",
  ignore: Deno.build.os === "windows", // which has no sh
  fn: () =>
    inFolder(async (folder) => {
      const deno = join(folder, "deno");
      await Deno.writeTextFile(
        deno,
        '#!/bin/sh\n[ "$1" = --version ] && echo "deno 2.99.0" || printf "%s\\n" "$@"\n',
      );
      await Deno.chmod(deno, 0o755);
      const env = { PATH: `${folder}:${Deno.env.get("PATH")}`, VK_DRIVER_FILES: "named" };
      for (
        const command of ["train", "eval", "thesis", "weights", "sample", "export", ...PLAIN, ""]
      ) {
        const args = [join(ROOT, "gan"), ...command && [command], "word"];
        const { stdout } = await new Deno.Command("sh", { args, env }).output();
        const run = PLAIN.includes(command) ? [] : ["--allow-run=deno,npm"];
        const more = command === "weights" ? ["--allow-net"] : run;
        const lines = new TextDecoder().decode(stdout).split("\n");
        assertEquals(granted(lines), [...FILES, ...more].sort(), command);
      }
      const args = [join(ROOT, "gan"), "weights", "face"];
      const { stdout } = await new Deno.Command("sh", { args, env }).output();
      const lines = new TextDecoder().decode(stdout).split("\n");
      assertEquals(granted(lines), [...FILES, "--allow-run=deno,npm"].sort());
    }),
});

Deno.test("what a command does not need is given up, where all is given", async () => {
  const url = new URL("cli/permissions.ts", `file://${ROOT}`);
  const code = `import { giveUpPermissions } from "${url}";
await giveUpPermissions(Deno.args);
const state = async (name) => (await Deno.permissions.query({ name })).state === "granted";
console.log(await state("net"), await state("run"), await state("read"));`;
  const left = async (command: string) => {
    const args = ["run", "--no-prompt", "-A", "-", command];
    const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" })
      .spawn();
    await new Blob([code]).stream().pipeTo(child.stdin);
    return new TextDecoder().decode((await child.output()).stdout).trim();
  };
  assertEquals(await left("train"), "false true true");
  assertEquals(await left("weights"), "true true true");
  for (const command of PLAIN) assertEquals(await left(command), "false false true", command);
});

/** Where commands might write. */
const PLACES = [
  ...["runs/0/a", "temporary/a", "home/.cache/webgan/a", "home/.cache/mesa_shader_cache/a"],
  ...["there/0/a", "there/.cache/a", "made/a", "weights/a", "a", "data/a"],
  ...["home/a", "home/.cache/a", "/etc/a", "/elsewhere/a"],
];
const ALWAYS = ["temporary/", "home/.cache/webgan/", "home/.cache/mesa_shader_cache/"];
/** Command lines, and the folders that they may write to; "" is that where they are typed. */
const LINES: readonly [line: string, ...folders: string[]][] = [
  ["train dcgan --data data", "runs/"],
  ["train dcgan --data data --out /elsewhere", "/elsewhere/"],
  ["train --resume there/0", "runs/", "there/"],
  ["sample latest --to=made/a.png", "runs/", "made/"],
  ["sample latest --to a.png", "runs/", ""],
  ["sample latest --to /a.png", "", "/"],
  ["sample there/model.safetensors", "runs/", "there/"],
  ["export onnx there/0", "runs/", "there/"],
  ["eval fid --run=there/0 --save-stats made/a.npz", "runs/", "there/", "made/"],
  ["eval nearest --run latest", "runs/", ""],
  ["data data --sheet made/a.png", "runs/", "made/"],
  ["thesis all --page made/thesis", "runs/", "made/"],
  ["weights", "runs/", "weights/"],
  ["weights --to made/w", "runs/", "made/", "weights/"],
  ["report latest", "runs/"],
];

/** Where a process may write, or read, after some code; it has the words of a line. */
async function placesAfter(code: string, name: "read" | "write", line = ""): Promise<string[]> {
  let found: string[] = [];
  await inFolder(async (folder) => {
    await Deno.mkdir(join(folder, "there/0"), { recursive: true });
    await Deno.writeTextFile(join(folder, "there/model.safetensors"), "");
    const ask = `${code}
const granted = ${JSON.stringify(PLACES)}.filter((path) =>
  Deno.permissions.querySync({ name: "${name}", path }).state === "granted"
);
console.log(JSON.stringify(granted));`;
    await Deno.writeTextFile(join(folder, "ask.ts"), ask);
    const home = Deno.env.get("HOME") ?? "", XDG_CACHE_HOME = "", MESA_SHADER_CACHE_DIR = "";
    const DENO_DIR = Deno.env.get("DENO_DIR") ||
      join(Deno.env.get("XDG_CACHE_HOME") || join(home, ".cache"), "deno");
    const HOME = join(folder, "home"), TMPDIR = join(folder, "temporary");
    const config = ["--config", join(ROOT, "deno.json")];
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...GIVEN, ...config, "ask.ts", ...line.split(" ")],
      cwd: folder,
      env: { HOME, TMPDIR, XDG_CACHE_HOME, MESA_SHADER_CACHE_DIR, DENO_DIR },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert(stdout.length > 0, text(stderr));
    found = JSON.parse(text(stdout));
  });
  return found;
}

/** Of all places those below some folders. */
function below(folders: readonly string[]): string[] {
  return PLACES.filter((place) =>
    folders.some((one) => one === "" ? !place.startsWith("/") : place.startsWith(one))
  );
}

Deno.test({
  name: "a command writes where its command line says, to runs and to its cache",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const code = `import { giveUpPermissions } from "file://${ROOT}cli/permissions.ts";
await giveUpPermissions(Deno.args);`;
    for (const [line, ...folders] of LINES) {
      assertEquals(await placesAfter(code, "write", line), below([...folders, ...ALWAYS]), line);
    }
  },
});

Deno.test({
  name: "training reads its images and what lies beside them, runs, and its caches",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const code = `import { limitReading } from "file://${ROOT}cli/reading.ts";
await limitReading(["there/model.safetensors", "data", "runs"]);
await Deno.readTextFile("${ROOT}deno.json");`;
    const wanted = below(["there/", "data/", "runs/", "weights/", ...ALWAYS]);
    assertEquals(await placesAfter(code, "read"), wanted);
  },
});

Deno.test("with these permissions the driver is tried as with all", async () => {
  const url = new URL("gpu/engines/vectors.ts", `file://${ROOT}`);
  const code = `import { widthFor } from "${url}";
console.log(await widthFor({ file: undefined, deno: Deno.execPath() }));`;
  const tried = async (...permissions: string[]) => {
    const args = ["run", "--no-prompt", ...permissions, "-"];
    const child = new Deno.Command(Deno.execPath(), {
      args,
      env: { PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}` },
      ...{ stdin: "piped", stdout: "piped" },
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(code));
    await writer.close();
    return new TextDecoder().decode((await child.output()).stdout).trim();
  };
  const all = await tried("-A");
  assert(all === "512" || all === "256", all);
  assertEquals(await tried(...GIVEN), all);
});

Deno.test({
  name: "a place that Deno keeps programs from is told in a sentence",
  ignore: Deno.build.os !== "linux", // whose /dev/shm wants all permissions
  fn: async () => {
    const main = join(ROOT, "main.ts"), args = ["run", ...GIVEN, main, "data"];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args, join(ROOT, "data/fixtures/containers/gray.npy"), "--sheet", "/dev/shm/s.png"],
    }).output();
    const wanted = 'Deno keeps programs from "/dev/shm/s.png"';
    const said = new TextDecoder().decode(stderr);
    assert(code === 1 && said.includes(wanted) && said.includes("choose another place"), said);
  },
});

Deno.test("tasks: those of users have no more permissions than the script gives", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  for (const name of ["train", "sample", "report", "timelapse", "eval", "thesis", "doctor"]) {
    const run = PLAIN.includes(name) ? [] : ["--allow-run=deno,npm"];
    assertEquals(granted(tasks[name].split(" ")), [...FILES, ...run].sort(), name);
  }
});

Deno.test("Deno is installed by hash, in a version that will do", async () => {
  const { packages } = JSON.parse(await Deno.readTextFile(join(ROOT, ".deno/package-lock.json")));
  const found = Object.entries(packages as Record<string, Record<string, string>>)
    .filter(([path]) => path !== "");
  assertEquals(found.length, 7, "the package, and a program for each of six systems");
  for (const [path, { integrity, resolved }] of found) {
    assert(/^sha512-[\w+/]{86}==$/.test(integrity), path);
    assertEquals(resolved, undefined, "from the registry that npm is set to");
  }
  const script = await Deno.readTextFile(join(ROOT, "gan"));
  const wanted = /^DENO_WANTED=(.*)$/m.exec(script)![1];
  assert(packages["node_modules/deno"].version.startsWith(`${wanted}.`));
});
