/**
 * Phrases that readers in a hurry, or new to English, stumble over, and what to write instead.
 *
 * @module
 */

import { COMMENT, GAP } from "./prose.ts";

/** One kind of phrase. */
export type Pattern = { phrase: RegExp; instead: string };

/** The end of a clause, or of the whole piece of text. */
const END = String.raw`(?=\s*(?:[.,;:)${GAP}${COMMENT}]|\n\s*\n|$))`;
const PEOPLE = "(?:people|persons?|users?|developers?|maintainers?|strangers?)";
/** Words that make a noun of what follows. */
const DETERMINER = "(?:the|its|own|no|all|these|those|their|of|two)";
const OBJECT = "(?:with|what|which|the|its|it|undefined|null|true|false|how|whether|an?|each|nothing|something|only|" +
  "at once|now|when|wrong|x+)";

/** Looked for in what `proseOf` returns, where code within a sentence is a row of x. */
export const PATTERNS: readonly Pattern[] = [
  { phrase: /\bwho(?:m|so)?ever\b/gi, instead: "name the process, reader or user" },
  {
    phrase: new RegExp(String.raw`(?<!\b${PEOPLE}\s+)\bwhom?\b`, "gi"),
    instead: "name the process, reader or producer: `a reader that …`, `which process …`",
  },
  {
    phrase: /\b(?:no|some|any|every)(?:body|one else)\b/gi,
    instead: "`no reader`, `another process`, `every user`: say which",
  },
  { phrase: /\b(?:he|him|his|himself|she|her|hers|herself)\b/gi, instead: "`it` for a process, `they` for a person" },
  {
    phrase: /\bso\s+(?:many|much|long|often|few)\b(?!\s+(?:as|that)\b)/gi,
    instead: "name the number: `this many frames`, `N seconds`, `for <seconds>`",
  },
  {
    phrase: new RegExp(String.raw`\bat most${END}`, "gi"),
    instead: "put `at most` before the number, or write `limit` or `maximum`",
  },
  { phrase: /\b(?:stands?|stood|standing)\s+in\b/gi, instead: "`is in`, `replaces`" },
  {
    phrase: /\b(?:comes?|came|coming|turns?|turned)\s+(?:\w+\s+){0,2}round\b(?!\s+trip)/gi,
    instead: "`reaches the slot again`, `reverses`",
  },
  {
    phrase: /\b(?:is|are|was|were)\s+to\s+be\b/gi,
    instead: "`must be` or `should be`, or say what does it: `what X reads`",
  },
  { phrase: new RegExp(String.raw`(?<!\b(?:is|are|was|were)\s+)\ball the same${END}`, "gi"), instead: "`anyway`" },
  { phrase: /\bbesides\b/gi, instead: "`also`, `and`, `as well as`" },
  { phrase: /\bin vain\b/gi, instead: "`without success`, or say what failed" },
  { phrase: /\bmend(?:s|ed|ing)?\b/gi, instead: "`fix`, `repair`" },
  {
    phrase: new RegExp(String.raw`(?<!\b${DETERMINER}\s+)\banswers\s+${OBJECT}\b`, "gi"),
    instead: "`returns`; for a program, `exits with`, `prints`",
  },
  {
    phrase: new RegExp(String.raw`(?<=${COMMENT}\s*)(?:The same|As above|Likewise|Ditto)\b`, "g"),
    instead: "a comment that can be read without its neighbour",
  },
];
