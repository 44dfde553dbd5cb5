/**
 * What is asked of one process at a time, with the floor or the figure it is compared with.
 *
 * @module
 */
import type { Result } from "./report/result.ts";
import type { Measurement } from "./subjects/main.ts";

/** One question. */
export type Question = Pick<Result, "question" | "title" | "unit" | "better"> & {
  measurement: Measurement;
  /** The C program's parameters, what its row is called, and its figure's factor to the question's unit. */
  floor?: { what: string; parameters: string[]; times?: number };
  /** The figure of the same runtime that a figure is compared with, where there is no floor. */
  baseline?: (figure: string) => string;
  /** By figure; `*` for all others but the baseline. */
  goals: Record<string, string>;
};

const FRAME_BYTES = "6220800";
const SLOTS = "10";

/** In the order of the report. */
export const QUESTIONS: readonly Question[] = [
  {
    question: "copy",
    title: "One copy: enqueue of a 1080p RGB frame, against memcpy into a shared ring",
    unit: "GB/s",
    better: "higher",
    measurement: "copy",
    floor: { what: "C memcpy", parameters: ["copy", FRAME_BYTES, SLOTS] },
    goals: { "*": ">= 0.95x" },
  },
  {
    question: "handoff",
    title: "No copy: claim, publish, take, release in one process, against the same steps in C",
    unit: "ns",
    better: "lower",
    measurement: "handoff",
    floor: { what: "C, the same steps", parameters: ["handoff"] },
    goals: { "zero copy": "<= 150, <= 3x" },
  },
  {
    question: "stream",
    title: "Frames from one process to another, no copy, both spinning",
    unit: "million frames/s",
    better: "higher",
    measurement: "stream",
    floor: { what: "C, the same steps", parameters: ["stream"] },
    goals: { "*": ">= 5" },
  },
  {
    question: "latency_spinning",
    title: "One way from process to process, there and back halved, both looking all the time",
    unit: "ns",
    better: "lower",
    measurement: "latencySpinning",
    floor: { what: "C, a word each way", parameters: ["pingpong", "spin"] },
    goals: { "tryNext": "<= 400, <= 5x" },
  },
  {
    question: "latency_parked",
    title: "The same with both asleep in the kernel, and with waits that learn their pace",
    unit: "µs",
    better: "lower",
    measurement: "latencyParked",
    floor: { what: "C, futex", parameters: ["pingpong", "futex"], times: 1e-3 },
    goals: { "*": "<= 2x" },
  },
  {
    question: "paced_latency",
    title: "Frames at a steady pace: from publishing until the loop has the frame, by how it waits",
    unit: "µs",
    better: "lower",
    measurement: "pacedLatency",
    baseline: (figure) => figure.replace(/, \w+$/, ", spin"),
    goals: { "1000 Hz, adaptive": "<= 2x" },
  },
  {
    question: "sharing",
    title: "120 frames shared by loops that need 3, 3 and 20 ms for each, against the same over a counter in memory",
    unit: "ms",
    better: "lower",
    measurement: "sharing",
    baseline: () => "a counter in memory",
    goals: { "*": "<= 1.15x" },
  },
  {
    question: "paced_cpu",
    title: "Frames at a steady pace: what the reading process takes of a core",
    unit: "% of a core",
    better: "lower",
    measurement: "pacedCpu",
    baseline: (figure) => figure.replace(/, \w+$/, ", park"),
    goals: { "60 Hz, adaptive": "<= 2x", "240 Hz, adaptive": "<= 2x" },
  },
  {
    question: "idle_cpu",
    title: "A reader for which nothing comes",
    unit: "% of a core",
    better: "lower",
    measurement: "idleCpu",
    goals: { "*": "<= 0.5" },
  },
  {
    question: "many_depots",
    title:
      "One process that waits for many depots: to read a file meanwhile, and from publishing until a loop has the frame",
    unit: "µs",
    better: "lower",
    measurement: "manyDepots",
    baseline: (figure) => figure.replace(/\d+ depots/, figure.startsWith("readFile") ? "0 depots" : "8 depots"),
    goals: {
      "readFile, 8 depots": "<= 2x",
      "readFile, 64 depots": "<= 2x",
      "readFile, 256 depots": "<= 2x",
      "99 of 100 frames, 64 depots": "<= 2x",
      "99 of 100 frames, 256 depots": "<= 2x",
    },
  },
  {
    question: "many_depots_threads",
    title: "The same: threads of the process",
    unit: "threads",
    better: "lower",
    measurement: "manyDepotsThreads",
    baseline: () => "0 depots",
    goals: { "*": "<= 16" },
  },
  {
    question: "follow",
    title:
      "Following a name: from beginning to make the next depot until a reader in another process, asleep, has its frame",
    unit: "µs",
    better: "lower",
    measurement: "following",
    baseline: (figure) => figure.replace(/, .*/, ", same depot"),
    goals: {},
  },
  {
    question: "follow_stream",
    title: "A frame published and awaited in one process, by frames() and by follow()",
    unit: "ns",
    better: "lower",
    measurement: "followStream",
    baseline: () => "frames()",
    goals: { "*": "<= 1.1x" },
  },
  {
    question: "handoff_by_size",
    title: "No copy: the hand-off by the size of a frame",
    unit: "ns",
    better: "lower",
    measurement: "handoffBySize",
    baseline: () => "64 KB",
    goals: { "*": "<= 1.2x" },
  },
  {
    question: "views_by_size",
    title: "No copy, but a view on both sides, which is detached: the mean of all hand-offs, by the size of a frame",
    unit: "µs",
    better: "lower",
    measurement: "viewsBySize",
    baseline: () => "64 KB",
    goals: {},
  },
  {
    question: "publish_with_readers",
    title: "Claim and publish with readers attached, none asleep",
    unit: "ns",
    better: "lower",
    measurement: "publishWithReaders",
    baseline: () => "0 readers",
    goals: { "*": "<= 1.5x" },
  },
  {
    question: "lookup",
    title: "A frame by its number",
    unit: "ns",
    better: "lower",
    measurement: "lookup",
    baseline: (figure) => figure.replace(/^\d+/, "10"),
    goals: { "*": "<= 1.5x" },
  },
  {
    question: "open",
    title: "Opening a depot",
    unit: "ms",
    better: "lower",
    measurement: "open",
    goals: { "*": "<= 2" },
  },
  {
    question: "overhead",
    title: "Memory beyond the frames and 64 KB, ten slots",
    unit: "% of the frames",
    better: "lower",
    measurement: "overhead",
    goals: { "*": "<= 1" },
  },
];
