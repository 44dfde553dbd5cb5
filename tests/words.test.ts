/**
 * The word check: what it finds, what it passes, and which text of a file it reads.
 *
 * @module
 */
import { test } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { faultsIn, filesAt } from "../tools/words.ts";
import { PATTERNS } from "../tools/words/patterns.ts";

/** One sentence for each phrase that must be found in it. */
const FOUND: [phrase: string, sentence: string][] = [
  ["whoever", "It wakes whoever waits."],
  ["Who", "Who goes to sleep stores the flag."],
  ["who", "The peer who read it last."],
  ["Nobody", "Nobody reads it."],
  ["somebody", "The pid may be somebody else's by now."],
  ["his", "The process keeps his lease."],
  ["so many", "End after so many frames."],
  ["So long", "So long a reader sleeps."],
  ["at most", "Seconds to stay, at most."],
  ["at most", "Bytes of metadata at most"],
  ["stands in", "The name stands in the header."],
  ["comes round", "Until the ring comes round to it."],
  ["turns the order round", "The key turns the order round."],
  ["is to be", "What is to be said of it."],
  ["all the same", "It is opened all the same."],
  ["besides", "Another reader besides."],
  ["in vain", "It was tried in vain."],
  ["mend", "How to mend it."],
  ["answers with", "It answers with a number."],
  ["answers undefined", "The call answers undefined."],
];
/** What only a comment must not begin with. */
const LEANING = "The same as a stream.";
const SOUND = [
  "People who read this, and users who write it.",
  "So many that no number helps; so long as it holds.",
  "At most five readers, and at most 64 KiB at a time.",
  "The bytes are all the same, and all the same zeroed memory.",
  "The answers are in the table; its answers come late.",
  "The same frame is in both.",
  "Nobodies, theirs, amend, mendable, the answer with a number, a round trip.",
  "`whoever`, ``so many``, <https://example.com/nobody> and [text](besides.md).",
].join("\n\n");

const phrasesIn = (path: string, text: string) => faultsIn(path, text).map(({ phrase }) => phrase);

test("faultsIn finds every phrase, in Markdown, comments and messages", () => {
  for (const [phrase, sentence] of FOUND) {
    assertEquals(phrasesIn("a.md", sentence), [phrase], sentence);
    assertEquals(
      phrasesIn("a.ts", `/** ${sentence} */\nexport const a = 1; // ${sentence}`),
      [phrase, phrase],
      sentence,
    );
    assertEquals(phrasesIn("a.ts", `say("${sentence}");\nsay(\`${sentence}\`);`), [phrase, phrase], sentence);
    assertEquals(phrasesIn("a.h", `/* ${sentence} */\nconst char *a = "${sentence}";`), [phrase], sentence);
  }
  assertEquals(phrasesIn("a.ts", `/** ${LEANING} */`), ["The same"]);
});

test("PATTERNS has no phrase without an example", () => {
  const examples = [...FOUND.map(([, sentence]) => sentence), LEANING];
  const found = new Set(examples.flatMap((text) => faultsIn("a.ts", `/** ${text} */`)).map(({ instead }) => instead));
  for (const { phrase, instead } of PATTERNS) assert(found.has(instead), String(phrase));
});

test("faultsIn passes sound text", () => {
  assertEquals(faultsIn("a.md", SOUND), []);
  assertEquals(faultsIn("a.ts", `/**\n * ${SOUND.replaceAll("\n", "\n * ")}\n */`), []);
});

test("faultsIn passes code: names, examples, expressions in templates, regular expressions", () => {
  assertEquals(faultsIn("a.md", "Text.\n\n```ts\nconst nobody = 1; // mend\n```\n"), []);
  assertEquals(faultsIn("a.ts", "/**\n * Text.\n * ```ts\n * nobody(); // mend\n * ```\n */"), []);
  assertEquals(
    faultsIn("a.ts", "const nobody = /besides/.test(his) ? { who } : `${nobody} at most ${mend({ his })} frames`;"),
    [],
  );
  assertEquals(phrasesIn("a.ts", 'say(`${of(`a ${nobody}`) / 2} is ${a ? \'besides\' : ""}`, his, "mend")'), [
    "besides",
    "mend",
  ]);
});

test("faultsIn finds a phrase across lines, and names the line on which it begins", () => {
  const comment = "const a = 1;\n\n/**\n * A limit of frames, which is to\n * be read.\n */\n";
  assertEquals(faultsIn("a.ts", comment).map(({ line, phrase }) => [line, phrase]), [[4, "is to be"]]);
  const lines = "// The frames are so\n// many.\n";
  assertEquals(faultsIn("a.c", lines).map(({ line, phrase }) => [line, phrase]), [[1, "so many"]]);
});

test("faultsIn finds a comment of code that is not wrapped", () => {
  for (const mark of ["/** ", " * ", "  // "]) {
    const line = mark.padEnd(120, "x");
    assertEquals(faultsIn("a.ts", `${line}\n`), [], mark);
    assertEquals(faultsIn("a.h", `\n${line}x\n`).map(({ line }) => line), [2], mark);
    assertEquals(faultsIn("a.pml", `${line}x\n`), [], mark);
  }
  assertEquals(faultsIn("a.ts", `const a = 1; // ${"x".repeat(120)}\n`), []);
});

test("filesAt refuses a place at which nothing is checked", () => {
  const files = ["ring/lane.ts", "ring/wake.ts", "mod.ts"];
  assertEquals(filesAt([], files), files);
  assertEquals(filesAt(["ring/"], files), ["ring/lane.ts", "ring/wake.ts"]);
  assertEquals(filesAt(["ring", "mod.ts"], files), files);
  for (const place of ["rin", "ring/lan", "ring/none.ts", "mod"]) assertThrows(() => filesAt(["mod.ts", place], files));
});
