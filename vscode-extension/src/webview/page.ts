/**
 * The script of the timeline view: draws what it is sent, and says what the person wants. It decides nothing; where the
 * job stands comes from the adapter alone.
 */
import type { Timeline } from "../protocol";
import { drawDetail } from "../timeline/detail";
import { drawTimeline, focusOf } from "../timeline/draw";
import { leadsTo } from "../timeline/keys";
import type { Spot } from "../timeline/keys";
import type { Abilities, FromPage, ToPage } from "../timeline/messages";

declare function acquireVsCodeApi(): { postMessage(message: FromPage): void };

const editor = acquireVsCodeApi();
const picture = byId("picture");
const detail = byId("detail");

let timeline: Timeline | undefined;
let can: Abilities = { view: false, rewind: false, return: false };
/** The moment that the person chose last; undefined while nobody has, or once it is where the job stands. */
let chosen: number | undefined;
let detailHtml = "";

window.addEventListener("message", (event: MessageEvent<ToPage>) => {
  const message = event.data;
  if (message.type === "timeline") {
    show(message.timeline, message.can);
  } else if (message.type === "nothing") {
    timeline = undefined;
    chosen = undefined;
    picture.textContent = message.text;
    showDetail();
  }
});

picture.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : undefined;
  const moment = numberOf(target?.closest("[data-moment]"), "data-moment");
  const run = numberOf(target?.closest("[data-run]"), "data-run");
  if (moment !== undefined) {
    choose(moment);
  } else if (run !== undefined) {
    editor.postMessage({ type: "reveal", run });
  }
});

picture.addEventListener("keydown", (event) => {
  const moment = numberOf(event.target instanceof Element ? event.target : undefined, "data-moment");
  if (moment === undefined || event.ctrlKey || event.altKey || event.metaKey) {
    return;
  }
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    choose(moment);
    return;
  }
  const next = leadsTo(spots(), moment, event.key);
  if (next !== undefined) {
    event.preventDefault();
    focus(next);
  }
});

detail.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  const moment = numberOf(button, "data-moment");
  const run = numberOf(button, "data-run");
  switch (button?.getAttribute("data-action")) {
    case "rewind":
      if (moment !== undefined) {
        editor.postMessage({ type: "rewind", moment });
      }
      break;
    case "present":
      chosen = undefined;
      editor.postMessage({ type: "view", moment: null });
      break;
    case "return":
      chosen = undefined;
      editor.postMessage({ type: "return" });
      break;
    case "reveal":
      if (run !== undefined) {
        editor.postMessage({ type: "reveal", run });
      }
      break;
  }
});

editor.postMessage({ type: "ready" });

/** Draws anew, and leaves the focus and what is in sight where they were. */
function show(next: Timeline, abilities: Abilities): void {
  const focused = numberOf(document.activeElement, "data-moment");
  const [left, top] = [picture.scrollLeft, picture.scrollTop];
  const moved = currentOf(next) !== currentOf(timeline);
  timeline = next;
  can = abilities;
  if (!next.moments.some((moment) => moment.id === chosen && !moment.current)) {
    chosen = undefined;
  }
  // The picture is made by our own functions, which escape every text; the page's policy runs no script but this one.
  picture.innerHTML = drawTimeline(next);
  picture.scrollTo(left, top);
  showDetail();
  if (focused !== undefined) {
    focus(focused);
  }
  if (moved) {
    intoSight(currentOf(next));
  }
}

function showDetail(): void {
  const html = timeline === undefined ? "" : drawDetail(timeline, chosen ?? focusOf(timeline), can);
  // Left alone when nothing changed: a screen reader would say it again, and a button would lose the focus.
  if (html !== detailHtml) {
    detailHtml = html;
    detail.innerHTML = html;
  }
}

function choose(moment: number): void {
  chosen = moment;
  showDetail();
  if (can.view) {
    const isCurrent = timeline?.moments.some((each) => each.id === moment && each.current) ?? false;
    editor.postMessage({ type: "view", moment: isCurrent ? null : moment });
  }
}

/** Moves the focus; only one mark is reached by Tab, the others by the arrow keys from there. */
function focus(moment: number): void {
  const mark = markOf(moment);
  if (mark === null) {
    return;
  }
  for (const other of picture.querySelectorAll('[data-moment][tabindex="0"]')) {
    other.setAttribute("tabindex", "-1");
  }
  mark.setAttribute("tabindex", "0");
  mark.focus();
}

function intoSight(moment: number | undefined): void {
  if (moment !== undefined) {
    markOf(moment)?.scrollIntoView({ block: "nearest", inline: "center" });
  }
}

function spots(): Spot[] {
  return [...picture.querySelectorAll("[data-moment]")].flatMap((mark) => {
    const id = numberOf(mark, "data-moment");
    const moment = timeline?.moments.find((each) => each.id === id);
    const ring = mark.querySelector(".ring");
    return id === undefined || moment === undefined
      ? []
      : [{ id, branch: moment.branch, x: Number(ring?.getAttribute("cx")), y: Number(ring?.getAttribute("cy")) }];
  });
}

function currentOf(of: Timeline | undefined): number | undefined {
  return of?.moments.find((moment) => moment.current)?.id;
}

function markOf(moment: number): SVGElement | null {
  return picture.querySelector<SVGElement>(`[data-moment="${moment}"]`);
}

function numberOf(element: Element | null | undefined, attribute: string): number | undefined {
  const text = element?.getAttribute(attribute);
  return text === null || text === undefined ? undefined : Number(text);
}

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) {
    throw new Error(`The page has no element ${id}.`);
  }
  return element;
}
