/** Picks a moment from a list, for those who would rather type than click. */
import * as vscode from "vscode";
import type { Timeline } from "./protocol";
import { branchesOf } from "./timeline/layout";
import { momentDetail, momentTitle } from "./timeline/words";

/** The id of the moment that the person picks, newest first; `going` leaves out those that one cannot go to. */
export async function pickMoment(timeline: Timeline, title: string, going: boolean): Promise<number | undefined> {
  const branches = branchesOf(timeline);
  const items: (vscode.QuickPickItem & { moment?: number })[] = [];
  for (const branch of [...branches].reverse()) {
    if (branches.length > 1) {
      items.push({ label: `branch ${branch}`, kind: vscode.QuickPickItemKind.Separator });
    }
    const moments = timeline.moments.filter((moment) => moment.branch === branch && !(going && (moment.current || !moment.hasFiles)));
    items.push(...moments.reverse().map((moment) => ({ label: momentTitle(moment), description: momentDetail(moment, branches.length), moment: moment.id })));
  }
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: "Which moment?", matchOnDescription: true });
  return picked?.moment;
}
