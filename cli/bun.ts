#!/usr/bin/env bun
/**
 * The command line as `bun link` and `bunx` start it: they read the first line of a file, and that of `main.ts` names
 * Deno.
 *
 * @module
 */
import "./main.ts";
