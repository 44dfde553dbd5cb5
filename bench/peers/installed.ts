/**
 * The participants that must be installed.
 *
 * @module
 */
import { FLOOR, OURS } from "./built_in.ts";
import { gist } from "./gist.ts";
import { floor, gstreamer, output, python, redis, rust } from "./install.ts";
import { here, module } from "./programs.ts";
import type { Peer } from "./run.ts";

/** A participant that has to be installed first. */
export type Candidate = {
  /** Its name in tables. */
  what: string;
  /** Installs it. @throws {Error} with the reason when it cannot be had */
  install(): Omit<Peer, "what">;
};

/** What cannot be measured, and why. */
export type Missing = { what: string; reason: string };

const versions: Record<string, string> = {};

/** Names and versions of what has been installed so far. */
export function installedVersions(): Record<string, string> {
  return { ...versions };
}

function pythonWith(name?: string): string {
  const path = python(name);
  const show =
    "import importlib.metadata as m, platform, sys; print(platform.python_version(), *map(m.version, sys.argv[1:]))";
  const [own, numpy, version] = output("asking Python", [path, "-c", show, "numpy", ...name ? [name] : []]).split(" ");
  Object.assign(versions, { python: own, numpy }, name && { [name]: version });
  return path;
}

function rustProgram(): string {
  const path = rust();
  versions.cargo = output("asking cargo", ["cargo", "--version"]).split(" ")[1];
  return path;
}

/** Those that move frames. */
export const CANDIDATES: readonly Candidate[] = [
  {
    what: `${OURS}, C`,
    install() {
      const program = floor("frames_depot");
      const note = "no copy; the shim's own functions, no runtime";
      return { series: FLOOR, note, receive: [program, "receive"], send: [program, "send"] };
    },
  },
  {
    what: "Redis list, Deno",
    install() {
      const server = redis();
      versions.redis = /v=(\S+)/.exec(output("asking Redis", [server, "--version"]))?.[1] ?? "unknown";
      return {
        series: "Redis",
        note: "copies into and out of sockets and the server's memory",
        service: ({ folder }) => // Over a Unix socket, nothing written to disk: as quick as it gets.
        [server, "--port", "0", "--unixsocket", `${folder}/redis`, "--save", "", "--appendonly", "no", "--dir", folder],
        receive: module("Deno", "redis.ts", "receive"),
        send: module("Deno", "redis.ts", "send"),
      };
    },
  },
  {
    what: "GStreamer shmsink, C",
    install() {
      const program = gstreamer();
      versions.gstreamer = output("asking GStreamer", ["pkg-config", "--modversion", "gstreamer-app-1.0"]);
      return {
        series: "GStreamer",
        note: "no copy: written into shmsink's own memory",
        receive: [program, "receive"],
        send: [program, "send"],
      };
    },
  },
  {
    what: "shared_memory + Queue, Python",
    install: () => ({
      series: "Python",
      note: "no copy; a queue each way of numbers of slots",
      receive: [pythonWith(), here("shared_memory.py")],
    }),
  },
  {
    what: "arrayqueues, Python",
    install: () => ({
      series: "Python",
      note: "1 copy: into shared memory",
      receive: [pythonWith("arrayqueues"), here("array_queue.py")],
    }),
  },
  {
    what: "gh-frames-depot 1.0.0, Python",
    install: () => ({
      series: "Python",
      note: "2 copies: get_frame makes a bytearray and copies that; one process, it has no other",
      receive: [pythonWith("gh-frames-depot"), here("seed.py")],
    }),
  },
  {
    what: "iceoryx2, Python",
    install() {
      const path = pythonWith("iceoryx2");
      const program = [path, here("iceoryx2_peer.py")];
      return { series: "iceoryx2", note: "no copy", receive: [...program, "receive"], send: [...program, "send"] };
    },
  },
  {
    what: "iceoryx2, Rust",
    install() {
      const program = rustProgram();
      return { series: "iceoryx2", note: "no copy", receive: [program, "receive"], send: [program, "send"] };
    },
  },
];

/** Installs what can be had. `tell` hears of each before it begins, because some take a minute. */
export function install(
  candidates: readonly Candidate[],
  tell: (what: string) => void = () => {},
): { peers: Peer[]; missing: Missing[] } {
  const peers: Peer[] = [], missing: Missing[] = [];
  for (const { what, install } of candidates) {
    tell(what);
    try {
      peers.push({ what, ...install() });
    } catch (error) {
      missing.push({ what, reason: gist((error as Error).message) });
    }
  }
  return { peers, missing };
}
