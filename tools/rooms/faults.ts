/**
 * Compares what the modules of a tree refer to with what their rooms allow.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { circlesIn } from "./circles.ts";
import { codeOf, importsComputed, specifiersOf } from "./references.ts";

/** What lies outside the tree: the runtime's own names, its `node:` modules, packages from npm and JSR. */
export type Outside = "runtime" | "node" | "packages";

/** What the files of one room may import beside each other. */
export type Rule = {
  /** Other rooms, or files that are rooms of their own. */
  rooms: readonly string[];
  outside: readonly Outside[];
};

/** Rules by room. A room is a folder or a file; a file is in the room with the longest name that fits. */
export type Rules = Readonly<Record<string, Rule>>;

const RUNTIME_NAMES = /\b(?:Deno|Bun|getBuiltinModule)\b|["'`]bun:/;
const MODULE = /\.[cm]?[jt]sx?$/;
const LEFT_OUT = /^(?:\..*|node_modules)$/;

/** Every file of TypeScript or JavaScript below a folder, in order, with slashes on every system. */
export function modulesIn(root: string, folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.test(entry.name) ? [] : modulesIn(root, path);
    return MODULE.test(path) ? [path] : [];
  }).sort();
}

function roomOf(path: string, rules: Rules): string | undefined {
  return Object.keys(rules)
    .filter((room) => path === room || path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function kindOf(specifier: string): Outside {
  if (specifier.startsWith("node:")) return "node";
  return specifier.startsWith("bun:") ? "runtime" : "packages";
}

/** What is wrong with one module. `target` is undefined for what lies outside the tree. */
function faultsOf(module: string, source: string, targets: [string, string | undefined][], rules: Rules): string[] {
  const room = roomOf(module, rules);
  if (room === undefined) return [`${module}: is in no room of tools/imports_point_down.ts`];
  const { rooms, outside } = rules[room];
  const faults = targets.flatMap(([specifier, target]) => {
    if (target === undefined) {
      return outside.includes(kindOf(specifier)) ? [] : [`${module}: imports ${specifier}, which ${room} may not`];
    }
    const other = roomOf(target, rules) ?? target;
    return other === room || rooms.includes(other)
      ? []
      : [`${module}: imports ${target}; ${room} is not above ${other}`];
  });
  const isClosed = !outside.includes("node");
  if (isClosed && importsComputed(source)) faults.push(`${module}: computes the name of what it imports`);
  if (outside.length === 0 && RUNTIME_NAMES.test(codeOf(source))) faults.push(`${module}: names a runtime outside ffi`);
  return faults;
}

/** All that is wrong in a tree. @param itself the package's own name, which stands for mod.ts */
export function faultsIn(root: string, rules: Rules, itself: string): string[] {
  const modules = modulesIn(root);
  const graph = new Map<string, string[]>();
  const faults = modules.flatMap((module) => {
    const source = readFileSync(join(root, module), "utf8");
    const targets = specifiersOf(source).map((specifier): [string, string | undefined] => {
      if (specifier.startsWith(".")) return [specifier, posix.join(posix.dirname(module), specifier)];
      return [specifier, specifier === itself ? "mod.ts" : undefined];
    });
    graph.set(module, targets.flatMap(([, target]) => target ?? []));
    return faultsOf(module, source, targets, rules);
  });
  return [...faults, ...circlesIn(graph).map((circle) => `a circle: ${circle.join(" > ")}`)];
}
