/**
 * Values of options, checked: a wrong value is a usage error that names the option.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";
import { LONGEST_MS } from "./interruption.ts";

/** A number of seconds, from 0. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("It must be a number of seconds, 0 or more.");
  }
  return value;
}

const TIMER_SECONDS = Math.floor(LONGEST_MS / 1000);

/** A number of seconds that a timer can wait. */
export function timerSeconds(text: string): number {
  const value = seconds(text);
  if (value <= TIMER_SECONDS) return value;
  throw new InvalidArgumentError(`It must be a number of seconds from 0 to ${TIMER_SECONDS}, which is 24 days.`);
}

/** A whole number from 1. */
export function positiveInteger(text: string): number {
  return wholeNumber(text, Number.MAX_SAFE_INTEGER, "");
}

/** A whole number from 1 to what a depot may have. */
export function upTo({ most }: { most: number }): (text: string) => number {
  return (text) => wholeNumber(text, most, ` to ${most}`);
}

function wholeNumber(text: string, most: number, toMost: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new InvalidArgumentError(`It must be a whole number from 1${toMost}.`);
}

/** The quality of a JPEG. */
export function quality(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 100)) throw new InvalidArgumentError("It must be a number from 1 to 100.");
  return value;
}
