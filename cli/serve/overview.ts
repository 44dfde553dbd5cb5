/**
 * Every depot that is served, looked at once a second while a client is there; nothing is joined for it.
 *
 * @module
 */
import { FramesDepot } from "../../mod.ts";
import { lookAgain, lookAround, type Sight } from "../sight.ts";
import { readersLag } from "./depot_json.ts";

/** Time between two looks, and between two looks at the names alone. */
const LOOK_MS = 1000;
const NAMES_MS = 250;
/** How long rates are measured for where no client has been there. */
const MEASURE_MS = 200;
/** Lags that are remembered: one a second, of the last minute. */
const REMEMBERED = 60;

/** Looks at depots for all listeners. */
export class Overview implements Disposable {
  readonly #serves: (name: string) => boolean;
  readonly #heard = new Set<() => void>();
  readonly #lags = new Map<string, number[]>();
  /** The look before, from which rates are measured. */
  #before: Sight[] = [];
  #sights: Sight[] = [];
  #atMs = -Infinity;
  #names = "";
  #timer: ReturnType<typeof setInterval> | undefined;
  #measuring: Promise<Sight[]> | undefined;

  /** @param serves whether depots of a name are shown */
  constructor(serves: (name: string) => boolean) {
    this.#serves = serves;
  }

  serves(name: string): boolean {
    return this.#serves(name);
  }

  /** The last look, with those that were there a moment ago. */
  get sights(): readonly Sight[] {
    return this.#sights;
  }

  sightOf(name: string): Sight | undefined {
    return this.#sights.find(({ info, goneMs }) => info.name === name && goneMs === undefined);
  }

  /** How far its slowest reader was behind, once a second; the newest last. */
  lagsOf(name: string): readonly number[] {
    return this.#lags.get(name) ?? [];
  }

  /** @param heard hears of each look @returns ends it */
  listen(heard: () => void): () => void {
    this.#heard.add(heard);
    if (this.#timer === undefined) {
      this.#tick();
      this.#timer = setInterval(() => this.#tick(), NAMES_MS);
    }
    return () => {
      this.#heard.delete(heard);
      if (this.#heard.size === 0) this[Symbol.dispose]();
    };
  }

  /** Every depot now, with its rates. */
  async measured(): Promise<Sight[]> {
    if (this.#timer !== undefined && this.#sights.every(({ rates, info }) => rates !== undefined || !info.usable)) {
      return this.#sights.filter(({ goneMs }) => goneMs === undefined);
    }
    this.#measuring ??= this.#measure().finally(() => this.#measuring = undefined);
    return await this.#measuring;
  }

  /** Every depot now, without rates. */
  now(): Sight[] {
    return lookAround().filter(({ info }) => this.#serves(info.name));
  }

  async #measure(): Promise<Sight[]> {
    const before = this.now();
    await new Promise((resolve) => setTimeout(resolve, MEASURE_MS));
    return lookAround(before).filter(({ info }) => this.#serves(info.name));
  }

  #tick(): void {
    const nowMs = performance.now();
    const isDue = nowMs - this.#atMs >= LOOK_MS - NAMES_MS / 2;
    try {
      const names = FramesDepot.list().map(({ name, usable, stale, ended }) => [name, usable, stale, ended]).join(" ");
      if (!isDue && names === this.#names) return;
      this.#names = names;
      if (isDue) this.#before = this.#sights;
      this.#sights = lookAgain(this.#before).filter(({ info }) => this.#serves(info.name));
    } catch { // the system does not let them be looked at just now
      return;
    }
    if (isDue) this.#remember(nowMs);
    for (const heard of this.#heard) heard();
  }

  #remember(nowMs: number): void {
    this.#atMs = nowMs;
    for (const name of this.#lags.keys()) {
      if (!this.#sights.some(({ info }) => info.name === name)) this.#lags.delete(name);
    }
    for (const { info } of this.#sights) {
      const lags = this.#lags.get(info.name) ?? [];
      this.#lags.set(info.name, [...lags, readersLag(info.stats)].slice(-REMEMBERED));
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#sights = [];
    this.#before = [];
    this.#lags.clear();
    this.#atMs = -Infinity;
  }
}
