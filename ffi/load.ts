/**
 * Finding the C library: one named by the user, or the binary inside this package, checked by its hash.
 *
 * An import from a registry has no files beside it, so the binaries are modules (`prebuilt/`). On Linux the bytes go
 * into an anonymous memory file and are loaded from there, which touches no disk (`linux.ts`). Elsewhere they are
 * written into a private folder of the user's cache, under their hash, and read back and checked before they are
 * loaded.
 *
 * @module
 */
import { DepotError } from "../errors.ts";
import { type Backend, reason } from "./backend.ts";
import { bunBackend } from "./bun.ts";
import { denoBackend } from "./deno.ts";
import { CACHE_VARIABLE, cacheFolders, cacheLibrary } from "./cache.ts";
import { Libc } from "./linux.ts";
import { FFI_FLAG, FREE_NODE, isNode, LEAST_NODE, nodeBackend } from "./node.ts";
// Imported whole, because FramesDepot.list() returns at once: a module that awaits at its top would lose the messages
// that a Bun worker is sent while it starts.
import * as linuxAarch64 from "./prebuilt/linux_aarch64.ts";
import * as linuxAarch64Musl from "./prebuilt/linux_aarch64_musl.ts";
import * as linuxX8664 from "./prebuilt/linux_x86_64.ts";
import * as linuxX8664Musl from "./prebuilt/linux_x86_64_musl.ts";
import * as macosAarch64 from "./prebuilt/macos_aarch64.ts";
import * as macosX8664 from "./prebuilt/macos_x86_64.ts";
import * as windowsAarch64 from "./prebuilt/windows_aarch64.ts";
import * as windowsX8664 from "./prebuilt/windows_x86_64.ts";
import { Shim } from "./shim.ts";
import { ABI, type Native, SYMBOLS } from "./symbols.ts";

/** The environment variable that names a library of the user's own. */
export const LIBRARY_VARIABLE = "FRAMES_DEPOT_LIB";

/** What turns off the part of Bun that calls of C need. */
const JIT_VARIABLE = "BUN_JSC_useJIT";

/** A binary as a module of `prebuilt/` holds it. `soname` is the name that Linux's dynamic linker knows it by. */
export type Prebuilt = { sha256: string; base64: string; soname: string };

/** The binaries by target: system, machine, and for musl its name. */
const BINARIES: Record<string, Prebuilt> = {
  "linux x86_64": linuxX8664,
  "linux x86_64 musl": linuxX8664Musl,
  "linux aarch64": linuxAarch64,
  "linux aarch64 musl": linuxAarch64Musl,
  "darwin x86_64": macosX8664,
  "darwin aarch64": macosAarch64,
  "windows x86_64": windowsX8664,
  "windows aarch64": windowsAarch64,
};

/** The runtimes that this package knows, and how each is told. */
const BACKENDS: readonly [isHere: () => boolean, backend: Backend][] = [
  [() => "Bun" in globalThis, bunBackend],
  [() => "Deno" in globalThis, denoBackend],
  [isNode, nodeBackend],
];

/** @throws {DepotError} UNSUPPORTED in another runtime; importing the package is harmless there */
function thisBackend(): Backend {
  const found = BACKENDS.find(([isHere]) => isHere());
  if (found !== undefined) return found[1];
  throw new DepotError(
    "UNSUPPORTED",
    "cannot load the native library: this is another JavaScript runtime than those it is made for",
    { remedy: `run the program in Deno, in Bun, or in Node ${FREE_NODE} or later` },
  );
}

/** What a way to the library gives: its functions, or undefined where there is no such way here. */
type Attempt = [source: string, load: () => Native | undefined];

