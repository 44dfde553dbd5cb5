/**
 * Raw bytes into frames: `slot.fillFrom` and `depot.writeFrom`. Whatever the source, its pieces and its end, no byte is
 * lost, none comes twice, and none lands in a frame that it does not belong to.
 */
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type ByteSource, type DepotOptions, FramesDepot, type FrameSlot, type WriteFromOptions } from "../mod.ts";
import { depotTest, errorOf } from "./support/harness.ts";
import { cut, pattern, PUSHED, SOURCES } from "./support/sources.ts";

const FRAME = 12;
const shape: DepotOptions = { frameSize: [2, 2, 3], maxSize: 16 };
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The bytes of every frame in the depot. */
function framesIn(depot: FramesDepot): number[][] {
  const reader = depot.frames({ mode: "lossy", from: "oldest" });
  const frames: number[][] = [];
  for (let frame; (frame = reader.tryNext()) !== undefined;) frames.push([...new Uint8Array(frame.copy().buffer)]);
  reader.release();
  return frames;
}

const framesOf = (bytes: Uint8Array<ArrayBuffer>, size = FRAME) => cut(bytes, [size]).map((frame) => [...frame]);

/** Fills slot after slot, until the source ends. */
async function fillAll(depot: FramesDepot, source: ByteSource): Promise<number> {
  for (let filled = 0;; filled++) {
    using slot = depot.tryClaim()!;
    if (!await slot.fillFrom(source)) return filled;
    slot.publish();
  }
}

const WAYS = {
  "slot.fillFrom": fillAll,
  "depot.writeFrom": (depot: FramesDepot, source: ByteSource) => depot.writeFrom(source),
};

/** Sizes of pieces for frames of 12 bytes: every small size, and mixtures. */
const PIECES = [...Array.from({ length: 30 }, (_, n) => [n + 1]), [1, 23, 5], [12, 1, 11], [40, 3], [100]];

for (const [way, run] of Object.entries(WAYS)) {
  for (const [kind, open] of Object.entries(SOURCES)) {
    depotTest(`${way} puts frames together from pieces of any size: ${kind}`, async (_, another) => {
      for (const sizes of PIECES) {
        await using depot = await FramesDepot.create(another(), shape);
        const all = pattern(5 * FRAME, sizes[0]);
        const { source, close } = await open(cut(all, sizes), all);
        try {
          assertEquals(await run(depot, source), 5, `pieces of ${sizes}`);
          assertEquals(framesIn(depot), framesOf(all), `pieces of ${sizes}`);
          assertEquals(await run(depot, source), 0, "a source that has ended stays at its end");
        } finally {
          await close?.();
        }
      }
    });
  }

  depotTest(`${way} takes frames larger than any piece, of every element type`, async (_, another) => {
    for (const elementType of ["uint8", "uint16", "float32"] as const) {
      await using depot = await FramesDepot.create(another(), { frameSize: [311, 97, 3], elementType, maxSize: 4 });
      const all = pattern(3 * depot.frameBytes);
      const { source } = await SOURCES["a stream"](cut(all, [65_537, 3, 8191]), all);
      assertEquals(await run(depot, source), 3);
      const frames = framesIn(depot);
      for (const [n, frame] of framesOf(all, depot.frameBytes).entries()) {
        assert(frames[n].every((byte, at) => byte === frame[at]), `frame ${n} of ${elementType}`);
      }
    }
  });
}

// How a source ends.

depotTest(
  "slot.fillFrom returns false at a clean end, with nothing filled and the slot still in hand",
  async (name) => {
    await using depot = await FramesDepot.create(name, shape);
    const slot = depot.tryClaim()!;
    slot.data.fill(77);
    assertEquals(await slot.fillFrom(new Blob([]).stream()), false);
    assertEquals([slot.released, [...slot.data]], [false, Array(FRAME).fill(77)]);
    assertEquals(await slot.fillFrom(new Blob([pattern(FRAME)]).stream()), true);
    slot.publish({ frameNumber: 5 });
    assertEquals(framesIn(depot), [[...pattern(FRAME)]]);
  },
);

depotTest(
  "slot.fillFrom throws where the source ends within a frame, and goes on from another source",
  async (name) => {
    await using depot = await FramesDepot.create(name, shape);
    const slot = depot.tryClaim()!;
    const all = pattern(FRAME);
    const error = await assertRejects(() => slot.fillFrom(new Blob([all.subarray(0, 5)]).stream()), RangeError);
    assertEquals(error.message, "the source ended 5 bytes into a frame of 12");
    assertEquals(await slot.fillFrom(new Blob([all.subarray(5)]).stream()), true);
    slot.publish();
    assertEquals(framesIn(depot), [[...all]]);
  },
);

