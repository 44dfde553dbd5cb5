/**
 * A process that is told what to do in lines of JSON, and answers in lines of JSON.
 *
 * @module
 */
import process from "node:process";

/** Obeys one line of standard input after the other, and prints what each returns. */
export function obeyLines<T>(obey: (order: T) => unknown): void {
  let rest = "";
  let done: Promise<void> = Promise.resolve();
  process.stdin.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      done = done.then(async () => console.log(JSON.stringify(await obey(JSON.parse(line)))));
    }
  });
}
