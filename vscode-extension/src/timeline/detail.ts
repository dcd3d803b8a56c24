/** What stands below the picture: the chosen moment, and what can be done with it. Pure, as the picture is. */
import type { Moment, Timeline } from "../protocol";
import { escape } from "./draw";
import { branchesOf } from "./layout";
import type { Abilities } from "./messages";
import { momentDetail, momentTitle } from "./words";

/** The chosen moment in words, with its buttons; a hint when none is chosen. */
export function drawDetail(timeline: Timeline, chosen: number | undefined, can: Abilities): string {
  const moment = timeline.moments.find((each) => each.id === chosen);
  const lines =
    moment === undefined
      ? ['<p class="hint">Choose a moment to look at it. Nothing moves until you rewind.</p>']
      : [`<h2>${escape(momentTitle(moment))}</h2>`, `<p>${escape(momentDetail(moment, branchesOf(timeline).length))}</p>`];
  const buttons = [...rewindButton(moment, can), ...presentButton(timeline, can), ...returnButton(timeline, can), ...revealButton(timeline, moment)];
  return `${lines.join("")}${buttons.length > 0 ? `<div class="buttons">${buttons.join("")}</div>` : ""}`;
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
  return viewed && can.view ? [button("present", "Back to the present", "Show the variables of where the job stands", {})] : [];
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