depotTest("depot.writeFrom throws where the source ends within a frame, after storing the whole ones", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  const source = new Blob([pattern(FRAME * 2 + 7)]).stream();
  const error = await assertRejects(() => depot.writeFrom(source), RangeError);
  assertEquals(error.message, "the source ended 7 bytes into a frame of 12");
  assertEquals(framesIn(depot), framesOf(pattern(FRAME * 2)));
  await assertRejects(() => depot.writeFrom(source), RangeError, "7 bytes");
});

depotTest("slot.fillFrom keeps bytes beyond the frame for the next fillFrom or writeFrom", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  const all = pattern(FRAME * 4);
  const source = new Blob([all]).stream(); // in one piece
  using slot = depot.tryClaim()!;
  assertEquals(await slot.fillFrom(source), true);
  assertEquals(await slot.fillFrom(source), true, "a slot that is full takes no more");
  slot.publish();
  assertEquals(await depot.writeFrom(source), 3);
  assertEquals(framesIn(depot), framesOf(all));
});

depotTest("slot.fillFrom combines with slot.data, metadata and the details of publish", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, metadataBytes: 4 });
  const slot = depot.tryClaim({ frameNumber: 1, timestampNs: 5 })!;
  const { data } = slot;
  await slot.fillFrom(new Blob([pattern(FRAME)]).stream());
  assertEquals([...data], [...pattern(FRAME)]);
  data[0] = 200;
  slot.metadata.set([1, 2, 3, 4]);
  slot.publish({ timestampNs: 6 });
  using frame = depot.peekFrame(1)!;
  const values = [frame.data[0], frame.data[1], [...frame.metadata], frame.timestampNs];
  assertEquals(values, [200, 7, [1, 2, 3, 4], 6n]);
});

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

// What is refused.

depotTest("slot.fillFrom and depot.writeFrom refuse what is no source, and change nothing", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  using slot = depot.tryClaim()!;
  const wrong: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [5, "number"],
    ["video.rgb", "string"],
    [new Uint8Array(FRAME), "Uint8Array"],
    [new ArrayBuffer(FRAME), "object"],
    [[new Uint8Array(FRAME)], "object"],
    [new Blob([pattern(FRAME)]), "object"],
    [{ read: 5 }, "object"],
    [() => new Uint8Array(FRAME), "function"],
  ];
  for (const [source, is] of wrong) {
    await assertRejects(() => slot.fillFrom(source as ByteSource), TypeError, `it is ${is}`);
    await assertRejects(() => depot.writeFrom(source as ByteSource), TypeError, `it is ${is}`);
  }
  assertEquals(await slot.fillFrom(new Blob([pattern(FRAME)]).stream()), true);
});

depotTest("slot.fillFrom and depot.writeFrom refuse pieces that are no bytes, and say what they are", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  const wrong: unknown[] = ["a line", 5, null, undefined, {}, [1, 2], new SharedArrayBuffer(FRAME)];
  for (const piece of wrong) {
    for (const kind of ["a stream", "an async generator", "a reader of a stream"]) {
      using slot = depot.tryClaim()!;
      const open = () => SOURCES[kind]([piece as Uint8Array<ArrayBuffer>], pattern(0));
      const { source } = await open();
      await assertRejects(() => slot.fillFrom(source), TypeError, `it gave ${typeof piece}`);
      const { source: once } = await open();
      await assertRejects(() => depot.writeFrom(once), TypeError, `it gave ${typeof piece}`);
    }
  }
});

depotTest("slot.fillFrom refuses a reader that returns an impossible count", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  using slot = depot.tryClaim()!;
  const answers: unknown[] = [-1, 1.5, NaN, 2 ** 20, "5", true, { bytesRead: -1 }, { bytesRead: 2 ** 20 }, {
    bytesRead: "5",
  }, {}];
  for (const answer of answers) {
    await assertRejects(() => slot.fillFrom({ read: () => answer }), TypeError, undefined);
  }
  assertEquals(await slot.fillFrom(new Blob([pattern(FRAME)]).stream()), true);
});

