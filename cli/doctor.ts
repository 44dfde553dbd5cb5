/**
 * `frames-depot doctor`: what is wrong on this machine, and how to fix it.
 *
 * @module
 */
import { Command } from "commander";
import type { Finding } from "./doctor/finding.ts";
import { memoryFindings } from "./doctor/memory.ts";
import { type Fix, fixSegments, segmentFindings } from "./doctor/segments.ts";
import { permissions, systemFindings } from "./doctor/system.ts";
import { EXIT, Failure } from "./failure.ts";
import { paintOutput, print, printJson } from "./terminal/output.ts";
import { table } from "./terminal/table.ts";
import { bytes, counted } from "./terminal/units.ts";

/** Makes the command. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .summary("say what is wrong on this machine, and how to fix it")
    .description("Checks shared memory, limits, permissions, versions and segments, and says how to fix what is wrong.")
    .option("--fix", "remove stale and broken segments; a live one is never touched")
    .option("--json", "for programs: an object with findings and fixes")
    .addHelpText(
      "after",
      `
Exit code 1: something is wrong. Warnings alone give 0.

Examples:
  frames-depot doctor
  frames-depot doctor --fix`,
    )
    .action(({ fix = false, json }: { fix?: boolean; json?: boolean }) => {
      const { findings, fixes } = examine(fix);
      if (json) printJson({ findings, fixes });
      else print(drawn(findings) + told(fixes) + summary(findings));
      if (findings.some(({ verdict }) => verdict === "wrong")) throw new Failure("", EXIT.failed);
    });
}

function examine(fix: boolean): { findings: Finding[]; fixes: Fix[] } {
  const permitted = permissions();
  if (permitted.some(({ verdict }) => verdict === "wrong")) return { findings: permitted, fixes: [] };
  const system = [...systemFindings(), ...permitted];
  // Segments are read through the native library.
  const works = !system.some(({ check, verdict }) => check === "library" && verdict === "wrong");
  const fixes = fix && works ? fixSegments() : [];
  const findings = [...system, ...memoryFindings(), ...works ? segmentFindings() : []];
  return { findings, fixes };
}

function drawn(findings: Finding[]): string {
  const paint = paintOutput();
  const colours = { ok: paint.green, warning: paint.yellow, wrong: paint.red };
  return table(findings, [
    { title: "", text: ({ verdict }) => verdict, style: (text, { verdict }) => colours[verdict](text) },
    { title: "CHECK", text: ({ check }) => check, least: 24 },
    { title: "FOUND", text: ({ says, remedy }) => remedy === undefined ? says : `${says}\n→ ${remedy}`, wrap: true },
  ]);
}

function told(fixes: Fix[]): string {
  if (fixes.length === 0) return "";
  const lines = fixes.map(({ name, state, bytes: size, outcome, reason }) => {
    switch (outcome) {
      case "removed":
        return `fixed: removed ${name} (${state}, ${bytes(size)})\n`;
      case "live":
        return `not fixed: ${name} was ${state} and is live now\n`;
      case "refused":
        return `not fixed: ${name} is ${state}; ${reason}\n`;
    }
  });
  return `\n${lines.join("")}`;
}

function summary(findings: Finding[]): string {
  const paint = paintOutput();
  const number = (verdict: Finding["verdict"]) => findings.filter((finding) => finding.verdict === verdict).length;
  const [wrong, warnings] = [number("wrong"), number("warning")];
  if (wrong + warnings === 0) return `\n${paint.green("all is well")}\n`;
  return `\n${wrong > 0 ? paint.red(`${wrong} wrong`) : "nothing wrong"}, ${counted(warnings, "warning")}\n`;
}
