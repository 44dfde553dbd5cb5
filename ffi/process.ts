/**
 * The `process` of Node and Bun, as far as backends need it.
 *
 * @module
 */
type Process = {
  getBuiltinModule?(name: string): unknown;
  platform: string;
  arch: string;
  versions: Record<string, string | undefined>;
  env: Record<string, string | undefined>;
  execArgv: string[];
  /** Of Node: whether its exit event has begun. */
  _exiting?: boolean;
  constrainedMemory?(): number;
  on(event: string, listener: () => void): void;
  prependListener(event: string, listener: () => void): void;
  listenerCount(event: string): number;
};

/** A function and not a constant: Deno, which imports this module too, makes the object at the first look, in 12 ms. */
export const process = (): Process => (globalThis as unknown as { process: Process }).process;

/** A module of the runtime's own, without importing it. */
export const builtin = <T>(name: string): T => process().getBuiltinModule?.(name) as T;

const SYSTEMS: Record<string, string> = { win32: "windows", darwin: "darwin" };
const MACHINES: Record<string, string> = { x64: "x86_64", arm64: "aarch64" };

/** What of a backend is the same in both. Nothing is looked at before a method is called. */
export abstract class ProcessBackend {
  get os(): string {
    return SYSTEMS[process().platform] ?? process().platform;
  }

  get arch(): string {
    return MACHINES[process().arch] ?? process().arch;
  }

  env(name: string): string | undefined {
    return process().env[name];
  }

  onExit(listener: () => void): void {
    process().on("exit", listener);
  }

  /** Whether this is no worker. */
  protected get isMainThread(): boolean {
    return builtin<{ isMainThread: boolean }>("node:worker_threads").isMainThread;
  }

  get hearsSignals(): boolean {
    return this.isMainThread;
  }

  onSignal(signal: "SIGINT" | "SIGTERM", listener: () => void): void {
    process().prependListener(signal, listener); // before those that hear it once are taken out of the count
  }

  signalListeners(signal: "SIGINT" | "SIGTERM"): number | undefined {
    return process().listenerCount(signal);
  }

  unref(timer: ReturnType<typeof setTimeout>): void {
    (timer as unknown as { unref(): void }).unref();
  }
}
