/**
 * A thread that makes pictures.
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { Failure } from "../failure.ts";
import { type MadePicture, makePicture, type PictureJob } from "./picture_job.ts";

/** What the thread is asked. */
export type Question = { id: number; job: PictureJob };
/** What it answers: `back` is the memory of the frame, to be used again. */
export type Answer = { id: number; back: ArrayBufferLike } & ({ made: MadePicture } | { why: string });

parentPort?.on("message", async ({ id, job }: Question) => {
  const back = job.data.buffer;
  const answer: Answer = await makePicture(job).then((made) => ({ id, back, made }), (error) => ({
    id,
    back,
    why: error instanceof Failure || error instanceof Error ? error.message : String(error),
  }));
  const moved = "made" in answer ? [answer.made.bytes.buffer] : [];
  parentPort!.postMessage(answer, [...moved, back as ArrayBuffer]);
});
parentPort?.postMessage("ready");
