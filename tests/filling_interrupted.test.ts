/**
 * A filling that is interrupted, by its source, a signal, its slot or its depot, loses no byte and puts none into a
 * frame that it does not belong to.
 */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type ByteSource, FramesDepot, type FrameSlot } from "../mod.ts";
import { FRAME, framesIn, framesOf, later, shape } from "./support/filling_scene.ts";
import { depotTest, errorOf } from "./support/harness.ts";
import { cut, pattern, PUSHED } from "./support/sources.ts";

for (const [kind, open] of Object.entries(PUSHED)) {
  depotTest(
    `slot.fillFrom and depot.writeFrom throw what the source throws, and keep what came before: ${kind}`,
    async (name) => {
      await using depot = await FramesDepot.create(name, shape);
      const reason = new Error("on purpose");
      const slot = depot.tryClaim()!;
      const broken = open();
      const filling = assertRejects(() => slot.fillFrom(broken.source));
      broken.push(pattern(5));
      await later(5);
      broken.fail(reason);
      assertStrictEquals(await filling, reason);
      assertEquals(await slot.fillFrom(new Blob([pattern(FRAME - 5, 5)]).stream()), true);
      slot.publish();
      const another = open();
      const writing = assertRejects(() => depot.writeFrom(another.source));
      another.push(pattern(FRAME + 3, FRAME));
      await later(5);
      another.fail(reason);
      assertStrictEquals(await writing, reason);
      assertEquals(framesIn(depot), framesOf(pattern(2 * FRAME)));
    },
  );

  depotTest(
    `slot.fillFrom that is aborted goes on later, with nothing lost and nothing twice: ${kind}`,
    async (name) => {
      await using depot = await FramesDepot.create(name, shape);
      const { source, push, end } = open();
      const all = pattern(4 * FRAME);
      const pieces = cut(all, [5, 4, 17]);
      let slot: FrameSlot | undefined;
      for (const [n, piece] of pieces.entries()) {
        slot ??= depot.tryClaim()!;
        const abort = new AbortController();
        const reason = new Error(`abort ${n}`);
        const filling = slot.fillFrom(source, { signal: abort.signal }).catch((error) => error);
        await later(2); // it waits for a piece now
        if (n % 3 === 0) push(piece);
        abort.abort(reason);
        if (n % 3 !== 0) push(piece);
        const answer = await filling;
        if (answer === true) {
          slot.publish();
          slot = undefined;
        } else assertStrictEquals(answer, reason);
      }
      end();
      for (;;) {
        slot ??= depot.tryClaim()!;
        if (!await slot.fillFrom(source)) break;
        slot.publish();
        slot = undefined;
      }
      slot.release();
      assertEquals(framesIn(depot), framesOf(all));
    },
  );

  depotTest(
    `depot.writeFrom that is aborted goes on later, with nothing lost and nothing twice: ${kind}`,
    async (name) => {
      await using depot = await FramesDepot.create(name, shape);
      const { source, push, end } = open();
      const all = pattern(6 * FRAME);
      for (const [n, piece] of cut(all, [1, 30, 5]).entries()) {
        const abort = new AbortController();
        const reason = new Error(`abort ${n}`);
        const writing = assertRejects(() => depot.writeFrom(source, { signal: abort.signal }));
        await later(2);
        if (n % 2 === 0) push(piece);
        if (n % 3 === 0) await later(2);
        abort.abort(reason);
        if (n % 2 === 1) push(piece);
        assertStrictEquals(await writing, reason);
      }
      end();
      await depot.writeFrom(source);
      assertEquals(framesIn(depot), framesOf(all));
    },
  );

  depotTest(`slot.fillFrom loses nothing when aborted at any moment while a piece comes: ${kind}`, async (name) => {
    await using depot = await FramesDepot.create(name, { frameSize: [20, 5, 1] });
    const { source, push } = open();
    using slot = depot.tryClaim()!;
    for (const [moments, piece] of cut(pattern(100), [5]).entries()) {
      const abort = new AbortController();
      const filling = slot.fillFrom(source, { signal: abort.signal }).catch(() => {});
      await later(1);
      push(piece);
      for (let moment = 0; moment < moments; moment++) await undefined;
      abort.abort();
      await filling;
    }
    assertEquals(await slot.fillFrom(source), true);
    assertEquals([...slot.data], [...pattern(100)]);
  });

  depotTest(
    `slot.fillFrom ends at once when its slot is given back; a late piece goes to the next slot: ${kind}`,
    async (name) => {
      await using depot = await FramesDepot.create(name, { ...shape, maxSize: 1, whenFull: "overwrite" });
      const { source, push } = open();
      const slot = depot.tryClaim()!;
      const filling = assertRejects(() => slot.fillFrom(source), TypeError, "given back");
      push(pattern(5));
      await later(5);
      slot.release();
      await filling;
      await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(FRAME).fill(1) });
      using frame = depot.peekFrame(1)!;
      push(pattern(20, 5)); // the camera's bytes come at last
      await later(5);
      assertEquals([...frame.data], Array(FRAME).fill(1));
      frame.release();
      const next = depot.tryClaim()!;
      assertEquals(await next.fillFrom(source), true);
      assertEquals([...next.data], [...pattern(FRAME, 5)], "what had been put into the lost slot is lost, and no more");
      next.release();
    },
  );

  depotTest(
    `slot.fillFrom ends at once when the slot is given back in the tick in which a piece comes: ${kind}`,
    async (name) => {
      for (const order of ["piece first", "release first"]) {
        await using depot = await FramesDepot.create(name, { ...shape, maxSize: 1, whenFull: "overwrite" });
        const { source, push } = open();
        const slot = depot.tryClaim()!;
        const filling = assertRejects(() => slot.fillFrom(source), TypeError, "given back");
        await later(2);
        if (order === "piece first") push(pattern(FRAME));
        slot.release();
        if (order === "release first") push(pattern(FRAME));
        depot.tryEnqueue({ frame: new Uint8Array(FRAME).fill(1) });
        await filling;
        assertEquals(framesIn(depot), [Array(FRAME).fill(1)], order);
        const next = depot.tryClaim()!;
        assertEquals(await next.fillFrom(source), true);
        assertEquals([...next.data], [...pattern(FRAME)], order);
        next.release();
      }
    },
  );

  depotTest(
    `slot.fillFrom and depot.writeFrom end with CLOSED when the depot is closed, and lose nothing: ${kind}`,
    async (_, another) => {
      for (const way of ["fill", "write"]) {
        const depot = await FramesDepot.create(another(), shape);
        const { source, push, end } = open();
        const working = errorOf(() => way === "fill" ? depot.tryClaim()!.fillFrom(source) : depot.writeFrom(source));
        await later(5);
        await depot.close();
        assertEquals(await working, "CLOSED");
        push(pattern(FRAME));
        end();
        await using next = await FramesDepot.create(another(), shape);
        assertEquals(await next.writeFrom(source), 1);
        assertEquals(framesIn(next), [[...pattern(FRAME)]]);
      }
    },
  );
}

