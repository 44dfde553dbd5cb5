#!/usr/bin/env bun
/**
 * The command line as `bun link` and `bunx` start it: they go by the first line of a file, and that of `main.ts` is
 * for Deno.
 *
 * @module
 */
import "./main.ts";
