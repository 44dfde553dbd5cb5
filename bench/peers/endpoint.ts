/**
 * The frame of a program that sends or receives: `endpoint.ts ROLE TASK`.
 *
 * @module
 */
import process from "node:process";
import { Sink, Source } from "./payload.ts";
import type { Task } from "./task.ts";

/** How a peer sends frames, and how it receives them. */
export type Endpoint = {
  /** Sends every frame of the source. */
  send(task: Task, source: Source): Promise<void>;
  /** Says `ready` as soon as a sender may come, and reads until the sink has had its last frame. */
  receive(task: Task, sink: Sink, ready: () => void): Promise<void>;
};

function say(line: unknown): void {
  process.stdout.write(JSON.stringify(line) + "\n");
}

/** Does what the command line says, and ends the process. */
export async function serve({ send, receive }: Endpoint): Promise<void> {
  const [role, json] = process.argv.slice(-2);
  const task: Task = JSON.parse(json);
  if (role === "send") {
    await send(task, new Source(task));
  } else {
    const sink = new Sink(task);
    await receive(task, sink, () => say({ ready: true }));
    say(sink.outcome());
  }
}