depotTest(
  "slot.publish while the slot is being filled is BUSY, and the filling goes on",
  async (name) => {
    await using depot = await FramesDepot.create(name, shape);
    const { source, push } = PUSHED["a stream"]();
    const slot = depot.tryClaim()!;
    slot.data.fill(9);
    const filling = slot.fillFrom(source);
    push(pattern(5));
    await later(5);
    assertEquals([await errorOf(() => slot.publish()), slot.released], ["BUSY", false]);
    push(pattern(FRAME).subarray(5));
    assertEquals(await filling, true);
    slot.publish();
    assertEquals(framesIn(depot), [[...pattern(FRAME)]]);
  },
);

depotTest(
  "slot.fillFrom that is given up while its reader is slow lands in the next call only",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...shape, maxSize: 1, whenFull: "overwrite" });
    let land = () => {};
    const source: ByteSource = {
      read: (into) =>
        new Promise((resolve) => {
          land = () => {
            into.set(pattern(FRAME)); // the kernel writes without asking
            resolve(FRAME);
          };
        }),
    };
    const slot = depot.tryClaim()!;
    const signal = AbortSignal.timeout(10);
    assertEquals((await assertRejects(() => slot.fillFrom(source, { signal }))).name, "TimeoutError");
    slot.release();
    await depot.enqueue({ frameNumber: 1, frame: new Uint8Array(FRAME).fill(1) });
    using frame = depot.peekFrame(1)!;
    land();
    await later(5);
    assertEquals([...frame.data], Array(FRAME).fill(1));
    frame.release();
    const next = depot.tryClaim()!;
    await next.fillFrom(source);
    next.publish({ frameNumber: 2 });
    assertEquals(framesIn(depot), [[...pattern(FRAME)]]);
  },
);

depotTest("slot.fillFrom from a reader that has nothing yet lets others work, and can be aborted", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  using slot = depot.tryClaim()!;
  const abort = new AbortController();
  const reason = new Error("enough");
  let reads = 0;
  const source: ByteSource = {
    read(into) {
      if (++reads === 6) setTimeout(() => abort.abort(reason)); // comes only if the event loop gets its turn
      if (reads !== 5) return 0;
      into.set(pattern(5));
      return 5;
    },
  };
  assertStrictEquals(await assertRejects(() => slot.fillFrom(source, { signal: abort.signal })), reason);
  assertEquals([...slot.data.subarray(0, 5)], [...pattern(5)]);
});

depotTest(
  "slot.fillFrom ends with its signal when the source itself aborts it, and then says nothing more",
  async (name) => {
    await using depot = await FramesDepot.create(name, shape);
    const abort = new AbortController();
    const source = (async function* () {
      yield pattern(1);
      abort.abort(new SyntaxError("on purpose"));
      await new Promise<void>(() => {});
    })();
    using slot = depot.tryClaim()!;
    await assertRejects(() => slot.fillFrom(source, { signal: abort.signal }), SyntaxError, "on purpose");
  },
  { watchdogMs: 10_000 },
);
