/**
 * `/metrics`: the counters of every depot, and of the server, for Prometheus.
 *
 * @module
 */
import { Counter, Gauge, type OpenMetricsContentType, Registry } from "prom-client";
import type { DepotInspection } from "../../mod.ts";
import { conditionOf, isFull, livePeers, type Sight, waitsForProducer } from "../sight.ts";
import type { Counts } from "./counts.ts";
import { readersLag } from "./depot_json.ts";
import { isSelf } from "./presence.ts";

/** What the server has now. */
export type Present = { clients: number; counts: Counts };

/** The value of a depot; undefined where it has none. */
type Value = (info: DepotInspection) => number | undefined;

const COUNTERS: Record<string, [help: string, value: Value]> = {
  frames_depot_frames_stored_total: ["Frames stored since the depot was made.", ({ stats }) => stats?.stored],
  frames_depot_frames_dropped_total: ["Frames refused for want of room.", ({ stats }) => stats?.dropped],
  frames_depot_sequences_skipped_total: ["Sequences that carry no frame.", ({ stats }) => stats?.skipped],
};

const GAUGES: Record<string, [help: string, value: Value]> = {
  frames_depot_queue_frames: ["Frames that wait for the slowest lossless reader.", ({ length }) => length],
  frames_depot_queue_slots: ["Slots of the queue.", ({ maxSize }) => maxSize],
  frames_depot_queue_full: [
    "Whether frames find no room.",
    (info) => info.stats === undefined ? undefined : Number(isFull(info.stats, info)),
  ],
  frames_depot_memory_bytes: ["Bytes of shared memory.", ({ bytes }) => bytes],
  frames_depot_frame_bytes: ["Bytes of a frame, or the most there are.", ({ frameBytes }) => frameBytes],
  frames_depot_peers: [
    "Depot objects that are alive, without those of this server.",
    (info) => livePeers(info).filter((peer) => !isSelf(peer)).length,
  ],
  frames_depot_readers_lag_frames: [
    "Frames that the slowest reader is behind, whatever its mode.",
    ({ stats }) => stats && readersLag(stats),
  ],
  frames_depot_producers_gone: ["Whether all producers have left.", (info) => Number(waitsForProducer(info))],
};

const STATES = ["live", "ended", "stale", "broken"] as const;

/** The metrics as text. @param open in the format of OpenMetrics, else in Prometheus' own */
export async function metricsText(sights: readonly Sight[], present: Present, open: boolean) {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(
    (open ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE) as OpenMetricsContentType,
  );
  const registers = [registry];
  for (const [name, [help, value]] of Object.entries(COUNTERS)) {
    const counter = new Counter({ name, help, labelNames: ["depot"], registers });
    for (const { info } of sights) counter.inc({ depot: info.name }, value(info) ?? 0);
  }
  for (const [name, [help, value]] of Object.entries(GAUGES)) {
    const gauge = new Gauge({ name, help, labelNames: ["depot"], registers });
    for (const { info } of sights) {
      const now = value(info);
      if (now !== undefined) gauge.set({ depot: info.name }, now);
    }
  }
  const state = new Gauge({
    name: "frames_depot_state",
    help: "1 for the state of the depot.",
    registers,
    labelNames: ["depot", "state"],
  });
  for (const sight of sights) {
    for (const each of STATES) state.set({ depot: sight.info.name, state: each }, Number(conditionOf(sight) === each));
  }
  addOwn(registers, present);
  return { type: registry.contentType as string, text: await registry.metrics() };
}

function addOwn(registers: Registry<OpenMetricsContentType>[], { clients, counts }: Present): void {
  new Gauge({ name: "frames_depot_serve_clients", help: "Clients that are connected.", registers }).set(clients);
  const made = new Counter({
    name: "frames_depot_serve_pictures_encoded_total",
    help: "Pictures that were encoded, by depot and codec.",
    labelNames: ["depot", "codec"],
    registers,
  });
  for (const [depot, of] of counts.pictures) for (const [codec, count] of of) made.inc({ depot, codec }, count);
  const own: [name: string, help: string, value: number][] = [
    ["frames_depot_serve_pictures_sent_total", "Pictures that were sent to clients.", counts.sent],
    ["frames_depot_serve_sent_bytes_total", "Bytes of pictures that were sent.", counts.sentBytes],
    ["frames_depot_serve_refused_total", "Requests that were refused.", counts.refused],
  ];
  for (const [name, help, value] of own) new Counter({ name, help, registers }).inc(value);
}
