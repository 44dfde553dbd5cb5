/**
 * The C functions of `shim/frames_depot.h`, written once in terms that both runtimes know. Each backend translates
 * the table into its own words.
 *
 * @module
 */

/** How a value crosses: `pointer` is an address, `buffer` a typed array of ours that C reads or fills. */
export type NativeType = "i32" | "u32" | "f64" | "usize" | "pointer" | "buffer" | "void";

/** Parameters and result of one C function. */
export type Signature = { parameters: readonly NativeType[]; result: NativeType };

/** The ABI that this table describes: `FD_ABI` in the header. */
export const ABI = 6;

/** Every exported C function, in the order of the header. */
export const SYMBOLS = {
  fd_abi: { parameters: [], result: "i32" },
  fd_layout: { parameters: ["buffer", "i32"], result: "i32" },
  fd_now: { parameters: [], result: "f64" },
  fd_identity: { parameters: ["buffer"], result: "i32" },
  fd_segment_create: { parameters: ["buffer", "f64", "u32", "buffer"], result: "i32" },
  fd_segment_publish: { parameters: ["pointer"], result: "i32" },
  fd_segment_open: { parameters: ["buffer", "buffer"], result: "i32" },
  fd_segment_info: { parameters: ["pointer", "buffer"], result: "i32" },
  fd_segment_map: { parameters: ["pointer", "f64", "buffer"], result: "i32" },
  fd_populate: { parameters: ["pointer", "f64", "f64"], result: "void" },
  fd_segment_unmap: { parameters: ["pointer"], result: "i32" },
  fd_segment_retire: { parameters: ["pointer", "f64"], result: "i32" },
  fd_retired: { parameters: [], result: "f64" },
  fd_segment_unlink: { parameters: ["pointer"], result: "i32" },
  fd_segment_close: { parameters: ["pointer"], result: "i32" },
  fd_unlink: { parameters: ["buffer"], result: "i32" },
  fd_list: { parameters: ["buffer", "i32"], result: "i32" },
  fd_space: { parameters: ["buffer"], result: "i32" },
  fd_lock: { parameters: ["pointer", "i32"], result: "i32" },
  fd_unlock: { parameters: ["pointer", "i32"], result: "i32" },
  fd_lock_held: { parameters: ["pointer", "i32"], result: "i32" },
  fd_wait: { parameters: ["pointer", "pointer", "i32", "i32", "i32", "f64"], result: "i32" },
  fd_yield: { parameters: [], result: "void" },
  fd_wake: { parameters: ["pointer", "pointer", "i32"], result: "i32" },
  fd_sleeper_places: { parameters: [], result: "i32" },
  fd_sleeper_make: { parameters: ["buffer"], result: "i32" },
  fd_sleeper_start: { parameters: ["pointer"], result: "i32" },
  fd_sleeper_pipe: { parameters: ["pointer", "buffer", "i32"], result: "i32" },
  fd_sleeper_watch: {
    parameters: ["pointer", "i32", "pointer", "pointer", "i32", "i32", "i32", "f64"],
    result: "i32",
  },
  fd_sleeper_forget: { parameters: ["pointer", "i32"], result: "i32" },
  fd_sleeper_sleep: { parameters: ["pointer"], result: "i32" },
  fd_sleeper_take: { parameters: ["pointer", "buffer"], result: "i32" },
  fd_sleeper_stop: { parameters: ["pointer"], result: "i32" },
  fd_load: { parameters: ["pointer", "i32"], result: "f64" },
  fd_store: { parameters: ["pointer", "i32", "f64"], result: "void" },
  fd_cas: { parameters: ["pointer", "i32", "f64", "f64"], result: "i32" },
  fd_raise: { parameters: ["pointer", "i32", "f64"], result: "i32" },
  fd_copy: { parameters: ["pointer", "f64", "buffer", "f64", "i32"], result: "void" },
  fd_copy_out: { parameters: ["pointer", "f64", "buffer", "f64"], result: "void" },
  fd_cache_bytes: { parameters: [], result: "f64" },
  fd_claim: { parameters: ["pointer", "i32", "i32", "f64", "u32"], result: "i32" },
  fd_reuse: { parameters: ["pointer", "i32", "i32", "i32", "i32", "f64", "f64", "u32"], result: "i32" },
  fd_publish: { parameters: ["pointer", "i32", "f64", "f64", "f64", "u32", "f64"], result: "i32" },
  fd_pin: { parameters: ["pointer", "i32", "i32", "u32", "f64"], result: "i32" },
  fd_unpin: { parameters: ["pointer", "i32", "u32", "i32", "f64"], result: "i32" },
  fd_look: { parameters: ["pointer", "i32", "f64"], result: "f64" },
  fd_give_back: {
    parameters: ["pointer", "i32", "i32", "i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  fd_recover_slot: { parameters: ["pointer", "i32", "u32"], result: "i32" },
  fd_smallest_cursor: { parameters: ["pointer", "i32", "i32", "i32"], result: "f64" },
} as const satisfies Record<string, Signature>;

type Value<T extends NativeType> = T extends "pointer" ? Pointer
  : T extends "buffer" ? Uint8Array | Uint32Array | Float64Array | BigUint64Array
  : T extends "void" ? void
  : number;

type Values<P extends readonly NativeType[]> = { [K in keyof P]: Value<P[K]> };

/** An address, in whatever form the runtime gives it. It never leaves `ffi/`. */
export type Pointer = { readonly pointer: unique symbol };

/** Functions as a backend hands them over: plain, synchronous, nothing checked. */
export type Functions<T extends Record<string, Signature>> = {
  readonly [K in keyof T]: (...parameters: Values<T[K]["parameters"]>) => Value<T[K]["result"]>;
};

/** Those of the shim. */
export type Native = Functions<typeof SYMBOLS>;