depotTest(
  "slot.fillFrom and depot.writeFrom refuse wrong options, a released slot, and a closed depot",
  async (name) => {
    const depot = await FramesDepot.create(name, shape);
    const source = new Blob([pattern(FRAME)]).stream();
    const slot = depot.tryClaim()!;
    assertEquals(await errorOf(() => slot.fillFrom(source, { signal: 5 as unknown as AbortSignal })), "TypeError");
    assertEquals(await errorOf(() => slot.fillFrom(source, 5 as unknown as { signal: AbortSignal })), "TypeError");
    const wrong: [WriteFromOptions, string][] = [
      [{ signal: {} as AbortSignal }, "TypeError"],
      [{ frameNumber: 1.5 }, "RangeError"],
      [{ frameNumber: "5" as unknown as number }, "TypeError"],
      [{ timestampNs: -1 }, "RangeError"],
      [{ timestampNs: {} as number }, "TypeError"],
      [{ frameNumber: () => NaN }, "RangeError"],
      [{ timestampNs: () => -1n }, "RangeError"],
    ];
    for (const [options, error] of wrong) assertEquals(await errorOf(() => depot.writeFrom(source, options)), error);
    slot.release();
    assertEquals(await errorOf(() => slot.fillFrom(source)), "TypeError");
    assertEquals(await depot.writeFrom(source), 1, "nothing was lost by that");
    await depot.close();
    assertEquals(await errorOf(() => depot.writeFrom(source)), "CLOSED");
  },
);

depotTest("slot.fillFrom refuses a second call at the same time: on its slot, and on its source", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  const [one, two] = [PUSHED["a stream"](), PUSHED["an async generator"]()];
  const [slot, other] = [depot.tryClaim()!, depot.tryClaim()!];
  const filling = slot.fillFrom(one.source);
  await assertRejects(() => slot.fillFrom(two.source), TypeError, "being filled already");
  await assertRejects(() => other.fillFrom(one.source), TypeError, "being read already");
  await assertRejects(() => depot.writeFrom(one.source), TypeError, "being read already");
  one.push(pattern(2 * FRAME));
  assertEquals(await filling, true);
  assertEquals(await other.fillFrom(one.source), true);
  slot.publish();
  other.publish();
  assertEquals(framesIn(depot), framesOf(pattern(2 * FRAME)));
});

depotTest("depot.writeFrom keeps its source locked, also while it waits for room", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 1, whenFull: "wait" });
  const source = new Blob([pattern(3 * FRAME)]).stream();
  const abort = new AbortController();
  const writing = errorOf(() => depot.writeFrom(source, { signal: abort.signal }));
  await later(5); // the first is stored, the second waits
  await assertRejects(() => depot.writeFrom(source), TypeError, "being read already");
  assertEquals((source as ReadableStream).locked, true);
  abort.abort(new RangeError("enough"));
  assertEquals([await writing, (source as ReadableStream).locked], ["RangeError", false]);
});

depotTest("slot.fillFrom puts nothing into a slot that its source gives back or fills", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 1, whenFull: "overwrite" });
  let slot = depot.tryClaim()!;
  let within: Promise<string | undefined> | undefined;
  const acts: (() => unknown)[] = [
    () => slot.release(),
    () => within = errorOf(() => slot.fillFrom(stream)),
    () => within = errorOf(() => depot.writeFrom(stream)),
  ];
  const stream = new Blob([pattern(2 * FRAME)]).stream();
  const { getReader } = stream;
  stream.getReader = function (this: ReadableStream, ...parameters: []) {
    acts.shift()?.();
    return getReader.apply(this, parameters);
  } as typeof getReader;
  await assertRejects(() => slot.fillFrom(stream), TypeError, "given back");
  depot.tryEnqueue({ frame: new Uint8Array(FRAME).fill(1) });
  assertEquals(framesIn(depot), [Array(FRAME).fill(1)]);
  for (const frame of framesOf(pattern(2 * FRAME))) {
    slot = depot.tryClaim()!;
    assertEquals(await slot.fillFrom(stream), true);
    assertEquals([await within, [...slot.data]], ["TypeError", frame]);
    slot.release();
  }
});

depotTest("slot.fillFrom refuses a stream that another reader has locked, until its lock is released", async (name) => {
  await using depot = await FramesDepot.create(name, shape);
  using slot = depot.tryClaim()!;
  const stream = new Blob([pattern(FRAME)]).stream();
  const reader = stream.getReader();
  assertEquals(await errorOf(() => slot.fillFrom(stream)), "TypeError");
  reader.releaseLock();
  assertEquals(await slot.fillFrom(stream), true);
  assertEquals(stream.locked, false);
});

// Policies, numbers, times.

