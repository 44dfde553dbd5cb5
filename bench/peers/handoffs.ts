/**
 * The participants of the bare hand-off: ours, the same steps in C, iceoryx2, and descriptors through what runtimes
 * bring.
 *
 * @module
 */
import { nameOf, OURS } from "./built_in.ts";
import { floor, python, rust } from "./install.ts";
import type { Candidate } from "./installed.ts";
import { between, here, module, PROGRAM_RUNTIMES, type Runtime } from "./programs.ts";
import type { Peer } from "./run.ts";

/** What ours is to come close to. */
export const RUST = "iceoryx2, Rust";
/** Where no iceoryx2 is. */
export const C = "C, the same steps";

const PROGRAM = "frames_depot_handoff.ts";

function ours(sender: Runtime, receiver: Runtime): Peer {
  return { what: nameOf(sender, receiver), series: OURS, note: "", ...between(PROGRAM, sender, receiver) };
}

function inC(role: "alone" | "between"): Candidate {
  return {
    what: C,
    install: () => ({ series: "C", note: "the shim's own functions", receive: [floor("handoff"), role] }),
  };
}

/** One frame is under way at a time; what waits, spins, unless the note says otherwise. */
export const betweenProcesses = (): { peers: Peer[]; candidates: Candidate[] } => ({
  peers: [
    ours("Deno", "Deno"),
    ours("Bun", "Bun"),
    ours("Node", "Node"),
    ours("Deno", "Bun"),
    ...PROGRAM_RUNTIMES.map((runtime): Peer => ({
      what: `postMessage, transferred, ${runtime}`,
      series: "postMessage",
      note: "threads of one process; sleeps",
      receive: module(runtime, "post_message_handoff.ts"),
      frames: 5000,
    })),
  ],
  candidates: [
    {
      what: RUST,
      install() {
        const program = rust();
        return { series: "iceoryx2", note: "", receive: [program, "receive"], send: [program, "send"] };
      },
    },
    inC("between"),
    {
      what: "iceoryx2, Python",
      install() {
        const program = [python("iceoryx2"), here("iceoryx2_peer.py")];
        return { series: "iceoryx2", note: "", receive: [...program, "receive"], send: [...program, "send"] };
      },
    },
    {
      what: "shared_memory + Queue, Python",
      install: () => ({
        series: "Python",
        note: "the number of a slot through a queue; sleeps",
        receive: [python(), here("shared_memory.py")],
        frames: 5000,
      }),
    },
  ],
});

/** Both ends in one thread. */
export const inOneThread = (): { peers: Peer[]; candidates: Candidate[] } => ({
  peers: PROGRAM_RUNTIMES.map((runtime) => ({
    what: `${OURS}, ${runtime}`,
    series: OURS,
    note: "",
    receive: module(runtime, PROGRAM, "alone"),
  })),
  candidates: [
    { what: RUST, install: () => ({ series: "iceoryx2", note: "", receive: [rust(), "alone"] }) },
    inC("alone"),
    {
      what: "iceoryx2, Python",
      install: () => ({
        series: "iceoryx2",
        note: "",
        receive: [python("iceoryx2"), here("iceoryx2_peer.py"), "alone"],
      }),
    },
  ],
});
