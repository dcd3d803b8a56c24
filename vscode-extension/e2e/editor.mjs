// The editor as a person sees it in a browser: what the check looks for and clicks on, by the classes that hold.
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** How long a thing may take to appear. The first start of an extension host takes most. Milliseconds. */
const PATIENCE = 30_000;

export class Editor {
  /** @param {import("playwright-core").Page} page */
  constructor(page, shots, picture) {
    this.page = page;
    this.shots = shots;
    /** Where the readme's picture goes; undefined when it is not to be taken. */
    this.picture = picture;
    this.shot = 0;
    page.setDefaultTimeout(PATIENCE);
    mkdirSync(shots, { recursive: true });
  }

  /** Keeps a picture, numbered in order. */
  async keep(name) {
    this.shot += 1;
    // What moves is let come to rest, so that pictures can be compared.
    await this.page.waitForTimeout(400);
    await this.page.screenshot({ path: join(this.shots, `${String(this.shot).padStart(2, "0")}-${name}.png`) });
  }

  /** Takes the picture for the readme, with a side bar wide enough for the whole timeline. */
  async takePicture() {
    if (this.picture === undefined) {
      return;
    }
    const { x, width, y, height } = await this.page.locator(".part.sidebar").boundingBox();
    await this.page.mouse.move(x + width, y + height / 3);
    await this.page.mouse.down();
    await this.page.mouse.move(x + width + 130, y + height / 3, { steps: 5 });
    await this.page.mouse.up();
    await this.timeline().locator("#picture").evaluate((picture) => picture.scrollTo(0, 0));
    await this.page.mouse.move(x + width * 3, y + height / 2);
    await this.page.waitForTimeout(600);
    await this.page.screenshot({ path: this.picture });
  }

  async open(url) {
    await this.page.goto(url);
    await this.page.locator(".monaco-workbench").waitFor();
    await this.page.locator(".explorer-folders-view .monaco-list-row").first().waitFor();
  }

  /** Opens a file of the folder, with the cursor in a line. */
  async openFile(name, line) {
    await this.page.keyboard.press("Control+p");
    await this.page.locator(".quick-input-widget input").fill(`${name}:${line}`);
    await this.page.locator(".quick-input-list .monaco-list-row").first().waitFor();
    await this.page.waitForTimeout(1000);
    await this.page.keyboard.press("Enter");
    await this.page.locator(".view-line").first().waitFor();
  }

  /** Runs a command from the palette. */
  async command(title) {
    await this.page.keyboard.press("F1");
    await this.page.locator(".quick-input-widget input").fill(`>${title}`);
    await this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: title }).first().click();
  }

  /** Answers a question for a text. */
  async answer(text) {
    const input = this.page.locator(".quick-input-widget input");
    await input.fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** Ends a session; one that was attached is left, and its button says so. */
  async stop(label = "Stop") {
    await this.toolbar(label);
    await this.page.locator(".debug-toolbar").waitFor({ state: "hidden" });
  }

  lenses(text) {
    return this.page.locator(".codelens-decoration a").filter({ hasText: text, visible: true });
  }

  /** Puts a breakpoint into the gutter, left of a line's number, as a hand does. */
  async clickGutter(line) {
    const number = this.page.locator(".margin-view-overlays .line-numbers").filter({ hasText: new RegExp(`^${line}$`) });
    const box = await number.boundingBox();
    if (box === null) {
      throw new Error(`Line ${line} is not in sight.`);
    }
    await this.page.mouse.click(box.x - 8, box.y + box.height / 2);
  }

  /** The breakpoints in the gutters, hit or not. */
  breakpoints() {
    return this.page.locator('.cgmr[class*="codicon-debug-breakpoint"], .cgmr[class*="codicon-debug-stackframe"]');
  }

  /** The breakpoints of files in the list of the side bar. */
  listed() {
    return this.page.locator(".debug-breakpoints .monaco-list-row").filter({ hasText: "ci.yml" });
  }

  /** Folds a part of the side bar up, which leaves more height for the others. */
  async fold(part) {
    await this.page.locator(`.pane-header[aria-expanded="true"][aria-label^="${part}"]`).click();
  }

  async toolbar(label) {
    await this.page.locator(`.debug-toolbar .action-label[aria-label^="${label}"]:not(.disabled)`).click();
  }

  /** Waits until the job stands at a line: the editor shows it, and the call stack says the step. */
  async standsAt(line, step) {
    const decoration = this.page.locator(".debug-top-stack-frame-line, .debug-focused-stack-frame-line").first();
    await decoration.waitFor();
    await this.page.locator(".debug-call-stack .monaco-list-row").filter({ hasText: step }).filter({ hasText: String(line) }).first().waitFor();
  }

  /** A row of the variables view, its parents opened on the way. */
  async variable(...path) {
    for (const [depth, name] of path.entries()) {
      // By the whole name: the text of a script may hold the same word.
      const row = this.page.locator(".debug-variables .monaco-list-row").filter({ hasText: new RegExp(`^\\s*${name}\\s*(=|$)`) }).first();
      await row.waitFor();
      if (depth < path.length - 1 && (await row.getAttribute("aria-expanded")) === "false") {
        await row.locator(".monaco-tl-twistie").click();
      }
      if (depth === path.length - 1) {
        return row.innerText();
      }
    }
    return undefined;
  }

  /** Types a line into the debug console and waits for an answer. */
  async console(text, answer) {
    await this.command("Debug Console: Focus on Debug Console View");
    await this.page.locator(".repl-input-wrapper .view-lines").click();
    await this.page.keyboard.type(text);
    await this.page.keyboard.press("Escape");
    await this.page.keyboard.press("Enter");
    await this.page.locator(".repl .monaco-list-row").filter({ hasText: answer }).first().waitFor();
  }

  /** The page of the timeline view: a frame in a frame. */
  timeline() {
    return this.page.frameLocator("iframe.webview").frameLocator("#active-frame");
  }

  async visible(locator) {
    await locator.filter({ visible: true }).first().waitFor();
  }
}
