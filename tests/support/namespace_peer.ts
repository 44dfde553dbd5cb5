/**
 * Scenes for tests/namespaces.test.ts, run in a mount or pid namespace of their own. Each prints one line of JSON.
 *
 * @module
 */
import process from "node:process";
import { DepotError, FramesDepot } from "../../mod.ts";
import { say, taskOf } from "../../tools/support/parent.ts";

const { scene, name } = taskOf<{ scene: string; name: string }>();
const pixels = (value: number) => new Uint8Array(4).fill(value);

async function failure(act: () => Promise<unknown>): Promise<DepotError | undefined> {
  try {
    await act();
  } catch (error) {
    if (error instanceof DepotError) return error;
    throw error;
  }
}

switch (scene) {
  case "too large": {
    const error = await failure(() => FramesDepot.create(name, { frameSize: [1920, 1080, 3], maxSize: 1 }));
    say({ code: error?.code, message: error?.message, left: FramesDepot.list() });
    break;
  }
  case "fill": {
    const depots: FramesDepot[] = [];
    const make = async () => {
      depots.push(await FramesDepot.create(`${name}-${depots.length}`, { frameSize: [512, 512, 1], maxSize: 4 }));
    };
    let error: DepotError | undefined;
    while (error === undefined) error = await failure(make);
    let intact = true;
    for (const [value, depot] of depots.entries()) {
      for (let n = 0; n < 4; n++) await depot.enqueue({ frame: new Uint8Array(512 * 512).fill(value) });
      for (let n = 0; n < 4; n++) {
        using frame = depot.getFrame(n);
        intact &&= frame !== undefined && frame.data.every((byte) => byte === value);
      }
      await depot.close();
    }
    say({ made: depots.length, code: error.code, intact });
    break;
  }
  case "rob": {
    const error = await failure(() => FramesDepot.create(name, { frameSize: [4, 4, 1] }));
    const stale = FramesDepot.list().find((info) => info.name === name)?.stale;
    await using depot = await FramesDepot.open(name);
    using frame = depot.peekFrame(7);
    say({ pid: process.pid, create: error?.code, stale, read: frame?.data[0] });
    break;
  }
  case "die": {
    const depot = await FramesDepot.create(name, { frameSize: [2, 2, 1] });
    await depot.enqueue({ frame: pixels(1) });
    say({ made: true });
    process.kill(process.pid, "SIGKILL");
    break;
  }
  case "keep": {
    await FramesDepot.create(name, { frameSize: [2, 2, 1] });
    say({ open: true });
    await new Promise((resolve) => process.stdin.on("end", resolve).resume());
    break;
  }
  case "hold": {
    await FramesDepot.open(name);
    say({ open: true });
    await new Promise((resolve) => process.stdin.on("end", resolve).resume());
    break;
  }
  case "visit": {
    await using depot = await FramesDepot.open(name);
    say({ peers: depot.stats().peers.length });
    break;
  }
}
