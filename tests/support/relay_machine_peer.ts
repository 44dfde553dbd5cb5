/**
 * The far machine of tests/relay_machines.test.ts: a relay and a reader of its depot, in namespaces of their own.
 *
 * @module
 */
import { say, taskOf } from "../../tools/support/parent.ts";
import { Cli } from "./cli.ts";
import { readAll } from "./relay_frames.ts";

const { name, url, bytes } = taskOf<{ name: string; url: string; bytes: number }>();
await using receiving = new Cli(["relay", name, "--from", url, "--timeout", "30", "--once", "--json"]);
const answer = receiving.answer();
const { numbers, ...seen } = await Promise.race([
  readAll(name, bytes),
  answer.then(({ errors }) => Promise.reject(new Error(`the relay has ended: ${errors}`))),
]);
const { code, out, errors } = await answer;
const { frames, lost } = code === 0 ? JSON.parse(out) : { frames: -1, lost: errors };
say({ seen, first: numbers[0], last: numbers.at(-1), frames, lost });
