/**
 * Values of options, checked: a wrong value is a usage error that names the option.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";

/** A number of seconds, from 0. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("It must be a number of seconds, 0 or more.");
  }
  return value;
}

/** A whole number from 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}
