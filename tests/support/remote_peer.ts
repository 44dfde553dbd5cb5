/**
 * A process that does with one depot what it is told, line by line.
 *
 * @module
 */
import process from "node:process";
import { Actor, type Order } from "./actor.ts";
import { obeyLines } from "./orders.ts";

export type { Order } from "./actor.ts";

const actor = new Actor();
void obeyLines(async (order: Order) => {
  const answer = await actor.obey(order);
  if (order.do === "cancelledRead") process.stdin.destroy();
  return answer;
});
