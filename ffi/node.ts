/**
 * The Node backend: `node:ffi`, which is there from Node 26.1 on, and without a flag from 26.9 on.
 *
 * @module
 */
import type { Attendance, Backend } from "./backend.ts";
import { Bell, type Socket } from "./bell.ts";
import { builtin, process, ProcessBackend } from "./process.ts";
import type { Functions, Native, NativeType, Pointer, Signature } from "./symbols.ts";

/** The first Node that has `node:ffi`, the first that needs no flag for it, and the flag. */
export const LEAST_NODE = "26.1", FREE_NODE = "26.9", FFI_FLAG = "--experimental-ffi";

type Value = number | bigint | ArrayBufferView;
type Call = (...parameters: Value[]) => number | bigint | undefined;
type Library = {
  getFunctions(table: Record<string, { arguments: string[]; return: string }>): Record<string, Call>;
};
type NodeFfi = {
  DynamicLibrary: new (path: string) => Library;
  toArrayBuffer(pointer: bigint, byteLength: number, copy: boolean): ArrayBuffer;
  getRawPointer(array: ArrayBufferView): bigint;
};
type Net = {
  Socket: new (options: { fd: number; writable: boolean; onread: { buffer: Uint8Array; callback(): boolean } }) =>
    & Socket
    & { on(event: "error", listener: () => void): void; resume(): void };
};
type V8 = { setFlagsFromString(flags: string): void };
type Vm = { Script: new (code: string) => { runInThisContext(): unknown } };

let loaded: NodeFfi | undefined;
function ffi(): NodeFfi {
  loaded ??= builtin<NodeFfi | undefined>("node:ffi");
  if (loaded !== undefined) return loaded;
  throw new Error(`Node ${process().versions.node} has no node:ffi`);
}

/** Whether this process is Node: Deno and Bun have its `process` too. */
export function isNode(): boolean {
  const { node, deno, bun } = process()?.versions ?? {};
  return node !== undefined && deno === undefined && bun === undefined;
}

/** A library is closed with its object. */
const kept: Library[] = [];

/*
 * When a thread ends, Node 26.10 frees what describes the fast calls of its libraries. V8 may read it at that moment on
 * another thread, where it compiles a caller, and the process crashes: by SIGTRAP, SIGSEGV, or in a loop without end.
 */

/** Node's flag under which V8 ends the process when its flags are set. */
const FROZEN = /(^|\s)--freeze[-_]flags[-_]after[-_]init/;

/** Whether flags of V8 can still be set. */
function canSetFlags(): boolean {
  const { execArgv, env } = process();
  return ![...execArgv, env.NODE_OPTIONS].some((flags) => flags !== undefined && FROZEN.test(flags));
}

/** For a thread that ends by itself or by exit(): V8 begins to compile nothing any more, and ends what it has begun. */
function awaitCompiler(): void {
  const { setFlagsFromString } = builtin<V8>("node:v8");
  const { Script } = builtin<Vm>("node:vm");
  const finish = () => new Script("%FinalizeOptimization()").runInThisContext();
  setFlagsFromString("--no-opt");
  try {
    finish();
  } catch { // its user has not allowed such functions
    setFlagsFromString("--allow-natives-syntax");
    try {
      finish();
    } catch { // a V8 that has no such function
    } finally {
      setFlagsFromString("--no-allow-natives-syntax");
    }
  }
}

const TYPES: Record<NativeType, string> = {
  i32: "int32",
  u32: "uint32",
  f64: "float64",
  usize: "uint64",
  pointer: "pointer",
  buffer: "buffer",
  void: "void",
};

/**
 * The shim's functions that take addresses have a second form, with doubles alone: a call of that costs a tenth of one
 * with any pointer or integer among its parameters.
 */
const hasDoubles = (name: string, { parameters }: Signature): boolean =>
  name.startsWith("fd_") && parameters.includes("pointer");

function nodeSignature(name: string, signature: Signature): [string, { arguments: string[]; return: string }] {
  const { parameters, result } = signature;
  if (!hasDoubles(name, signature)) {
    return [name, { arguments: parameters.map((type) => TYPES[type]), return: TYPES[result] }];
  }
  return [name.replace("fd_", "fdd_"), { arguments: parameters.map(() => TYPES.f64), return: TYPES[result] }];
}

/** What makes a value into what Node takes; undefined where it is that already. */
function converter(type: NativeType, doubles: boolean): ((value: Value) => Value) | undefined {
  if (doubles && type === "buffer") return (value) => Number(ffi().getRawPointer(value as ArrayBufferView));
  if (!doubles && (type === "pointer" || type === "usize")) return (value) => BigInt(value as number);
  return undefined;
}

/** A function that converts some of its parameters. */
function converting(call: Call, converters: readonly (ReturnType<typeof converter>)[]): Call {
  if (converters.every((convert) => convert === undefined)) return call;
  return (...values) => {
    for (let at = 0; at < values.length; at++) {
      const convert = converters[at];
      if (convert !== undefined) values[at] = convert(values[at]);
    }
    return call(...values);
  };
}

/** The runtime closes the descriptor when its other end is closed, or when its worker ends. */
function socket(fd: number, woken: () => void): Promise<Socket> {
  const { Socket } = builtin<Net>("node:net");
  const callback = () => {
    woken();
    return true; // goes on reading
  };
  const made = new Socket({ fd, writable: false, onread: { buffer: new Uint8Array(16), callback } });
  made.on("error", () => {}); // its end is the end of the sleeper
  made.resume();
  return Promise.resolve(made);
}

/**
 * For a thread that cannot wait at its end, as a worker, which `terminate()` ends without JavaScript: a call that V8
 * compiles without its description, because it cannot know what an array will hold. It takes 110 ns longer.
 */
function neverFast(call: Call): Call {
  const held = [call];
  return (...values) => Reflect.apply(held[0], undefined, values);
}

class NodeBackend extends ProcessBackend implements Backend {
  readonly runtime = "node";
  readonly ballastBytes = 0;
  readonly operationsPin = false;

  load<T extends Record<string, Signature>>(path: string, table: T): Functions<T> {
    const library = new (ffi().DynamicLibrary)(path);
    const all = Object.entries(table);
    const calls = library.getFunctions(Object.fromEntries(all.map((one) => nodeSignature(...one))));
    const waits = this.isMainThread && canSetFlags() && process()._exiting !== true;
    if (waits && kept.length === 0) this.onExit(awaitCompiler);
    kept.push(library);
    const functions = all.map(([name, signature]) => {
      const fast = calls[nodeSignature(name, signature)[0]];
      const call = waits ? fast : neverFast(fast);
      const doubles = hasDoubles(name, signature);
      return [name, converting(call, signature.parameters.map((type) => converter(type, doubles)))];
    });
    return Object.fromEntries(functions) as Functions<T>;
  }

  attend(native: Native, sleeper: Pointer, woken: () => void): Attendance {
    return new Bell(native, sleeper, woken, socket);
  }

  pointer(address: bigint): Pointer {
    return Number(address) as unknown as Pointer;
  }

  view(base: Pointer, offset: number, byteLength: number): ArrayBuffer {
    return ffi().toArrayBuffer(BigInt((base as unknown as number) + offset), byteLength, false);
  }
}

/** Node's way of calling C. */
export const nodeBackend: Backend = new NodeBackend();
