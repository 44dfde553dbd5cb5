/**
 * A process that is told what to do in lines of JSON, and answers in lines of JSON.
 *
 * @module
 */
import { orders, say } from "../../tools/support/parent.ts";

/** Obeys one line of standard input after the other, and says what each returns. */
export async function obeyLines<T>(obey: (order: T) => unknown): Promise<void> {
  for await (const order of orders<T>()) say(await obey(order));
}
