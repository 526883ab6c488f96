import type { Helper } from "../ahead.ts";
import type { Gpu } from "../gpu.ts";

/**
 * Starts a worker that compiles for Mesa's software device.
 *
 * @returns Undefined for other devices, and where workers cannot be started.
 */
export async function helper({ info }: Gpu): Promise<Helper | undefined> {
  const file = new URL("./compile_worker.ts", import.meta.url);
  // In the output of `deno bundle`, one file, it is not there.
  const there = file.protocol !== "file:" || await Deno.stat(file).then(() => true, () => false);
  if (!/llvmpipe/i.test(info.name) || !there || !await keepsCode()) return undefined;
  const worker = new Worker(file, { type: "module", name: info.name });
  const answer = () =>
    new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve();
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
  try {
    await answer();
  } catch {
    worker.terminate();
    return undefined;
  }
  return {
    compile(one) {
      worker.postMessage(one);
      return answer();
    },
    close: () => worker.terminate(),
  };
}

/** Whether Mesa keeps machine code on disk; else what a helper compiles is lost. */
export async function keepsCode(): Promise<boolean> {
  return await codeFolder() !== undefined;
}

/** What Mesa names its folder of machine code. */
export const CODE_FOLDER = "mesa_shader_cache";

/** The folder in which Mesa's cache of machine code lies; undefined if it keeps none. */
export async function codeFolder(): Promise<string | undefined> {
  const { env } = Deno, home = env.get("HOME");
  if (/^(1|true|yes)$/i.test(env.get("MESA_SHADER_CACHE_DISABLE") ?? "")) return undefined;
  const folder = env.get("MESA_SHADER_CACHE_DIR") ?? env.get("XDG_CACHE_HOME") ??
    (home && `${home}/.cache`);
  if (!folder) return undefined;
  const own = `${folder}/${CODE_FOLDER}`;
  try {
    await Deno.mkdir(own, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir: own }));
    return folder;
  } catch {
    return undefined;
  }
}
