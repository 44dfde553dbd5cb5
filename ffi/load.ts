/**
 * Finding the C library: one named by the user, or the binary inside this package, checked by its hash.
 *
 * An import from a registry has no files beside it, so the binaries are modules (`prebuilt/`). On Linux the bytes go
 * into an anonymous memory file and are loaded from there, which touches no disk. Elsewhere they are written into a
 * private folder of the user's cache, under their hash, and read back and checked before they are loaded.
 *
 * @module
 */
import { DepotError } from "../depot/errors.ts";
import { type Backend, reason } from "./backend.ts";
import { bunBackend } from "./bun.ts";
import { denoBackend } from "./deno.ts";
import { cacheLibrary } from "./cache.ts";
import { Shim } from "./shim.ts";
import { ABI } from "./symbols.ts";

/** The environment variable that names a library of the user's own. */
export const LIBRARY_VARIABLE = "FRAMES_DEPOT_LIB";

/** A binary as a module of `prebuilt/` holds it. */
export type Prebuilt = { sha256: string; base64: string };

const backend: Backend = "Bun" in globalThis ? bunBackend : denoBackend;

/** The binaries for this target, each with the C library that it is linked to. Literal imports: no file is read. */
async function prebuilt(): Promise<{ name: string; libc: string; binary: Prebuilt }[]> {
  switch (`${backend.os} ${backend.arch}`) {
    case "linux x86_64":
      return [
        { name: "linux_x86_64", libc: "libc.so.6", binary: await import("./prebuilt/linux_x86_64.ts") },
        {
          name: "linux_x86_64_musl",
          libc: "libc.musl-x86_64.so.1",
          binary: await import("./prebuilt/linux_x86_64_musl.ts"),
        },
      ];
    case "linux aarch64":
      return [
        { name: "linux_aarch64", libc: "libc.so.6", binary: await import("./prebuilt/linux_aarch64.ts") },
        {
          name: "linux_aarch64_musl",
          libc: "libc.musl-aarch64.so.1",
          binary: await import("./prebuilt/linux_aarch64_musl.ts"),
        },
      ];
    case "darwin x86_64":
      return [{ name: "macos_x86_64", libc: "", binary: await import("./prebuilt/macos_x86_64.ts") }];
    case "darwin aarch64":
      return [{ name: "macos_aarch64", libc: "", binary: await import("./prebuilt/macos_aarch64.ts") }];
    case "windows x86_64":
      return [{ name: "windows_x86_64", libc: "", binary: await import("./prebuilt/windows_x86_64.ts") }];
    case "windows aarch64":
      return [{ name: "windows_aarch64", libc: "", binary: await import("./prebuilt/windows_aarch64.ts") }];
    default:
      return [];
  }
}

// Awaited here, at import, because FramesDepot.list() answers at once: it brings in a module, nothing else.
const candidates = await prebuilt();

/** Ways to load one binary, in the order they are tried. */
function* ways(libc: string, name: string, binary: Prebuilt): Generator<[string, () => string | undefined]> {
  const bytes = Uint8Array.from(atob(binary.base64), (character) => character.charCodeAt(0));
  if (backend.os === "linux") {
    yield [`${name} from memory (${libc})`, () => backend.memoryFile(libc, bytes)];
  }
  yield [`${name} from the cache folder`, () => cacheLibrary(backend, name, binary.sha256, bytes)];
}

function checked(path: string, source: string): Shim {
  const library = backend.load(path);
  const abi = library.native.fd_abi();
  if (abi !== ABI) throw new Error(`it speaks version ${abi} of the shim's interface, this package version ${ABI}`);
  return new Shim(backend, library, source);
}

function find(): Shim {
  const own = backend.env(LIBRARY_VARIABLE);
  const tried: string[] = [];
  const attempts: [string, () => string | undefined][] = own
    ? [[`${LIBRARY_VARIABLE}=${own}`, () => own]]
    : candidates.flatMap(({ name, libc, binary }) => [...ways(libc, name, binary)]);
  for (const [source, path] of attempts) {
    try {
      const found = path();
      if (found !== undefined) return checked(found, source);
      tried.push(`${source}: not available here`);
    } catch (error) {
      tried.push(`${source}: ${reason(error)}`);
    }
  }
  throw new DepotError("UNSUPPORTED", manual(tried));
}

/** The load error as a manual: what was tried, for which target, what may be missing, what to set. */
function manual(tried: string[]): string {
  const target = `${backend.os} on ${backend.arch}, ${backend.runtime}`;
  const none = `there is no binary for this target in the package, and ${LIBRARY_VARIABLE} is not set or not readable`;
  return [
    `the native library cannot be loaded: target ${target}`,
    ...(tried.length > 0 ? tried : [none]).map((line) => `  tried ${line}`),
    "What helps:",
    ...(backend.runtime === "deno"
      ? ["  deno needs --allow-ffi (without a path: pointers need the whole permission)"]
      : []),
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
