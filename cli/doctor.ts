/**
 * `frames-depot doctor`: what is wrong on this machine, and how to fix it.
 *
 * @module
 */
import { Command } from "commander";
import type { Finding } from "./doctor/finding.ts";
import { memoryFindings } from "./doctor/memory.ts";
import { probe } from "./doctor/probe.ts";
import { ffmpegFinding } from "./doctor/programs.ts";
import { type Fix, fixSegments, segmentFindings } from "./doctor/segments.ts";
import { permissions, systemFindings } from "./doctor/system.ts";
import { EXIT, Failure } from "./failure.ts";
import { DepotError, FramesDepot } from "../mod.ts";
import { paintOutput, print, printJson } from "./terminal/output.ts";
import { table } from "./terminal/table.ts";
import { bytes, counted } from "./terminal/units.ts";

/** Makes the command. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .summary("say what is wrong on this machine, and how to fix it")
    .description(
      "Makes and uses a depot, checks limits, permissions, versions and segments, and says how to fix what is wrong.",
    )
    .option("--fix", "remove stale and broken segments; a live one is never touched")
    .option("--json", "for programs: an object with findings and fixes")
    .addHelpText(
      "after",
      `
Exit code 1: something is wrong. Warnings and notes alone give 0.

Examples:
  frames-depot doctor
  frames-depot doctor --fix`,
    )
    .action(async ({ fix = false, json }: { fix?: boolean; json?: boolean }) => {
      const { findings, fixes } = await examine(fix);
      if (json) printJson({ findings, fixes });
      else print(drawn(findings) + told(fixes) + summary(findings));
      if (findings.some(({ verdict }) => verdict === "wrong")) throw new Failure("", EXIT.failed);
    });
}

async function examine(fix: boolean): Promise<{ findings: Finding[]; fixes: Fix[] }> {
  const permitted = permissions();
  if (permitted.some(({ verdict }) => verdict === "wrong")) return { findings: permitted, fixes: [] };
  const system = [...systemFindings(), ...permitted];
  // Segments are read through the native library.
  const works = !system.some(({ check, verdict }) => check === "library" && verdict === "wrong");
  const memory = memoryFindings(works);
  const probed = works ? [await probe()] : [];
  // A folder that is not there, or no locks: there are no segments to look at.
  const listed = works && !memory.some(({ verdict }) => verdict === "wrong") && canList();
  const fixes = fix && listed ? fixSegments() : [];
  const findings = [...system, ...probed, ...memory, await ffmpegFinding(), ...listed ? segmentFindings() : []];
  return { findings, fixes };
}

/** Whether segments can be looked at. What is in the way has been found by the probe. */
function canList(): boolean {
  try {
    FramesDepot.list();
    return true;
  } catch (error) {
    if (error instanceof DepotError) return false;
    throw error;
  }
}

function drawn(findings: Finding[]): string {
  const paint = paintOutput();
  const colours = { ok: paint.green, note: paint.cyan, warning: paint.yellow, wrong: paint.red };
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
  const [wrong, warnings, notes] = [number("wrong"), number("warning"), number("note")];
  const noted = notes === 0 ? "" : `, ${counted(notes, "note")}`;
  if (wrong + warnings === 0) return `\n${paint.green("all is well")}${noted}\n`;
  return `\n${wrong > 0 ? paint.red(`${wrong} wrong`) : "nothing wrong"}, ${counted(warnings, "warning")}${noted}\n`;
}