function* attempts(backend: Backend): Generator<Attempt> {
  const own = backend.env(LIBRARY_VARIABLE);
  if (own) {
    yield [`${LIBRARY_VARIABLE}=${own}`, () => backend.load(own, SYMBOLS)];
    return;
  }
  const libc = backend.os === "linux" ? new Libc(backend) : undefined;
  const name = `${backend.os} ${backend.arch}${libc?.isMusl ? " musl" : ""}`;
  const binary = BINARIES[name];
  if (binary === undefined) return;
  const bytes = () => Uint8Array.from(atob(binary.base64), (character) => character.charCodeAt(0));
  if (libc !== undefined) {
    const content = binary.sha256.slice(0, 16);
    yield [`${name}, loaded by another thread`, () => {
      const loaded = libc.loaded(binary.soname, content);
      return loaded === undefined ? undefined : backend.load(loaded, SYMBOLS);
    }];
    const id = parseInt(binary.sha256.slice(0, 2), 16) % 64;
    yield [`${name} from memory`, () => {
      return libc.withMemoryFile(bytes(), content, id, (path) => backend.load(path, SYMBOLS));
    }];
  }
  const file = name.replaceAll(" ", "_");
  const user = libc?.user() ?? userOf(backend);
  for (const folder of cacheFolders(backend, user)) {
    yield [`${name} from ${folder}`, () => {
      return backend.load(cacheLibrary(backend.os, folder, user, file, binary.sha256, bytes()), SYMBOLS);
    }];
  }
}

/** The id of this process's user, on macOS; Windows has none. */
function userOf(backend: Backend): number | undefined {
  if (backend.os !== "darwin") return undefined;
  return backend.load("/usr/lib/libSystem.B.dylib", { geteuid: { parameters: [], result: "u32" } }).geteuid();
}

function find(): Shim {
  const backend = thisBackend();
  const tried: string[] = [];
  try {
    for (const [source, load] of attempts(backend)) {
      try {
        const native = load();
        if (native !== undefined) return checked(backend, native, source);
        tried.push(`${source}: not available here`);
      } catch (error) {
        tried.push(`${source}: ${reason(error)}`);
      }
    }
  } catch (error) {
    tried.push(`the system's C library: ${reason(error)}`);
  }
  throw new DepotError("UNSUPPORTED", attempted(backend, tried), { remedy: whatHelps(backend) });
}

function checked(backend: Backend, native: Native, source: string): Shim {
  const abi = native.fd_abi();
  if (abi !== ABI) throw new Error(`it speaks version ${abi} of the shim's interface, this package version ${ABI}`);
  return new Shim(backend, native, source);
}

/** What a user of a runtime may lack. */
function lacks(backend: Backend): string[] {
  if (backend.runtime === "deno") {
    return [
      "  deno needs --allow-ffi (without a path: pointers need the whole permission); where no library is loaded from",
      `  memory, also --allow-read and --allow-write of a cache folder, and --allow-env=${CACHE_VARIABLE} to name it`,
    ];
  }
  if (backend.runtime === "node") {
    return [
      `  node needs version ${FREE_NODE} or later without --no-${FFI_FLAG.slice(2)}, or ${LEAST_NODE} and ${FFI_FLAG};`,
      "  with --permission also --allow-ffi, and where no library is loaded from memory --allow-fs-read and",
      "  --allow-fs-write of a cache folder",
    ];
  }
  const jit = backend.env(JIT_VARIABLE) ?? "";
  if (!["0", "false"].includes(jit)) return [];
  return [`  bun calls C through its JIT compiler, which ${JIT_VARIABLE}=${jit} turns off: unset it`];
}

/** What was tried, for which target. */
function attempted(backend: Backend, tried: string[]): string {
  const target = `${backend.os} on ${backend.arch}, ${backend.runtime}`;
  const none = `there is no binary for this target in the package, and ${LIBRARY_VARIABLE} is not set or not readable`;
  return [
    `cannot load the native library: target ${target}`,
    ...(tried.length > 0 ? tried : [none]).map((line) => `  tried ${line}`),
  ].join("\n");
}

/** What may be missing, and what to set. */
function whatHelps(backend: Backend): string {
  return [
    "what helps:",
    ...lacks(backend),
    "  on another target, compile shim/ with its local compiler: `deno run -A shim/build.ts --local` in the sources",
    `  and set ${LIBRARY_VARIABLE} to the file${
      backend.runtime === "deno" ? ` (deno: --allow-env=${LIBRARY_VARIABLE})` : ""
    }`,
  ].join("\n");
}

let shim: Shim | undefined;

/**
 * The library, loaded at the first call and kept for the life of the process: a thread may be inside it at any time.
 *
 * @throws {DepotError} UNSUPPORTED, with everything that was tried
 */
export function loadShim(): Shim {
  return shim ??= find();
}
