/**
 * Circles in a graph of modules.
 *
 * @module
 */

/** One circle for each edge that closes one; its first module stands at its end again. */
export function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (module: string): void => {
    const at = path.indexOf(module);
    if (at >= 0) circles.push([...path.slice(at), module]);
    if (at >= 0 || finished.has(module)) return;
    path.push(module);
    for (const next of graph.get(module) ?? []) visit(next);
    finished.add(path.pop()!);
  };
  for (const module of graph.keys()) visit(module);
  return circles;
}
