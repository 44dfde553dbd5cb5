/**
 * How commands sleep: as long as they are told, until a signal, and without anything left behind.
 */
import { assertEquals, assertRejects } from "@std/assert";
import process from "node:process";
import { EXIT, Failure } from "../cli/failure.ts";
import { Interruption } from "../cli/interruption.ts";
import { depotTest } from "./support/harness.ts";

depotTest("Interruption.sleep leaves no listener behind", async () => {
  using interruption = new Interruption();
  const { signal } = interruption;
  const listeners: unknown[] = [];
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (type: string, listener: EventListener) => {
    listeners.push(listener);
    add(type, listener);
  };
  signal.removeEventListener = (type: string, listener: EventListener) => {
    listeners.splice(listeners.indexOf(listener), 1);
    remove(type, listener);
  };
  const sleeping = interruption.sleep(1);
  assertEquals(listeners.length, 1);
  await sleeping;
  await interruption.sleep(0);
  assertEquals(listeners.length, 0);
});

depotTest("Interruption.sleep may be longer than a timer, and ends at a signal", async () => {
  const signal = process.platform === "win32" ? "SIGINT" : "SIGTERM"; // Deno hears of no SIGTERM on Windows
  using interruption = new Interruption();
  let ended = false;
  const sleeping = interruption.sleep(2 ** 31 + 5).finally(() => ended = true);
  const failed = assertRejects(() => sleeping, Failure);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assertEquals(ended, false);
  process.emit(signal, signal);
  assertEquals((await failed).exitCode, signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated);
});
