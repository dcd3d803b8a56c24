// A whole session, as a person has it: from "Debug job" above a job to the stop button. With the real debugger and with
// the fake one it is the same, so only what both must show is looked at.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @param {import("./editor.mjs").Editor} editor */
export async function session(editor, say) {
  const { page } = editor;

  say("the workflow, with its lenses");
  await editor.openFile("ci.yml", 34);
  await editor.visible(editor.lenses("Debug job"));
  await editor.visible(editor.lenses("Run to here"));
  await editor.keep("lenses");

  say("a breakpoint in the gutter");
  await editor.clickGutter(40);
  await editor.visible(editor.breakpoints());
  await editor.keep("breakpoint");

  say("start from the lens above the job");
  await editor.lenses("Debug job").last().click();
  await editor.standsAt(40, "Generate");
  // It unfolds by itself at the first stop. The first page of that kind takes the browser seconds, more while it is clicked on.
  const timeline = editor.timeline();
  await timeline.locator("svg.timeline .bar").first().waitFor({ timeout: 90_000 });
  await editor.keep("hit");

  await editor.fold("Watch");

  say("variables");
  const greeting = await editor.variable("Env", "GREETING");
  if (!greeting?.includes("Hello")) {
    throw new Error(`GREETING is shown as ${greeting}`);
  }

  say("step over");
  await editor.toolbar("Step Over");
  await editor.standsAt(45, "Test");
  await editor.keep("step-over");

  say("a shell in the debug console");
  await editor.console("! ls", "generate.sh");
  await editor.keep("console");

  say("step back");
  await editor.toolbar("Step Back");
  await editor.standsAt(40, "Generate");
  await editor.visible(page.locator('.debug-toolbar .action-label[aria-label^="Return to Newest"]'));
  await editor.keep("step-back");

  say("return to the newest moment");
  await editor.toolbar("Return to Newest");
  await editor.standsAt(45, "Test");
  await page.locator('.debug-toolbar .action-label[aria-label^="Return to Newest"]').waitFor({ state: "detached" });

  say("continue to the failure, and reverse to the breakpoint");
  await editor.toolbar("Continue");
  await editor.visible(page.locator(".exception-widget, .debug-call-stack .monaco-list-row").filter({ hasText: /exception|failed|failure/i }));
  await editor.keep("failure");
  await editor.toolbar("Reverse");
  await editor.standsAt(40, "Generate");
  await editor.keep("reverse");

  say("go on from the past: a branch");
  await editor.toolbar("Step Over");
  await editor.standsAt(45, "Test");

  say("look at a moment in the timeline");
  await editor.visible(timeline.locator("svg.timeline .band").filter({ hasText: "branch 2" }));
  await timeline.locator('[data-moment][aria-label^="before 2 Generate"]').first().click();
  await editor.visible(timeline.locator("#detail h2").filter({ hasText: "before 2 Generate" }));
  await editor.visible(timeline.locator(".mark.viewed:not(.current)"));
  await editor.standsAt(40, "Generate");
  await editor.keep("timeline-view");
  await editor.takePicture();

  say("rewind there, by the keyboard");
  await timeline.locator(".mark.viewed").first().focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  await timeline.locator('button[data-action="rewind"]').click();
  await editor.visible(timeline.locator('.mark.current[aria-label^="before 2 Generate"]'));
  await editor.keep("timeline-rewound");
  await timeline.locator('button[data-action="return"]').click();
  await editor.standsAt(45, "Test");

  say("stop");
  await editor.stop();
  await editor.keep("stopped");

  say("run to a step, which leaves no breakpoint behind");
  await editor.clickGutter(40);
  await editor.listed().waitFor({ state: "detached" });
  await editor.lenses("Run to here").nth(-2).click();
  await editor.standsAt(45, "Test");
  await editor.listed().waitFor({ state: "detached" });
  await editor.keep("run-to-here");

  say("run to a step that lies behind: the way is back");
  await editor.lenses("Run to here").nth(-4).click();
  await page.locator(".monaco-dialog-box .monaco-button").filter({ hasText: "Go Back" }).click();
  await editor.standsAt(38, "Check out");
  await editor.keep("gone-back");

  say("return, and run a step again, from the palette");
  await editor.command("Stepback: Return to Newest");
  await editor.standsAt(45, "Test");
  await editor.command("Stepback: Run This Step Again");
  await editor.visible(page.locator(".exception-widget"));
  await editor.stop();
}

/** Starting in other ways: without a launch.json, from the list of jobs, and with a launch.json that says too much. */
export async function starting(editor, say, folder) {
  const { page } = editor;
  say("start without launch.json: the job is asked for, the one at the cursor first");
  await editor.openFile("ci.yml", 45);
  await editor.command("Debug: Start Debugging");
  const choices = page.locator(".quick-input-list .monaco-list-row");
  await choices.filter({ hasText: "4 steps" }).waitFor();
  if (!(await choices.first().innerText()).startsWith("test")) {
    throw new Error("The job at the cursor does not stand first.");
  }
  await editor.keep("which-job");
  await page.keyboard.press("Escape");

  say("a secret in launch.json is refused");
  const file = join(folder, ".vscode", "launch.json");
  const configuration = { type: "stepback", request: "launch", name: "Too much", job: "test", secrets: { TOKEN: "hunter2" } };
  mkdirSync(join(folder, ".vscode"), { recursive: true });
  writeFileSync(file, JSON.stringify({ version: "0.2.0", configurations: [configuration] }));
  try {
    await page.locator(".explorer-folders-view .monaco-list-row").filter({ hasText: ".vscode" }).waitFor();
    await editor.command("Debug: Start Debugging");
    await editor.visible(page.locator(".notification-toast").filter({ hasText: "secretFile" }));
    await editor.keep("refused");
    await editor.command("Notifications: Clear All Notifications");
  } finally {
    rmSync(join(folder, ".vscode"), { recursive: true });
  }
}

/** Attaching to a debugger that waits already: on a socket, and on a port that wants its token. */
export async function attaching(editor, say, { socket, port, token }) {
  const { page } = editor;
  say("attach to a socket");
  await editor.command("Stepback: Attach to a Job");
  await editor.answer(socket);
  await editor.standsAt(45, "Test");
  await editor.stop("Disconnect");

  say("attach to a port, with a wrong token");
  await editor.command("Stepback: Attach to a Job");
  await editor.answer(`127.0.0.1:${port}`);
  await editor.visible(page.locator('.quick-input-widget input[type="password"]'));
  await editor.keep("token");
  await editor.answer("wrong");
  await editor.visible(page.locator(".monaco-dialog-box, .notification-toast").filter({ hasText: "token" }));
  await editor.keep("wrong-token");
  await page.keyboard.press("Escape");

  say("attach to a port, with its token");
  await editor.command("Stepback: Attach to a Job");
  await editor.answer(`127.0.0.1:${port}`);
  await editor.visible(page.locator('.quick-input-widget input[type="password"]'));
  await editor.answer(token);
  await editor.standsAt(45, "Test");
  await editor.keep("attached");
  await editor.stop("Disconnect");
}
