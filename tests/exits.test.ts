/**
 * Processes that end while a wait is pending: with their own exit code, and never by a crash of a thread that was
 * still asleep in shared memory. FRAMES_DEPOT_TEST_RUNS says how often each way is tried.
 */
import { assert, assertEquals } from "@std/assert";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { RUN } from "../tools/support/runtimes.ts";
import { depotTest, executableOf, HERE, Peer, skip } from "./support/harness.ts";
import { FEW_THREADS, IS_WINDOWS, NO_SIGNALS } from "./support/windows.ts";

const RUNS = Number(process.env.FRAMES_DEPOT_TEST_RUNS ?? 12);
const AT_ONCE = 4;
/** How it ends, and the exit code that this gives; -2 stands for the signal. */
const WAYS = {
  "returns": 0,
  "exits with 3": 3,
  "throws": 1,
  "rejects": 1,
  "is interrupted": -2,
  "handles Ctrl-C": 42,
};

for (const [how, code] of Object.entries(WAYS)) {
  for (const waitsFor of ["a frame", "room"]) {
    depotTest(`A process that waits for ${waitsFor} and ${how} ends with its own code`, async (_, anotherName) => {
      if (IS_WINDOWS && /interrupted|Ctrl-C/.test(how)) return skip(NO_SIGNALS);
      for (let run = 0; run < RUNS; run += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, async (_, i) => {
          const peer = new Peer(HERE, "exit_peer.ts", { how, waitsFor, name: anotherName(), pauseMs: (run + i) % 7 });
          assertEquals(await peer.line(), { waiting: true });
          // Not child.kill(), after which Deno reports the signal whatever the exit code was.
          if (/interrupted|Ctrl-C/.test(how)) process.kill(peer.child.pid!, "SIGINT");
          assertEquals(await peer.exit(), code, `run ${run + i}: ${peer.errors}`);
        }));
      }
    });
  }
}

// Where memory is not exchanged in one step, a thread that looks at its word meanwhile ends the process.
depotTest(
  "A process that waits in a hundred depots and exits with 3 ends with its own code",
  async (_, anotherName) => {
    if (IS_WINDOWS && HERE === "deno") return skip(FEW_THREADS);
    for (let run = 0; run < RUNS; run++) {
      const beside = Array.from({ length: 100 }, anotherName);
      const task = { how: "exits with 3", waitsFor: "room", name: anotherName(), pauseMs: 30 + 7 * run, beside };
      const peer = new Peer(HERE, "exit_peer.ts", task);
      assertEquals(await peer.line(), { waiting: true });
      assertEquals([await peer.exit(), peer.errors], [3, ""], `run ${run}`);
    }
  },
);

if (HERE === "node") {
  depotTest("A Node process ends once V8 has compiled what it has begun to compile", (name) => {
    const peer = fileURLToPath(new URL("./support/compiled_peer.ts", import.meta.url));
    const slowly = ["--trace-opt", "--concurrent-recompilation-delay=300"];
    const command = [...RUN.node, ...slowly, peer, name];
    const { status, stdout, stderr } = spawnSync(executableOf("node"), command, { encoding: "utf8", timeout: 60_000 });
    assertEquals([status, stderr], [0, ""]);
    // One whose function is thrown away meanwhile is not told of again: only what was begun last counts.
    const told = /^\[(compiling method|completed compiling|aborted optimizing) .*\(sfi = (\w+)\).*TURBOFAN/gm;
    const events = [...stdout.matchAll(told)].map(([, event, sfi]) => ({ event, sfi }));
    assert(events.length > 10, stdout);
    const open = events.filter(({ event, sfi }, at) => {
      const isLast = !events.slice(at + 1).some((later) => later.sfi === sfi);
      return isLast && event === "compiling method" && at >= events.length / 2;
    });
    assertEquals(open, [], stdout);
  });
}

for (const flag of HERE === "node" ? ["--freeze-flags-after-init", "--allow-natives-syntax", "--no-opt"] : []) {
  depotTest(`A Node process that was started with ${flag} ends as usual, and keeps it`, (name) => {
    const peer = fileURLToPath(new URL("./support/compiled_peer.ts", import.meta.url));
    const command = [...RUN.node, flag, peer, name];
    const { status, stdout, stderr } = spawnSync(executableOf("node"), command, { encoding: "utf8", timeout: 60_000 });
    assertEquals([status, stdout, stderr], [0, flag.includes("natives") ? "natives\n" : "", ""]);
  });
}