depotTest(
  "depot.writeFrom of a depot that drops counts the frames that did not fit, and returns the number of stored ones",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...shape, maxSize: 3 });
    await using _reader = depot.frames();
    const stored = await depot.writeFrom(new Blob([pattern(5 * FRAME)]).stream(), { frameNumber: 10 });
    assertEquals([stored, depot.droppedFrames, depot.length], [3, 2, 3]);
    assertEquals(framesIn(depot), framesOf(pattern(3 * FRAME)));
    assertEquals(depot.statusOf(12), "stored");
  },
);

depotTest("depot.writeFrom of a depot that overwrites stores everything, and the newest frames stay", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 3, whenFull: "overwrite" });
  assertEquals(await depot.writeFrom(new Blob([pattern(5 * FRAME)]).stream()), 5);
  assertEquals(framesIn(depot), framesOf(pattern(5 * FRAME)).slice(2));
});

depotTest("depot.writeFrom of a depot that waits holds its source up, and goes on when there is room", async (name) => {
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 2, whenFull: "wait" });
  let given = 0;
  async function* source() {
    for (const frame of cut(pattern(9 * FRAME), [FRAME])) {
      given++;
      yield await Promise.resolve(frame);
    }
  }
  const reader = depot.frames({ timeoutMs: 1000 });
  const writing = depot.writeFrom(source());
  await later(20);
  assertEquals([given, depot.length], [3, 2]);
  const seen: number[][] = [];
  for await (const frame of reader) {
    seen.push([...frame.data]);
    if (seen.length === 9) break;
  }
  assertEquals([await writing, seen], [9, framesOf(pattern(9 * FRAME))]);
});

depotTest(
  "depot.writeFrom that is aborted while it waits for room stores that frame at the next call",
  async (name) => {
    await using depot = await FramesDepot.create(name, { ...shape, maxSize: 2, whenFull: "wait" });
    const source = SOURCES["an async generator"](cut(pattern(4 * FRAME), [30]), pattern(0)) as { source: ByteSource };
    const abort = new AbortController();
    const reason = new Error("enough");
    const writing = assertRejects(() => depot.writeFrom(source.source, { signal: abort.signal }));
    while (depot.length < 2) await later(1);
    await later(5);
    abort.abort(reason);
    assertStrictEquals(await writing, reason);
    assertEquals(framesIn(depot), framesOf(pattern(2 * FRAME)));
    await depot.clearQueue();
    assertEquals(await depot.writeFrom(source.source), 2);
    assertEquals(framesIn(depot), framesOf(pattern(4 * FRAME)).slice(2));
  },
);

depotTest("depot.writeFrom keeps a frame that was not stored when onBackpressure throws", async (name) => {
  let told = 0;
  const onBackpressure = async () => {
    if (told++ === 0) throw new Error("on purpose");
    await depot.clearQueue();
  };
  await using depot = await FramesDepot.create(name, { ...shape, maxSize: 2, whenFull: "wait", onBackpressure });
  const source = new Blob([pattern(4 * FRAME)]).stream();
  await assertRejects(() => depot.writeFrom(source), Error, "on purpose");
  assertEquals(framesIn(depot), framesOf(pattern(4 * FRAME)).slice(0, 2));
  assertEquals(await depot.writeFrom(source), 2);
  assertEquals(framesIn(depot), framesOf(pattern(4 * FRAME)).slice(2));
});

depotTest("depot.writeFrom numbers and stamps frames as it is told", async (_, another) => {
  const told = async (options: WriteFromOptions) => {
    await using depot = await FramesDepot.create(another(), shape);
    await depot.writeFrom(new Blob([pattern(3 * FRAME)]).stream(), options);
    const reader = depot.frames();
    return [0, 1, 2].map(() => {
      const { frameNumber, timestampNs } = reader.tryNext()!;
      return [frameNumber, timestampNs] as const;
    });
  };
  const before = BigInt(Date.now()) * 1_000_000n;
  const plain = await told({});
  assertEquals(plain.map(([number]) => number), [0, 1, 2]);
  assert(plain.every(([, time]) => time >= before && time <= BigInt(Date.now() + 1) * 1_000_000n));
  assertEquals((await told({ frameNumber: -1 })).map(([number]) => number), [-1, 0, 1]);
  assertEquals(await told({ frameNumber: (index) => 10 - index, timestampNs: 5 }), [[10, 5n], [9, 5n], [8, 5n]]);
  const times = await told({ frameNumber: 7, timestampNs: (index) => 2n ** 63n + BigInt(index) });
  assertEquals(times, [[7, 2n ** 63n], [8, 2n ** 63n + 1n], [9, 2n ** 63n + 2n]]);
});

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
