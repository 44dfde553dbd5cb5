/**
 * Exact loss accounting: for a reader that does not hold producers back, read and missed frames add up to the stored
 * ones, however many sequences were burned in between.
 */
import { assertEquals } from "@std/assert";
import { FramesDepot, type ReadMode } from "../mod.ts";
import { depotTest, RUNTIMES } from "./support/harness.ts";
import { Remote } from "./support/remote.ts";

/** An overwriting depot of four slots, with counts of what was put in and what came out. */
class Scene {
  readonly depot: FramesDepot;
  readonly reader: ReturnType<FramesDepot["frames"]>;
  stored = 0;
  seen = 0;

  constructor(depot: FramesDepot, mode: ReadMode) {
    this.depot = depot;
    this.reader = depot.frames({ mode, timeoutMs: 0 });
  }

  async put(frames: number): Promise<void> {
    for (let i = 0; i < frames; i++) {
      const { state } = await this.depot.enqueue({ frameNumber: this.stored++, frame: new Uint8Array(4) });
      assertEquals(state, "stored");
    }
  }

  /** Reads this many frames, or all there are. */
  take(frames = Infinity): void {
    for (let i = 0; i < frames; i++) {
      const frame = this.reader.tryNext();
      if (frame === undefined) return;
      this.seen += 1 + frame.lost;
    }
  }

  /** Claims a slot and gives it back, which burns a number. */
  burn(times: number): void {
    for (let i = 0; i < times; i++) this.depot.tryClaim()?.release();
  }

  finish(): void {
    this.take();
    const [{ read, lost }] = this.depot.stats().peers[0].readers;
    assertEquals({ seen: this.seen, counted: read + lost }, { seen: this.stored, counted: this.stored });
  }
}

for (const mode of ["lossy", "latest"] as const) {
  const sceneTest = (title: string, body: (scene: Scene) => Promise<void>) =>
    depotTest(`FrameReader in mode ${mode} accounts for every frame: ${title}`, async (name) => {
      await using depot = await FramesDepot.create(name, {
        frameSize: [2, 2, 1],
        maxSize: 4,
        whenFull: "overwrite",
      });
      const scene = new Scene(depot, mode);
      await body(scene);
      scene.finish();
    });

  sceneTest("nothing burned", async (scene) => {
    await scene.put(3);
    scene.take(1);
    await scene.put(30);
    scene.take(2);
    await scene.put(7);
  });

  sceneTest("claims given back before its first frame", async (scene) => {
    await scene.put(2);
    scene.burn(5);
    await scene.put(9);
  });

  sceneTest("claims given back between frames", async (scene) => {
    await scene.put(2);
    scene.take(1);
    scene.burn(5);
    await scene.put(9);
    scene.take(1);
    scene.burn(1);
    await scene.put(1);
  });

  sceneTest("a leased slot passed over, lap after lap", async (scene) => {
    await scene.put(2);
    using _lease = scene.depot.peekFrame(1);
    await scene.put(20);
  });

  sceneTest("a claim given back after later frames were stored", async (scene) => {
    await scene.put(3);
    scene.take();
    const slot = scene.depot.tryClaim();
    await scene.put(1);
    slot?.release();
    scene.take();
    await scene.put(10);
  });

  sceneTest("a queue that was cleared", async (scene) => {
    await scene.put(3);
    scene.take(1);
    await scene.put(2);
    await scene.depot.clearQueue();
    await scene.put(2);
  });
}

for (const runtime of RUNTIMES) {
  for (const mode of ["lossy", "latest"] as const) {
    depotTest(
      `FrameReader in mode ${mode} does not count a number as lost that died with its producer, killed in ${runtime}`,
      async (name) => {
        await using depot = await FramesDepot.create(name, { frameSize: [2, 2, 1], maxSize: 4, whenFull: "overwrite" });
        const scene = new Scene(depot, mode);
        await scene.put(1);
        scene.take();
        for (const kills of [1, 2, 3]) {
          const remote = new Remote(runtime);
          await remote.tell({ do: "open", name });
          for (let claims = kills; claims > 0; claims--) await remote.tell({ do: "claim", frameNumber: -1 });
          await remote.kill();
          depot.stats(); // looks after the dead; a producer does so ten times a second
          await scene.put(6);
          scene.take(1);
        }
        scene.finish();
        const { head, stored, skipped } = depot.stats();
        assertEquals(head - stored, skipped, "every number was stored or burned");
      },
    );
  }
}
