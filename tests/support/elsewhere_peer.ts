/**
 * A process in which nothing says which runtime it is, as in a browser: what would is gone before the package is
 * imported.
 *
 * @module
 */
const known = globalThis as { Deno?: unknown; Bun?: unknown; process?: unknown };
for (const name of ["Deno", "Bun", "process"] as const) delete known[name];
const { FramesDepot } = await import("../../mod.ts");
const says: unknown[] = [typeof FramesDepot.create];
for (
  const use of [
    () => FramesDepot.create("elsewhere", { frameSize: [2, 2, 1] }),
    () => FramesDepot.open("elsewhere"),
    () => FramesDepot.list(),
  ]
) {
  try {
    await use();
    says.push("nothing");
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    says.push({ code, message });
  }
}
console.log(JSON.stringify({ says }));
