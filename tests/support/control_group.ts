/**
 * A control group with a memory limit, as a container has one. Needs root.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import process from "node:process";

/** Where each version has its groups of memory, and how the limit's file is called. */
const PLACES = [["/sys/fs/cgroup/memory", "memory.limit_in_bytes"], ["/sys/fs/cgroup", "memory.max"]];

function made(name: string, bytes: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  for (const [base, file] of PLACES) {
    const folder = `${base}/${name}`;
    try {
      mkdirSync(folder);
      if (existsSync(`${folder}/${file}`)) {
        writeFileSync(`${folder}/${file}`, String(bytes));
        if (readFileSync(`${folder}/${file}`, "utf8").trim() === String(bytes)) return folder;
      }
    } catch {
      // not root, or the controller is elsewhere
    }
    if (existsSync(folder)) rmdirSync(folder);
  }
  return undefined;
}

/**
 * Makes a group, and removes it when its processes have gone.
 *
 * @param use is given a shell command that puts the shell into the group; or nothing, where no group can be made
 */
export async function withControlGroup(
  name: string,
  bytes: number,
  use: (enter: string | undefined) => Promise<void> | void,
): Promise<void> {
  const folder = made(name, bytes);
  try {
    await use(folder && `echo $$ > ${folder}/cgroup.procs`);
  } finally {
    for (let tries = 0; folder !== undefined && existsSync(folder) && tries < 50; tries++) {
      try {
        rmdirSync(folder);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}
