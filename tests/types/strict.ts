/**
 * The public types as a strict program uses them; `tests/types.test.ts` compiles it. Nothing here runs.
 */
import {
  type DepotOptions,
  type DepotStats,
  type ElementType,
  type Frame,
  type FrameData,
  type FrameReader,
  FramesDepot,
  type FrameSlot,
  type FramesOptions,
} from "@frames-depot/frames-depot";

type Bytes = Uint8Array<ArrayBuffer>;
/** Fails to compile unless both are the same type. */
type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends (<T>() => T extends Other ? 1 : 2) ? true : false;
const same = <One, Other>(_: Same<One, Other>): void => {};

/** An exported one says its type, as isolatedDeclarations wants it. */
export const SIXTEEN: DepotOptions<"uint16"> = { frameSize: [4, 2, 3], elementType: "uint16" };

export async function elements(name: string): Promise<void> {
  const sixteen = await FramesDepot.create(name, SIXTEEN);
  same<typeof sixteen, FramesDepot<"uint16">>(true);
  const bytes = await FramesDepot.create(name, { frameSize: [4, 2, 3] });
  same<typeof bytes, FramesDepot<"uint8">>(true);
  const said = await FramesDepot.create(name, { frameSize: [4, 2, 3], elementType: "uint8" });
  same<typeof said, FramesDepot<"uint8">>(true);
  const words = await FramesDepot.create(name, { frameSize: [4, 2, 3], elementType: "uint16" });
  same<typeof words, FramesDepot<"uint16">>(true);
  const yuv = await FramesDepot.create(name, { frameSize: [4, 2], pixelFormat: "yuv420p" });
  same<typeof yuv, FramesDepot<"uint8">>(true);
  const deep = await FramesDepot.create(name, { frameSize: [4, 2], pixelFormat: "rgb48le" });
  same<typeof deep, FramesDepot>(true);
  const deepAndSaid = await FramesDepot.create(name, {
    frameSize: [4, 2],
    pixelFormat: "rgb48le",
    elementType: "uint16",
  });
  same<typeof deepAndSaid, FramesDepot<"uint16">>(true);
  const found = await FramesDepot.open(name);
  same<typeof found, FramesDepot>(true);
  const floats = await FramesDepot.open(name, { elementType: "float32" });
  same<typeof floats, FramesDepot<"float32">>(true);
  const either = await FramesDepot.createOrOpen(name, { frameSize: [4, 2, 3], timeoutMs: 5 });
  same<typeof either, FramesDepot<"uint8">>(true);
  const wide: DepotOptions = { frameSize: [4, 2, 3] };
  const any = await FramesDepot.create(name, wide);
  same<typeof any, FramesDepot>(true);
}

export async function carried(depot: FramesDepot<"uint8">): Promise<void> {
  same<FrameData, Bytes | Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(true);
  same<FramesDepot["elementType"], ElementType>(true);
  same<typeof depot.elementType, "uint8">(true);
  for await (const frame of depot.frames()) {
    same<typeof frame.data, Bytes>(true);
    const [plane] = frame.planes;
    if (plane !== undefined) same<typeof plane.data, Bytes>(true);
    same<ReturnType<typeof frame.clone>, Frame<"uint8">>(true);
    same<ReturnType<typeof frame.copy>, Bytes>(true);
  }
  same<ReturnType<typeof depot.getFrame>, Frame<"uint8"> | undefined>(true);
  same<ReturnType<typeof depot.peekFrame>, Frame<"uint8"> | undefined>(true);
  same<ReturnType<typeof depot.frames>, FrameReader<"uint8">>(true);
  same<ReturnType<typeof depot.readable>, ReadableStream<Frame<"uint8">>>(true);
  same<ReturnType<typeof depot.tryClaim>, FrameSlot<"uint8"> | undefined>(true);
  same<Awaited<ReturnType<typeof depot.claim>>, FrameSlot<"uint8"> | undefined>(true);
  same<DepotStats["producersGone"], boolean>(true);
  // A depot of bytes does where any depot does.
  const any: FramesDepot = depot;
  const frame: Frame | undefined = depot.peekFrame(1);
  console.log(any, frame);
}

export async function undefinedIsAllowed(depot: FramesDepot, limit: number | undefined): Promise<void> {
  const following: FramesOptions = { timeoutMs: limit, signal: undefined, waiting: undefined, from: undefined };
  depot.frames({ ...following, mode: undefined });
  await depot.enqueue(
    { frame: new Uint8Array(24), frameNumber: limit, timestampNs: limit, metadata: undefined },
    { timeoutMs: limit, signal: undefined },
  );
  await depot.claim({ frameNumber: undefined, timeoutMs: limit });
  depot.tryClaim({ frameNumber: limit })?.publish({ timestampNs: undefined, byteLength: limit });
  await depot.writeFrom(new ReadableStream<Uint8Array>(), { signal: undefined, frameNumber: limit });
  await FramesDepot.open(depot.name, { timeoutMs: limit, stale: undefined, trustedOwners: undefined });
  FramesDepot.unlink(depot.name, { onlyStale: undefined });
  await FramesDepot.create(depot.name, {
    ...{ frameSize: [4, 2, 3] as const, elementType: undefined, pixelFormat: undefined, frameBytes: limit },
    ...{ maxSize: limit, whenFull: undefined, metadataBytes: limit, maxReaders: limit, mode: limit },
    ...{
      onBackpressure: undefined,
      color: undefined,
      sampleAspectRatio: undefined,
      fieldOrder: undefined,
      variableLength: undefined,
    },
    color: { matrix: undefined, range: undefined, primaries: undefined, transfer: undefined },
  });
}

export async function refused(depot: FramesDepot<"uint8">, wide: FramesDepot): Promise<void> {
  // @ts-expect-error -- maxsize is no option
  await FramesDepot.create("x", { frameSize: [4, 2, 3], maxsize: 3 });
  // @ts-expect-error -- a size has two or three numbers
  await FramesDepot.create("x", { frameSize: [4] });
  // @ts-expect-error -- there is no such element type
  await FramesDepot.create("x", { frameSize: [4, 2, 3], elementType: "int8" });
  // @ts-expect-error -- there is no such matrix
  await FramesDepot.create("x", { frameSize: [4, 2, 3], color: { matrix: "bt601" } });
  // @ts-expect-error -- timeout is no option
  await FramesDepot.open("x", { timeout: 5 });
  // @ts-expect-error -- framenumber is no detail
  await depot.enqueue({ frame: new Uint8Array(24), framenumber: 1 });
  // @ts-expect-error -- a frame is bytes
  await depot.enqueue({ frame: [1, 2, 3] });
  // @ts-expect-error -- there is no such mode
  depot.frames({ mode: "newest" });
  // @ts-expect-error -- onlystale is no option
  FramesDepot.unlink("x", { onlystale: true });
  // @ts-expect-error -- a depot of any elements is not one of bytes
  const bytes: FramesDepot<"uint8"> = wide;
  // @ts-expect-error -- nor is its frame
  const data: Bytes | undefined = wide.peekFrame(1)?.data;
  // @ts-expect-error -- a frame cannot be made
  depot.peekFrame(1)!.frameNumber = 2;
  console.log(bytes, data);
}
