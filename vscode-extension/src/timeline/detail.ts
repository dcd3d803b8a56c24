/** What stands below the picture: the chosen moment, and what can be done with it. Pure, as the picture is. */
import type { Moment, Timeline } from "../protocol";
import { escape } from "./draw";
import { branchesOf } from "./layout";
import type { Abilities } from "./messages";
import { momentDetail, momentTitle } from "./words";

/** The chosen moment in words, with its buttons; a hint when none is chosen. */
export function drawDetail(timeline: Timeline, chosen: number | undefined, can: Abilities): string {
  const moment = timeline.moments.find((each) => each.id === chosen);
  const said = moment === undefined ? HINT : saidOf(moment, branchesOf(timeline).length);
  const buttons = [...rewindButton(moment, can), ...presentButton(timeline, can), ...returnButton(timeline, can), ...revealButton(timeline, moment)];
  return `${said}${buttons.length > 0 ? `<div class="buttons">${buttons.join("")}</div>` : ""}`;
}

const HINT = '<div class="said"><p>Choose a moment to look at it. Nothing moves until you rewind.</p></div>';

/** On one line, since there is little height; the whole of it is in the tooltip too. */
function saidOf(moment: Moment, branches: number): string {
  const [title, detail] = [escape(momentTitle(moment)), escape(momentDetail(moment, branches))];
  return `<div class="said" title="${title} · ${detail}"><h2>${title}</h2><p>${detail}</p></div>`;
}

/** The run of a moment's step on the moment's branch, else the latest one of that step. */
export function runOf(timeline: Timeline, moment: Moment): number | undefined {
  const ofStep = timeline.runs.flatMap((run, index) => (run.step === moment.step && run.line !== undefined ? [index] : []));
  return ofStep.find((index) => timeline.runs[index]?.branch === moment.branch) ?? ofStep.at(-1);
}

function rewindButton(moment: Moment | undefined, can: Abilities): string[] {
  if (moment === undefined || moment.current || !can.rewind) {
    return [];
  }
  const why = moment.hasFiles
    ? "Files, variables and outputs become those of this moment"
    : "The files of this moment are no longer kept: it can only be viewed";
  return [button("rewind", "Rewind here", why, { moment: moment.id, disabled: !moment.hasFiles, first: true })];
}

function presentButton(timeline: Timeline, can: Abilities): string[] {
  const viewed = timeline.moments.some((moment) => moment.viewed && !moment.current);
  return viewed && can.view ? [button("present", "Stop viewing", "Show the variables of where the job stands", {})] : [];
}

function returnButton(timeline: Timeline, can: Abilities): string[] {
  return timeline.rewound && can.return ? [button("return", "Return to newest", "Leave the past: everything as it was", {})] : [];
}

function revealButton(timeline: Timeline, moment: Moment | undefined): string[] {
  const run = moment === undefined ? undefined : runOf(timeline, moment);
  return run === undefined ? [] : [button("reveal", "Show step", "Show the step in the workflow file", { run })];
}

interface Options {
  moment?: number;
  run?: number;
  disabled?: boolean;
  first?: boolean;
}

function button(action: string, label: string, why: string, { moment, run, disabled = false, first = false }: Options): string {
  const data = `${moment === undefined ? "" : ` data-moment="${moment}"`}${run === undefined ? "" : ` data-run="${run}"`}`;
  return `<button type="button"${first ? ' class="first"' : ""} data-action="${action}"${data} title="${why}"${disabled ? " disabled" : ""}>${label}</button>`;
}
