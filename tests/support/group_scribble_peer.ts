/**
 * Members of a group that go on while noise is written over the words of groups: their table, their take words, the
 * reader table. Errors of the outside world are fine; anything else, a crash or a hang is not.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import process from "node:process";
import { DepotError, type Frame, type FrameReader, FramesDepot, type WhenFull } from "../../mod.ts";
import { layoutOf, takesBytes } from "../../ring/geometry.ts";
import { GROUP, HEADER, READER } from "../../ring/layout.ts";
import { checkGeometry } from "../../depot/shape.ts";
import { say, taskOf } from "../../tools/support/parent.ts";
import { Random } from "../../tools/support/random.ts";

const { name, cases, seed } = taskOf<{ name: string; cases: number; seed: number }>();
const MAX_SIZE = 6;
const MAX_GROUPS = 2;

const random = new Random(seed);
const outcomes: Record<string, number> = {};

function attempt<T>(act: () => T): T | undefined {
  try {
    const value = act();
    outcomes.worked = (outcomes.worked ?? 0) + 1;
    return value;
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
    outcomes[error.code] = (outcomes[error.code] ?? 0) + 1;
    return undefined;
  }
}

/** Numbers that bounds are tempted by, or any. */
function noise(): Uint8Array {
  const bytes = new Uint8Array(8);
  const kind = random.integer(0, 5);
  if (kind === 0) bytes.fill(0xff);
  else if (kind === 1) {
    new BigUint64Array(bytes.buffer)[0] = BigInt(random.integer(0, 40)) << BigInt(random.integer(0, 53));
  } else if (kind === 2) {
    new BigUint64Array(bytes.buffer)[0] = BigInt(random.integer(0, 60)) << 11n |
      BigInt(random.pick([0, 1, 2, 3, 9, 2047, 2046]));
  } else if (kind > 3) { for (let k = 0; k < 8; k++) bytes[k] = random.word(); }
  return bytes;
}

async function oneCase(whenFull: WhenFull): Promise<void> {
  const options = { frameSize: [4, 4, 1], maxSize: MAX_SIZE, maxGroups: MAX_GROUPS, maxReaders: 9, whenFull } as const;
  const layout = layoutOf(checkGeometry(options));
  const depot = await FramesDepot.create(name, options);
  const file = openSync(`/dev/shm/frames-depot.${name}`, "r+");
  const places: [from: number, bytes: number][] = [
    [layout.groupsOffset, MAX_GROUPS * GROUP.size],
    [layout.takesOffset, MAX_GROUPS * takesBytes(MAX_SIZE)],
    [layout.readersOffset, 9 * READER.size],
    [HEADER.tail, 24],
    [HEADER.cleared, 8],
  ];
  const readers: FrameReader[] = [];
  const held: (Frame | undefined)[] = [];
  for (let step = 0; step < 40; step++) {
    if (step > 6) {
      const [from, bytes] = random.pick(places);
      const wide = random.percent(70);
      const at = from + random.integer(0, (bytes >> 3) - 1) * 8 + (wide ? 0 : random.pick([0, 4]));
      writeSync(file, noise(), 0, wide ? 8 : 4, at);
    }
    const group = random.pick(["a", "b", "c"]);
    const reader = readers.length > 0 ? random.pick(readers) : undefined;
    switch (random.integer(0, 9)) {
      case 0:
      case 1:
        attempt(() => readers.push(depot.frames({ group })));
        break;
      case 2:
        attempt(() => reader?.release());
        break;
      case 3:
        held.push(attempt(() => reader?.tryNext()?.clone()));
        break;
      case 4:
        attempt(() => held.pop()?.release());
        break;
      case 5:
        attempt(() => depot.stats());
        break;
      case 6:
        await attempt(() => depot.clearQueue())?.catch((error) => {
          if (!(error instanceof DepotError)) throw error;
        });
        break;
      case 7:
        attempt(() => reader?.nextSync === undefined ? undefined : depot.frames({ group, timeoutMs: 1 }).nextSync());
        break;
      default:
        attempt(() => reader?.tryNext()?.data.at(0));
        attempt(() => depot.tryEnqueue({ frame: new Uint8Array(16) }));
    }
  }
  closeSync(file);
  try {
    await depot.close();
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
  }
  FramesDepot.unlink(name);
}

for (let index = 0; index < cases; index++) {
  await oneCase((["wait", "drop", "overwrite"] as const)[index % 3]);
  if (index % 20 === 19) say({ cases: index + 1 });
}
say({ outcomes });
process.exit(0);
