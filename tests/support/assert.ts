/**
 * What the tests use of `@std/assert`, over `node:assert`, for Bun and for where JSR is out of reach.
 *
 * @module
 */
import nodeAssert from "node:assert/strict";

// deno-lint-ignore no-explicit-any -- as @std/assert has it
type ErrorClass = new (...parameters: any[]) => Error;

/** Node takes no `undefined` for a message. */
const said = (message: string | undefined): string[] => message === undefined ? [] : [message];

export function assert(condition: unknown, message?: string): asserts condition {
  nodeAssert.ok(condition, ...said(message));
}

export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, ...said(message));
}

export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.notDeepStrictEqual(actual, expected, ...said(message));
}

export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  nodeAssert.strictEqual(actual, expected, ...said(message));
}

export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T> {
  nodeAssert.ok(actual !== undefined && actual !== null, message ?? "expected a value");
}

export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.ok(actual >= expected, message ?? `expected ${actual} >= ${expected}`);
}

export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.ok(actual <= expected, message ?? `expected ${actual} <= ${expected}`);
}

export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  nodeAssert.match(actual, expected, ...said(message));
}

export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  nodeAssert.ok(actual.includes(expected), message ?? `expected ${JSON.stringify(actual)} to include ${expected}`);
}

export function assertInstanceOf<T extends ErrorClass>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is InstanceType<T> {
  nodeAssert.ok(actual instanceof expected, message ?? `expected ${expected.name}, got ${String(actual)}`);
}

function check<E extends Error>(error: unknown, Expected?: new (...p: never[]) => E, includes?: string): E {
  if (Expected !== undefined) assertInstanceOf(error, Expected as unknown as ErrorClass);
  if (includes !== undefined) assertStringIncludes((error as Error).message, includes);
  return error as E;
}

export function assertThrows<E extends Error = Error>(
  run: () => unknown,
  ErrorClass?: new (...p: never[]) => E,
  includes?: string,
): E {
  try {
    run();
  } catch (error) {
    return check(error, ErrorClass, includes);
  }
  throw new nodeAssert.AssertionError({ message: "expected it to throw" });
}

export async function assertRejects<E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  ErrorClass?: new (...p: never[]) => E,
  includes?: string,
): Promise<E> {
  try {
    await run();
  } catch (error) {
    return check(error, ErrorClass, includes);
  }
  throw new nodeAssert.AssertionError({ message: "expected it to reject" });
}
