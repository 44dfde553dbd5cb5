/**
 * A process in which nothing says which runtime it is: `Deno` is gone before the package is imported.
 *
 * @module
 */
const known = globalThis as { Deno?: unknown };
delete known.Deno;
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
