/**
 * Results as pictures: bars for things that are compared, lines for what is swept, with the spread of the runs.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import process from "node:process";
import { init } from "echarts";
import { load, type Result, RESULTS, type Row } from "./result.ts";
import { figure } from "./table.ts";

const WIDTH = 900;
const BAR = 34;
/** Of the axis labels, generously. */
const LETTER = 7.3;
/** Okabe and Ito's colours: told apart by everyone. */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000"];
const INK = "#222222";
/** Values further apart than this cannot be read from a linear axis. */
const WIDE = 20;

const seriesOf = (rows: Row[]) => [...new Set(rows.map(({ series = "" }) => series))];
const extremes = ({ runs }: Row) => [Math.min(...runs), Math.max(...runs)];

function valueAxis(result: Result) {
  const values = result.rows.flatMap(extremes);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const name = `${result.unit} (${result.better} is better)`;
  const common = { name, nameLocation: "middle" as const, axisLine: { show: true, lineStyle: { color: INK } } };
  const axisLabel = { color: INK, formatter: (value: number) => figure(value) };
  if (least > 0 && most / least > WIDE) {
    return {
      ...common,
      axisLabel,
      type: "log" as const,
      name: `${name}, logarithmic`,
      min: 10 ** Math.floor(Math.log10(least)),
    };
  }
  return { ...common, axisLabel, type: "value" as const };
}

/**
 * A line from the smallest to the largest run, with a stroke at either end. `across` says that values run from left to
 * right.
 */
// deno-lint-ignore no-explicit-any -- echarts types what a custom series draws as any of its shapes
function spread(across: boolean, colour: string): (parameters: unknown, api: any) => any {
  return (_, api) => {
    const [place, least, most] = [api.value(0), api.value(1), api.value(2)];
    const ends = [least, most].map((value) => api.coord(across ? [value, place] : [place, value]));
    const cap = across ? [0, 5] : [5, 0];
    const line = (from: number[], to: number[]) => ({
      type: "line",
      shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] },
      style: { stroke: colour, lineWidth: 1.5 },
    });
    const caps = ends.map(([x, y]) => line([x - cap[0], y - cap[1]], [x + cap[0], y + cap[1]]));
    return { type: "group", children: [line(ends[0], ends[1]), ...caps] };
  };
}

function bars(result: Result) {
  const { rows } = result;
  const names = seriesOf(rows);
  // Without a browser echarts guesses how wide a text is, and guesses too little.
  const labels = 20 + LETTER * Math.max(...rows.map(({ what }) => what.length));
  return {
    grid: { left: labels, right: 80, top: names.length > 1 ? 64 : 40, bottom: 56 },
    xAxis: { ...valueAxis(result), nameGap: 28 },
    yAxis: {
      type: "category" as const,
      inverse: true,
      data: rows.map(({ what }) => what),
      axisLabel: { color: INK },
      axisTick: { show: false },
      axisLine: { lineStyle: { color: INK } },
    },
    series: [
      ...names.map((name) => ({
        type: "bar" as const,
        name,
        barWidth: "62%",
        barGap: "-100%",
        data: rows.map((row) => (row.series ?? "") === name ? row.value : null),
      })),
      {
        type: "custom" as const,
        renderItem: spread(true, INK),
        encode: { x: [1, 2], y: 0 },
        data: rows.map((row, place) => [place, ...extremes(row)]),
      },
      {
        // The figure stands behind the end of the spread, so that neither hides the other.
        type: "custom" as const,
        encode: { x: 1, y: 0 },
        data: rows.map((row, place) => [place, extremes(row)[1]]),
        // deno-lint-ignore no-explicit-any -- as above
        renderItem: (parameters: any, api: any) => {
          const [x, y] = api.coord([api.value(1), api.value(0)]);
          const text = figure(rows[parameters.dataIndex].value);
          return {
            type: "text",
            x: x + 7,
            y,
            style: { text, fill: INK, font: "12px sans-serif", verticalAlign: "middle" },
          };
        },
      },
    ],
  };
}

function lines(result: Result) {
  const { rows } = result;
  const xs = rows.map(({ x }) => x!);
  const wide = Math.min(...xs) > 0 && Math.max(...xs) / Math.min(...xs) > WIDE;
  return {
    grid: { left: 50, right: 30, top: 80, bottom: 50, containLabel: true },
    xAxis: {
      type: wide ? "log" as const : "value" as const,
      name: (result.xTitle ?? "") + (wide ? ", logarithmic" : ""),
      nameLocation: "middle" as const,
      nameGap: 28,
      min: wide ? Math.min(...xs) : undefined,
      max: wide ? Math.max(...xs) : undefined,
      axisLabel: { color: INK, formatter: (value: number) => figure(value) },
      axisLine: { lineStyle: { color: INK } },
    },
    yAxis: { ...valueAxis(result), nameGap: 60 },
    series: seriesOf(rows).flatMap((name, place) => {
      const color = COLOURS[place % COLOURS.length];
      const own = rows.filter(({ series = "" }) => series === name).sort((a, b) => a.x! - b.x!);
      return [
        { type: "line" as const, name, color, symbolSize: 6, data: own.map(({ x, value }) => [x!, value]) },
        {
          type: "custom" as const,
          renderItem: spread(false, color),
          encode: { x: 0, y: [1, 2] },
          data: own.map((row) => [row.x!, ...extremes(row)]),
        },
      ];
    }),
  };
}

/** The picture as SVG text. */
export function svg(result: Result): string {
  const swept = result.rows.every(({ x }) => x !== undefined);
  const named = seriesOf(result.rows).filter((name) => name !== "");
  const height = swept ? 480 : 120 + BAR * result.rows.length;
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: "#ffffff",
      color: COLOURS,
      textStyle: { fontFamily: "sans-serif", color: INK },
      title: { text: result.title, left: "center", top: 6, textStyle: { fontSize: 16, color: INK } },
      legend: named.length > 1 ? { top: 32, itemGap: 36, data: named, textStyle: { color: INK } } : undefined,
      ...(swept ? lines(result) : bars(result)),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** Writes bench/results/QUESTION.svg. @returns its path */
export function plot(result: Result, folder: string = RESULTS): string {
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${result.question}.svg`.replace("//", "/");
  writeFileSync(path, svg(result) + "\n");
  return path;
}

// As a program it draws saved results anew: plot.ts bench/results/*.json
if (import.meta.main) {
  for (const path of process.argv.slice(2)) plot(load(basename(path, ".json"), dirname(path)), dirname(path));
}
