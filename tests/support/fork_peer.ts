/**
 * A process that makes a depot and forks without exec, as some native libraries do. The fork lives for a minute.
 *
 * @module
 */
import { FramesDepot } from "../../mod.ts";
import { openLibrary } from "../../tools/support/native.ts";
import { say, taskOf } from "../../tools/support/parent.ts";

/** The library is C's, made by the test: `int forks(void)` returns the fork's id. */
const { name, library } = taskOf<{ name: string; library: string }>();
await FramesDepot.create(name, { frameSize: [4, 2, 3] });
const { forks } = openLibrary<{ forks(): number }>(library, { forks: { parameters: [], result: "i32" } });
say({ fork: forks() });
setInterval(() => {}, 1000);
