/**
 * The C functions and numbers of `shim/frames_depot.h` in terms that both runtimes know; each backend translates the
 * table into its own words. `deno task layout` makes what stands between the marks.
 *
 * @module
 */

/** How a value crosses: `pointer` is an address, `buffer` a typed array of ours that C reads or fills. */
export type NativeType = "i32" | "u32" | "f64" | "usize" | "pointer" | "buffer" | "void";

/** Parameters and result of one C function. */
export type Signature = { parameters: readonly NativeType[]; result: NativeType };

// begin: made from shim/frames_depot.h

/** The version of the interface, which the loader compares. */
export const ABI = 10;

/** Every exported C function, in the order of the header. */
export const SYMBOLS = {
  fd_abi: { parameters: [], result: "i32" },
  fd_layout: { parameters: ["buffer", "i32"], result: "i32" },
  fd_now: { parameters: [], result: "f64" },
  fd_identity: { parameters: ["buffer"], result: "i32" },
  fd_started: { parameters: ["f64"], result: "f64" },
  fd_signal_state: { parameters: ["i32"], result: "i32" },
  fd_signal_end: { parameters: ["i32"], result: "i32" },
  fd_segment_create: { parameters: ["buffer", "f64", "u32", "buffer"], result: "i32" },
  fd_segment_name: { parameters: ["pointer"], result: "i32" },
  fd_segment_replace: { parameters: ["pointer", "pointer"], result: "i32" },
  fd_segment_open: { parameters: ["buffer", "buffer"], result: "i32" },
  fd_segment_info: { parameters: ["pointer", "buffer"], result: "i32" },
  fd_name_info: { parameters: ["buffer", "buffer"], result: "i32" },
  fd_segment_map: { parameters: ["pointer", "f64", "buffer"], result: "i32" },
  fd_segment_snapshot: { parameters: ["pointer", "f64", "f64", "buffer"], result: "i32" },
  fd_populate: { parameters: ["pointer", "f64", "f64"], result: "void" },
  fd_segment_unmap: { parameters: ["pointer"], result: "i32" },
  fd_segment_retire: { parameters: ["pointer", "f64"], result: "i32" },
  fd_retired: { parameters: [], result: "f64" },
  fd_segment_unlink: { parameters: ["pointer"], result: "i32" },
  fd_segment_empty: { parameters: ["pointer"], result: "i32" },
  fd_segment_close: { parameters: ["pointer"], result: "i32" },
  fd_unlink: { parameters: ["buffer"], result: "i32" },
  fd_list: { parameters: ["buffer", "i32"], result: "i32" },
  fd_limits: { parameters: ["buffer"], result: "i32" },
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
  fd_sleeper_watch: { parameters: ["pointer", "i32", "pointer", "pointer", "i32", "i32", "i32", "f64"], result: "i32" },
  fd_sleeper_forget: { parameters: ["pointer", "i32"], result: "i32" },
  fd_sleeper_sleep: { parameters: ["pointer"], result: "i32" },
  fd_sleeper_take: { parameters: ["pointer", "buffer"], result: "i32" },
  fd_sleeper_stop: { parameters: ["pointer"], result: "i32" },
  fd_load: { parameters: ["pointer", "i32"], result: "f64" },
  fd_store: { parameters: ["pointer", "i32", "f64"], result: "void" },
  fd_cas: { parameters: ["pointer", "i32", "f64", "f64"], result: "i32" },
  fd_raise: { parameters: ["pointer", "i32", "f64"], result: "i32" },
  fd_head: { parameters: ["pointer"], result: "f64" },
  fd_end: { parameters: ["pointer"], result: "i32" },
  fd_copy: { parameters: ["pointer", "f64", "buffer", "f64", "i32"], result: "void" },
  fd_copy_out: { parameters: ["pointer", "f64", "buffer", "f64"], result: "void" },
  fd_cache_bytes: { parameters: [], result: "f64" },
  fd_claim: { parameters: ["pointer", "i32", "i32", "f64", "u32"], result: "i32" },
  fd_publish: { parameters: ["pointer", "i32", "f64", "f64", "f64", "u32", "f64"], result: "i32" },
  fd_pin: { parameters: ["pointer", "i32", "i32", "u32", "f64"], result: "i32" },
  fd_unpin: { parameters: ["pointer", "i32", "u32", "i32", "f64"], result: "i32" },
  fd_look: { parameters: ["pointer", "i32", "f64"], result: "f64" },
  fd_give_back: {
    parameters: ["pointer", "i32", "i32", "i32", "i32", "i32", "buffer", "u32", "buffer", "i32", "i32"],
    result: "i32",
  },
  fd_recover_slot: { parameters: ["pointer", "i32", "u32"], result: "i32" },
  fd_smallest_cursor: { parameters: ["pointer", "i32", "i32", "i32"], result: "f64" },
  fd_take: { parameters: ["pointer", "i32", "i32", "i32", "u32", "f64", "u32"], result: "i32" },
  fd_complete: { parameters: ["pointer", "i32", "f64", "u32"], result: "i32" },
  fd_pass: { parameters: ["pointer", "i32", "i32", "i32"], result: "f64" },
  fd_again: { parameters: ["pointer", "i32", "i32", "f64"], result: "f64" },
  fd_is_held: { parameters: ["pointer", "i32", "i32", "u32"], result: "i32" },
  fd_taken: { parameters: ["pointer", "i32", "i32", "f64", "f64"], result: "i32" },
} as const;

/** The numbers of the header by their names there, without `FD_`. */
export const FD = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EDEADLK: 35,
  ENAMETOOLONG: 36,
  ENOLCK: 37,
  ENOSYS: 38,
  ELOOP: 40,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ETIMEDOUT: 110,
  EDQUOT: 122,
  CALL: 4096,
  CALL_FOLDER: 1,
  CALL_MAKE: 2,
  CALL_ALLOCATE: 3,
  CALL_MODE: 4,
  CALL_LINK: 5,
  CALL_LOCK: 6,
  INFO_BYTES: 0,
  INFO_MODE: 1,
  INFO_OWNER: 2,
  INFO_SELF: 3,
  INFO_LINKED: 4,
  INFO_COUNT: 5,
  LIMIT_FILE_SYSTEM: 0,
  LIMIT_INODES: 1,
  LIMIT_QUOTA: 2,
  LIMIT_GROUP: 3,
  LIMIT_FILE: 4,
  LIMIT_ADDRESSES: 5,
  LIMIT_MEMORY: 6,
  LIMITS: 7,
  LANE_PUBLISHED: 0,
  LANE_CONSUMED: 1,
  SIGNAL_ENDS: 0,
  SIGNAL_IGNORED: 1,
  SIGNAL_HEARD: 2,
  SLEEPERS: 8,
  PRODUCERS: 16,
  SLEEPS: 1,
  SLEEPS_LIGHTLY: 2,
  CLAIMED: 0,
  MOVED: 1,
  LEASED: 2,
  TAKEN: 3,
  AWAITED: 4,
  REPLACED: 32,
  LATE: 64,
  BEING_REPLACED: 1,
  IS_REPLACED: 2,
  TIME_NOW: -1,
  TIME_KEPT: -2,
  NOT_ATTACHED: -1,
  ATTACHED_ONLY: -2,
  NOT_THERE: 0,
  GOT: 1,
  GOT_AGAIN: 2,
  OTHERS: 3,
} as const;

// end

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
