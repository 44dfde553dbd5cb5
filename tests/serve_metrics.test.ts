/**
 * `/metrics` of `frames-depot serve`, read as OpenMetrics has it.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FramesDepot } from "../mod.ts";
import { depotTest } from "./support/harness.ts";
import { Served, textOf } from "./support/serve_scene.ts";

const SHAPE = { frameSize: [4, 2, 3], pixelFormat: "rgb24", maxSize: 3, whenFull: "drop" } as const;

type Family = { type: string; help: string; samples: Map<string, number> };

/** Families by their names; anything that OpenMetrics does not allow is an error. */
function parse(text: string): Map<string, Family> {
  assert(text.endsWith("# EOF\n"), text.slice(-20));
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let now: Family | undefined;
  let name = "";
  for (const line of text.slice(0, -"# EOF\n".length).trimEnd().split("\n")) {
    const meta = /^# (HELP|TYPE) ([a-z_:][a-z0-9_:]*) (.+)$/.exec(line);
    if (meta !== null) {
      const [, kind, of, value] = meta;
      if (of !== name) {
        assert(!families.has(of), `${of} is in two places`);
        families.set(name = of, now = { type: "", help: "", samples: new Map() });
      }
      if (kind === "HELP") now!.help = value;
      else now!.type = value;
      continue;
    }
    const sample =
      /^([a-z_:][a-z0-9_:]*)(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? (-?\d+(?:\.\d+)?)$/
        .exec(line);
    assert(sample !== null && now !== undefined, `"${line}" is no sample`);
    const [, of, labels = "", value] = sample;
    assertEquals(of, now.type === "counter" ? `${name}_total` : name, line);
    assert(!seen.has(of + labels), `${of}${labels} is there twice`);
    seen.add(of + labels);
    now.samples.set(labels, Number(value));
  }
  return families;
}

depotTest("serve's metrics are OpenMetrics, with the numbers that stats() has", async (name) => {
  await using depot = await FramesDepot.create(name, SHAPE);
  using reader = depot.frames();
  for (let frameNumber = 0; frameNumber < 5; frameNumber++) {
    await depot.enqueue({ frameNumber, frame: new Uint8Array(24) });
  }
  reader.tryNext()?.release();
  await using served = await Served.start([name]);
  const { headers, bytes, status } = await served.get("metrics", {
    Accept: "application/openmetrics-text; version=1.0.0",
  });
  assertEquals(status, 200);
  assertStringIncludes(String(headers["content-type"]), "application/openmetrics-text; version=1.0.0");
  const families = parse(new TextDecoder().decode(bytes));
  for (const [family, { type, help }] of families) assert(/^(counter|gauge)$/.test(type) && help !== "", family);
  const of = (family: string) => families.get(family)?.samples.get(`{depot="${name}"}`);
  const { stored, dropped, skipped, length } = depot.stats();
  const { bytes: memory } = FramesDepot.inspect(name)!; // on Windows in whole pages
  assertEquals([of("frames_depot_frames_stored"), of("frames_depot_frames_dropped")], [stored, dropped]);
  assertEquals([stored, dropped], [3, 2]);
  assertEquals([of("frames_depot_sequences_skipped"), of("frames_depot_queue_frames")], [skipped, length]);
  assertEquals([of("frames_depot_memory_bytes"), of("frames_depot_queue_slots"), of("frames_depot_peers")], [
    memory,
    3,
    1,
  ]);
  assertEquals(families.get("frames_depot_state")!.samples.get(`{depot="${name}",state="live"}`), 1);
  assertEquals(families.get("frames_depot_state")!.samples.get(`{depot="${name}",state="ended"}`), 0);
  assertEquals(families.get("frames_depot_serve_clients")!.samples.get(""), 0);
  depot.end();
  const after = parse(textOf(await served.get("metrics", { Accept: "application/openmetrics-text" })));
  assertEquals(after.get("frames_depot_state")!.samples.get(`{depot="${name}",state="ended"}`), 1);
});

depotTest("serve's metrics are in Prometheus' own format where OpenMetrics is not asked for", async (name) => {
  await using _depot = await FramesDepot.create(name, SHAPE);
  await using served = await Served.start([]);
  const got = await served.get("metrics");
  assertStringIncludes(String(got.headers["content-type"]), "text/plain; version=0.0.4");
  assertStringIncludes(textOf(got), `# TYPE frames_depot_frames_stored_total counter\n`);
  assertStringIncludes(textOf(got), `frames_depot_frames_stored_total{depot="${name}"} 0\n`);
});
