/**
 * `frames-depot top`: every depot, live.
 *
 * @module
 */
import process from "node:process";
import { Command, Option } from "commander";
import { changeNotes } from "./changes.ts";
import { depotColumns, notesOn } from "./depot_columns.ts";
import { EXIT, Failure } from "./failure.ts";
import { groupNotes } from "./group_line.ts";
import { Interruption } from "./interruption.ts";
import { asJson } from "./ls.ts";
import { timerSeconds } from "./parameters.ts";
import { paintOutput, printPatiently } from "./terminal/output.ts";
import { Screen } from "./terminal/screen.ts";
import { table } from "./terminal/table.ts";
import { bytes, counted, gigabytesPerSecond } from "./terminal/units.ts";
import { conditionOf, lookAgain, lookAround, type Sight } from "./sight.ts";

/** What rows are sorted by, and the key that does it. Numbers: the greatest first. */
const ORDERS = {
  name: { key: "n", compare: (a: Sight, b: Sight) => a.info.name < b.info.name ? -1 : 1 },
  length: { key: "l", compare: (a: Sight, b: Sight) => (b.info.length ?? -1) - (a.info.length ?? -1) },
  fps: { key: "f", compare: (a: Sight, b: Sight) => (b.rates?.frames ?? -1) - (a.rates?.frames ?? -1) },
  bandwidth: { key: "b", compare: (a: Sight, b: Sight) => (b.rates?.bytes ?? -1) - (a.rates?.bytes ?? -1) },
};
type Order = keyof typeof ORDERS;

const CTRL_C = "\x03";
const HELP = [
  "n  sort by name            p  pause, and go on",
  "l  sort by queue length    ?  this help",
  "f  sort by frames/s        q  quit",
  "b  sort by GB/s",
  "",
  "The key of the current order reverses it. No producer waits for top.",
];

type Options = { interval: number; sort: Order; once?: boolean; json?: boolean };

/** Makes the command. */
export function topCommand(): Command {
  return new Command("top")
    .summary("show every depot live")
    .description("Shows every depot live; keys sort, pause and quit.")
    .option("-i, --interval <seconds>", "time between two updates", timerSeconds, 1)
    .addOption(new Option("-s, --sort <order>", "order of the depots").choices(Object.keys(ORDERS)).default("name"))
    .option("--once", "print once and end, as without a terminal")
    .option("--json", "for programs: an array of depots a line")
    .addHelpText(
      "after",
      `
Keys:
${HELP.map((line) => line && `  ${line}`).join("\n")}

Examples:
  frames-depot top
  frames-depot top --sort fps --interval 0.5
  frames-depot top --once --json`,
    )
    .action(async (options: Options) => {
      using interruption = new Interruption();
      const { interval, sort, once, json } = options;
      if (!json && !once && process.stdout.isTTY) return await live(options, interruption);
      let sights = lookAround();
      do {
        await interruption.sleep(interval * 1000);
        sights = lookAround(sights).sort(ORDERS[sort].compare);
        await printPatiently(json ? `${JSON.stringify(sights.map(asJson))}\n` : page(sights).join("\n") + "\n");
      } while (json && !once);
    });
}

/** Looks, draws and handles keys until the user, or a signal, ends it. */
async function live({ interval, sort }: Options, interruption: Interruption): Promise<void> {
  const view = new View(sort);
  let wake = () => {};
  using screen = new Screen({
    onKey(key) {
      if (key === CTRL_C) view.ended = new Failure("", EXIT.interrupted);
      else if (key === "q") view.ended = "quit";
      else view.press(key);
      screen.draw(view.lines(screen.rows));
      if (view.ended !== undefined) wake();
    },
    onResize: () => screen.draw(view.lines(screen.rows)),
  });
  interruption.signal.addEventListener("abort", () => wake());
  for (;;) {
    if (!view.paused) view.show(lookAgain(view.sights));
    screen.draw(view.lines(screen.rows));
    if (view.ended === undefined && !interruption.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(50, interval * 1000));
        wake = () => resolve(clearTimeout(timer));
      });
    }
    interruption.signal.throwIfAborted();
    if (view.ended === "quit") return;
    if (view.ended !== undefined) throw view.ended;
  }
}

/** The depots as they are shown, and what the keys have chosen. */
class View {
  sights: Sight[] = [];
  paused = false;
  ended: "quit" | Failure | undefined;
  #order: Order;
  #turned = false;
  #helps = false;

  constructor(order: Order) {
    this.#order = order;
  }

  show(sights: Sight[]): void {
    this.sights = sights;
  }

  press(key: string): void {
    const order = (Object.keys(ORDERS) as Order[]).find((order) => ORDERS[order].key === key);
    if (order !== undefined) {
      this.#turned = order === this.#order && !this.#turned;
      this.#order = order;
    } else if (key === "p") this.paused = !this.paused;
    else if (key === "?") this.#helps = !this.#helps;
  }

  lines(rows: number): string[] {
    const paint = paintOutput();
    const sorted = this.sights.toSorted(ORDERS[this.#order].compare);
    if (this.#turned) sorted.reverse();
    const state = paint.dim(`by ${this.#order}${this.#turned ? ", reversed" : ""}`) +
      (this.paused ? paint.yellow("  paused") : "");
    const keys = this.#helps ? HELP : ["q quit  n name  l length  f fps  b GB/s  p pause  ? help"];
    const all = page(sorted, state);
    const room = rows - keys.length - 1;
    const upper = all.length <= room
      ? all
      : [...all.slice(0, room - 1), paint.dim(`… ${all.length - room + 1} more lines`)];
    return [...upper, "", ...keys.map(paint.dim)];
  }
}

/** A line of totals, the table and the notes. */
function page(sights: Sight[], state: string = ""): string[] {
  const there = sights.filter(({ goneMs }) => goneMs === undefined);
  const live = there.filter((sight) => conditionOf(sight) === "live").length;
  const flow = sights.reduce((sum, { rates }) => sum + (rates?.bytes ?? 0), 0);
  const memory = sights.reduce((sum, { info }) => sum + info.bytes, 0);
  const totals = `${counted(there.length, "depot")}, ${live} live  ${gigabytesPerSecond(flow)} GB/s  ${bytes(memory)}`;
  const drawn = sights.length === 0 ? "no depots" : table(sights, depotColumns()) + notesOn(sights);
  const below = [...changeNotes(sights), ...sights.flatMap(({ info }) => groupNotes(info))];
  const title = `${paintOutput().bold("frames-depot")}  ${totals}  ${state}`.trimEnd();
  return [title, "", ...drawn.trimEnd().split("\n"), ...below.length === 0 ? [] : ["", ...below]];
}
