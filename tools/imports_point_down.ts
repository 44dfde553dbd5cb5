/**
 * Checks that imports point down only, in every folder, for values and for types alike, and that no files import each
 * other in a circle.
 *
 * @module
 */
import process from "node:process";
import { faultsIn, modulesIn, type Rule, type Rules } from "./rooms/faults.ts";

/** Tools of several files. None imports another. */
const TOOLS = [
  "tools/chaos",
  "tools/demo",
  "tools/fuzz",
  "tools/layout",
  "tools/leases",
  "tools/npm",
  "tools/platforms",
  "tools/relay",
  "tools/rooms",
  "tools/serve",
  "tools/soak",
  "tools/video_matrix",
  "tools/words",
];
/** Tools look into the library below its public names. */
const TOOL: Rule = {
  rooms: ["mod.ts", "ring", "ring/layout.ts", "ffi", "shim", "tools/support"],
  outside: ["runtime", "node"],
};

/** What a file may import beside the files of its own room. */
export const RULES: Rules = {
  // The library, from the top down. It depends on nothing but the runtime, which ffi alone may name.
  "mod.ts": { rooms: ["depot", "ring", "errors.ts"], outside: [] },
  "depot": { rooms: ["ring", "ring/layout.ts", "ffi", "errors.ts"], outside: [] },
  "ring": { rooms: ["ring/layout.ts", "ffi", "errors.ts"], outside: [] },
  "ring/layout.ts": { rooms: [], outside: [] },
  "ffi": { rooms: ["errors.ts"], outside: ["runtime"] },
  "errors.ts": { rooms: [], outside: [] },
  // How the C is built and tested.
  "shim": { rooms: [], outside: ["node"] },
  // Its users. The command line and the examples see no more of it than any other program does.
  "cli": { rooms: ["mod.ts", "deno.json"], outside: ["runtime", "node", "packages"] },
  "examples": { rooms: ["mod.ts"], outside: ["node"] },
  "examples/websocket.ts": { rooms: ["mod.ts"], outside: ["node", "packages"] }, // Node serves no WebSockets itself
  "bench": { rooms: ["mod.ts", "shim", "tools/support"], outside: ["runtime", "node", "packages"] },
  "tools": { rooms: ["mod.ts", "tools/support", ...TOOLS], outside: ["runtime", "node"] },
  ...Object.fromEntries(TOOLS.map((tool) => [tool, TOOL])),
  "tools/relay": { ...TOOL, rooms: [...TOOL.rooms, "cli"] }, // which it runs
  "tools/video_matrix": { ...TOOL, rooms: [...TOOL.rooms, "cli"] }, // and so does this
  "tools/support": { rooms: ["mod.ts", "ring", "ring/layout.ts", "ffi", "shim"], outside: ["runtime", "node"] },
  "tests": {
    rooms: [
      ...["mod.ts", "depot", "ring", "ring/layout.ts", "ffi", "errors.ts", "shim"],
      ...["cli", "bench", "tools", "tools/support", ...TOOLS],
    ],
    outside: ["runtime", "node", "packages"],
  },
};
/** The name under which users import mod.ts. */
export const ITSELF = "@frames-depot/frames-depot";

if (import.meta.main) {
  const faults = faultsIn(".", RULES, ITSELF);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) {
    console.error(`${faults.length} imports or names are in the wrong room`);
    process.exit(1);
  }
  console.log(`the imports of ${modulesIn(".").length} files point down`);
}
