/** What the extension and the page of its timeline view say to each other. */
import type { Timeline } from "../protocol";

/** What can be done from the page, by what the adapter serves. */
export interface Abilities {
  view: boolean;
  rewind: boolean;
  return: boolean;
}

/** From the extension: a timeline to draw, or a sentence why there is none. */
export type ToPage = { type: "timeline"; timeline: Timeline; can: Abilities } | { type: "nothing"; text: string };

/** From the page: what the person wants. */
export type FromPage =
  | { type: "ready" }
  | { type: "view"; moment: number | null }
  | { type: "rewind"; moment: number }
  | { type: "return" }
  | { type: "reveal"; run: number };

/** Reads what comes from the page; undefined when it is none of these. */
export function readFromPage(value: unknown): FromPage | undefined {
  const message = (typeof value === "object" && value !== null ? value : {}) as { type?: unknown; moment?: unknown; run?: unknown };
  const { type, moment, run } = message;
  if (type === "ready" || type === "return") {
    return { type };
  }
  if (type === "view" && (moment === null || Number.isInteger(moment))) {
    return { type, moment: moment as number | null };
  }
  if (type === "rewind" && Number.isInteger(moment)) {
    return { type, moment: moment as number };
  }
  if (type === "reveal" && Number.isInteger(run)) {
    return { type, run: run as number };
  }
  return undefined;
}
