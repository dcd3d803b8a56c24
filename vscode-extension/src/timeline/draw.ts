/**
 * Draws a timeline: from the answer to `stepback/timeline` to a text of SVG. Pure, and free of any theme: what things
 * look like is said by the classes, in `webview/page.css`.
 */
import type { Moment, Timeline } from "../protocol";
import { BAR_HEIGHT, branchesOf, layOut, RADIUS } from "./layout";
import type { Band, Bar, Link, Mark } from "./layout";
import { momentDetail, momentTitle, runName, runTitle } from "./words";

/** How wide a character of a label is, about. Pixels. */
const CHARACTER = 6.2;

/** The picture of a timeline, or a sentence when there is nothing to draw yet. */
export function drawTimeline(timeline: Timeline): string {
  if (timeline.moments.length === 0 && timeline.runs.length === 0) {
    return '<p class="empty">Nothing has happened yet. Moments appear as the job goes on.</p>';
  }
  const picture = layOut(timeline);
  const branches = branchesOf(timeline).length;
  const focus = focusOf(timeline);
  const [width, height] = [Math.ceil(picture.width), Math.ceil(picture.height)];
  return [
    `<svg class="timeline" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-label="Timeline of the job">`,
    ...(branches > 1 ? picture.bands.map(drawBand) : []),
    ...picture.links.map(drawLink),
    ...picture.bars.map((bar) => drawBar(bar, timeline.runs.indexOf(bar.run))),
    ...picture.marks.map((mark) => drawMark(mark, branches, focus)),
    "</svg>",
  ].join("\n");
}

/** The moment that has the focus first: what is looked at, else where the job stands, else the last. */
export function focusOf(timeline: Timeline): number | undefined {
  const find = (test: (moment: Moment) => boolean): number | undefined => timeline.moments.find(test)?.id;
  return find((moment) => moment.viewed) ?? find((moment) => moment.current) ?? timeline.moments.at(-1)?.id;
}

function drawBand(band: Band): string {
  const from = band.from === undefined ? "" : ` from m${band.from}`;
  return `<text class="band" x="${round(band.x + (band.from === undefined ? -RADIUS : RADIUS + 2))}" y="${round(band.y + 10)}">branch ${band.branch}${from}</text>`;
}

function drawLink(link: Link): string {
  const [fromX, fromY, toX, toY] = [link.fromX, link.fromY + RADIUS, link.toX, link.toY - RADIUS].map(round);
  return `<path class="link" d="M${fromX} ${fromY}C${fromX} ${toY} ${toX} ${fromY} ${toX} ${toY}"/>`;
}

function drawBar(bar: Bar, index: number): string {
  const { run } = bar;
  const state = run.tookMs === undefined ? "running" : (run.outcome ?? "unknown");
  const lane = run.lane === 0 ? "" : " background";
  const [x, y, width] = [round(bar.x), round(bar.y - BAR_HEIGHT / 2), round(bar.width)];
  const label = fit(runName(run), bar.width - 8);
  return [
    `<g class="bar ${state} ${bar.place}${lane}" data-run="${index}">`,
    `<title>${escape(runTitle(run))}</title>`,
    `<rect x="${x}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="3"/>`,
    `<text x="${round(bar.x + 4)}" y="${round(bar.y + 4)}">${escape(label)}</text>`,
    "</g>",
  ].join("");
}

function drawMark(mark: Mark, branches: number, focus: number | undefined): string {
  const { moment } = mark;
  const classes = ["mark", moment.point, mark.place, moment.outcome ?? ""];
  for (const name of ["current", "viewed", "newest"] as const) {
    classes.push(moment[name] ? name : "");
  }
  classes.push(moment.hasFiles ? "" : "bare", moment.cause === undefined ? "" : "edit");
  const said = `${momentTitle(moment)} · ${momentDetail(moment, branches)}`;
  const tab = moment.id === focus ? 0 : -1;
  return [
    `<g class="${classes.filter((name) => name !== "").join(" ")}" role="button" tabindex="${tab}" data-moment="${moment.id}"`,
    `${moment.viewed || moment.current ? ' aria-current="true"' : ""} aria-label="${escape(said)}">`,
    `<title>${escape(said)}</title>`,
    // A ring larger than the mark: something to hit with a finger, and where the focus is shown.
    `<circle class="ring" cx="${round(mark.x)}" cy="${round(mark.y)}" r="${RADIUS + 3}"/>`,
    shape(moment, round(mark.x), round(mark.y)),
    moment.cause === undefined ? "" : `<text class="pen" x="${round(mark.x - RADIUS - 2)}" y="${round(mark.y - RADIUS)}">✎</text>`,
    moment.current ? `<path class="pointer" d="${triangle(mark.x, mark.y + RADIUS + 4)}"/>` : "",
    "</g>",
  ].join("");
}

/** Each point has a shape of its own. */
function shape(moment: Moment, x: number, y: number): string {
  const r = RADIUS;
  switch (moment.point) {
    case "before":
      return `<circle class="dot" cx="${x}" cy="${y}" r="${r}"/>`;
    case "decided":
      return `<path class="dot" d="M${x} ${y - r + 1}L${x + r - 1} ${y}L${x} ${y + r - 1}L${x - r + 1} ${y}Z"/>`;
    case "during":
      return `<path class="dot" d="M${x - r} ${y - r}h4v${2 * r}h-4ZM${x + r - 4} ${y - r}h4v${2 * r}h-4Z"/>`;
    case "after":
      return `<rect class="dot" x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}" rx="1"/>`;
    case "end":
      return `<path class="dot" d="M${x - r} ${y - r}h${2 * r}l-3 ${r}l3 ${r}h-${2 * r}Z"/>`;
  }
}

function triangle(x: number, y: number): string {
  return `M${round(x)} ${round(y)}l4 6h-8Z`;
}

/** As much of a label as there is room for; at least what comes first, which is the sign or the number. */
function fit(label: string, width: number): string {
  const room = Math.floor(width / CHARACTER);
  const characters = [...label];
  if (characters.length <= room) {
    return label;
  }
  const [head = ""] = label.split(" ", 1);
  const short = label.split(" ").slice(0, 2).join(" ");
  if (room < 5) {
    return [...short].length <= Math.max(room, 3) ? short : head;
  }
  return `${characters.slice(0, room - 1).join("").trimEnd()}…`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Text as text, also inside an attribute: names of steps are whatever a workflow says. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
