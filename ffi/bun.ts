/**
 * The Bun backend: `bun:ffi`.
 *
 * @module
 */
import type { Attendance, Backend } from "./backend.ts";
import { Bell, type Socket } from "./bell.ts";
import { builtin, process, ProcessBackend } from "./process.ts";
import type { Functions, Native, NativeType, Pointer, Signature } from "./symbols.ts";

type BunSymbols = Record<string, (...parameters: unknown[]) => unknown>;
type BunFfi = {
  dlopen(path: string, symbols: Record<string, { args: string[]; returns: string }>): {
    symbols: BunSymbols;
  };
  toArrayBuffer(pointer: number, offset: number, byteLength: number): ArrayBuffer;
};
type Bun = {
  connect(options: { fd: number; socket: { data(): void; error(): void; close(): void } }): Promise<Socket>;
};

/** Ballast: a part of the machine's memory, and never more than this. */
const BALLAST_OF_MEMORY = 1 / 32;
const MOST_BALLAST_BYTES = 1 << 30;
/** Another size, in megabytes. */
const BALLAST_VARIABLE = "FRAMES_DEPOT_BALLAST_MB";

let loaded: BunFfi | undefined;
const ffi = (): BunFfi => loaded ??= builtin<BunFfi>("bun:ffi");

const bunType = (type: NativeType): string => type === "pointer" || type === "buffer" ? "ptr" : type;

function bunSymbols(table: Record<string, Signature>) {
  return Object.fromEntries(
    Object.entries(table).map(([name, { parameters, result }]) => [
      name,
      { args: parameters.map(bunType), returns: bunType(result) },
    ]),
  );
}

/** Bun closes the descriptor when its other end is closed, or when its worker ends. */
function socket(file: number, woken: () => void): Promise<Socket> {
  const { connect } = (globalThis as unknown as { Bun: Bun }).Bun;
  return connect({ fd: file, socket: { data: woken, error() {}, close() {} } });
}

class BunBackend extends ProcessBackend implements Backend {
  readonly runtime = "bun";
  readonly operationsPin = true;

  load<T extends Record<string, Signature>>(path: string, table: T): Functions<T> {
    return ffi().dlopen(path, bunSymbols(table)).symbols as unknown as Functions<T>;
  }

  attend(native: Native, sleeper: Pointer, woken: () => void): Attendance {
    return new Bell(native, sleeper, woken, socket);
  }

  pointer(address: bigint): Pointer {
    return Number(address) as unknown as Pointer;
  }

  get ballastBytes(): number {
    const megabytes = Number(process().env[BALLAST_VARIABLE] || NaN);
    if (megabytes >= 0 && megabytes < Infinity) return Math.floor(megabytes * 1e6);
    const { totalmem } = builtin<{ totalmem(): number }>("node:os");
    const memory = Math.min(totalmem(), process().constrainedMemory?.() || Infinity);
    return Math.floor(Math.min(MOST_BALLAST_BYTES, memory * BALLAST_OF_MEMORY));
  }

  view(base: Pointer, offset: number, byteLength: number): ArrayBuffer {
    return ffi().toArrayBuffer(base as unknown as number, offset, byteLength);
  }
}

/** Bun's way of calling C. */
export const bunBackend: Backend = new BunBackend();
