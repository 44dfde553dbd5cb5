/**
 * The proof that a storm can fail: each safeguard of a lease is taken away in a copy of the tree, one after the other,
 * and the storm in that copy has to find it, where one with the same seed in the tree as it is finds nothing.
 *
 * @module
 */
import fs from "node:fs";
import os from "node:os";
import { pathToFileURL } from "node:url";
import { type Runtime, RUNTIMES } from "../support/runtimes.ts";
import { type Mutation, MUTATIONS } from "./mutations.ts";
import { leaseRun, type Outcome } from "./run.ts";

/** How the proof is made. */
export type ProofOptions = {
  runtimes: readonly Runtime[];
  /** Leases in a storm, of which there are several, with one seed after the other. */
  frames: number;
  seed: number;
  /** Only those that have this in their name. */
  only?: string;
  tell: (line: string) => void;
  signal?: AbortSignal;
};

/** What a tree needs. */
const PARTS = ["mod.ts", "errors.ts", "depot", "ring", "ffi", "shim", "tools"];
const STORMS = 4;

/** Tries each mutation. @returns those that no storm has found */
export async function prove(options: ProofOptions): Promise<string[]> {
  const folder = fs.mkdtempSync(`${os.tmpdir()}/leases-tree-`);
  try {
    return await new Proof(options, folder).run();
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

class Proof {
  readonly #options: ProofOptions;
  readonly #whole: URL;
  readonly #mutated: URL;
  /** Storms in the tree as it is that have found nothing: runtime and seed. */
  readonly #calm = new Set<string>();

  constructor(options: ProofOptions, folder: string) {
    this.#options = options;
    [this.#whole, this.#mutated] = ["whole", "mutated"].map((name) => pathToFileURL(`${folder}/${name}/`));
    const here = new URL("../../", import.meta.url);
    for (const part of PARTS) {
      for (const tree of [this.#whole, this.#mutated]) {
        fs.cpSync(new URL(part, here), new URL(part, tree), { recursive: true });
      }
    }
  }

  async run(): Promise<string[]> {
    const { runtimes, only = "", tell, signal } = this.#options;
    const survived: string[] = [];
    for (const mutation of MUTATIONS.filter(({ without }) => without.includes(only))) {
      const restore = this.#mutate(mutation);
      for (const runtime of RUNTIMES) {
        if (!runtimes.includes(runtime) || ![undefined, runtime].includes(mutation.only)) continue;
        const found = await this.#find(runtime);
        if (signal?.aborted) return survived;
        tell(`${runtime.padEnd(5)}without ${mutation.without}: ${found ?? "NOT FOUND"}`);
        if (found === undefined) survived.push(`${runtime}: without ${mutation.without}`);
      }
      restore();
    }
    return survived;
  }

  #mutate({ file, from, to }: Mutation): () => void {
    const path = new URL(file, this.#mutated);
    const text = fs.readFileSync(path, "utf8");
    if (text.split(from).length !== 2) throw new Error(`${file} must have once: ${from}`);
    fs.writeFileSync(path, text.replace(from, () => to));
    return () => fs.writeFileSync(path, text);
  }

  #storm(runtime: Runtime, seed: number, tree: URL): Promise<Outcome> {
    const { frames, signal } = this.#options;
    return leaseRun({ runtime, frames, seed, tree, signal });
  }

  /** @returns what a storm said of the mutation, if one has found it */
  async #find(runtime: Runtime): Promise<string | undefined> {
    const { signal, seed: first } = this.#options;
    const started = performance.now();
    for (let seed = first; seed < first + STORMS && !signal?.aborted; seed++) {
      const { wrong, counts, begun } = await this.#storm(runtime, seed, this.#mutated);
      if (!begun && !signal?.aborted) throw new Error(`a mutation that does not even begin: ${wrong[0]}`);
      if (wrong.length === 0) continue;
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      await this.#isCalm(runtime, seed);
      return `${summary(wrong[0])} (seed ${seed}, ${counts.leased} leases, ${seconds} s)`;
    }
    return undefined;
  }

  /** @throws {Error} when a storm finds something in the tree as it is */
  async #isCalm(runtime: Runtime, seed: number): Promise<void> {
    if (this.#calm.has(`${runtime} ${seed}`)) return;
    const { wrong } = await this.#storm(runtime, seed, this.#whole);
    if (wrong.length > 0 && !this.#options.signal?.aborted) {
      throw new Error(`without a mutation, ${runtime}, seed ${seed}: ${wrong[0]}`);
    }
    this.#calm.add(`${runtime} ${seed}`);
  }
}

/** The line that says it. */
function summary(wrong: string): string {
  return (/ended with SIG\w+/.exec(wrong)?.[0] ?? wrong.split("\n")[0]).slice(0, 160);
}
