// npm run e2e: the extension in a real editor, in a browser. With --fake the debugger is a small one that plays a job;
// without it, the real one: STEPBACK names it, else target/release or target/debug, else PATH. With --picture the
// picture for the readme is taken on the way, images/timeline.png; the readme then has to show it.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { Editor } from "./editor.mjs";
import { attaching, session, starting } from "./session.mjs";
import { findBrowser, installTools, run, work } from "./setup.mjs";

const here = import.meta.dirname;
const root = join(here, "..", "..");
const shots = join(here, "shots");

const began = Date.now();
const say = (text) => console.log(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)}s  ${text}`);

const fake = process.argv.includes("--fake");
const picture = process.argv.includes("--picture") ? join(here, "..", "images", "timeline.png") : undefined;

function findDebugger() {
  if (fake && picture !== undefined) {
    throw new Error("The readme's picture is taken of the real debugger, or not at all: leave --fake out.");
  }
  if (fake) {
    return join(here, "fake", "stepback");
  }
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "stepback"));
  const places = [process.env.STEPBACK, join(root, "target", "release", "stepback"), join(root, "target", "debug", "stepback"), ...onPath];
  const found = places.find((file) => file && existsSync(file));
  if (!found) {
    throw new Error('There is no stepback to debug with. Build it ("cargo build --release"), name it in the variable STEPBACK, or try "npm run e2e -- --fake".');
  }
  return found;
}

/** A copy of the example, since debugging a workflow of the repository itself would be confusing to read. */
function prepareFolder(binary) {
  const folder = join(work, "greeting");
  for (const name of ["greeting", "user", "extensions"]) {
    rmSync(join(work, name), { recursive: true, force: true });
  }
  rmSync(shots, { recursive: true, force: true });
  cpSync(join(root, "docs", "examples", "greeting"), folder, { recursive: true });
  const settings = {
    "workbench.startupEditor": "none",
    "workbench.colorTheme": "Default Dark Modern",
    "workbench.tips.enabled": false,
    "window.commandCenter": false,
    "editor.minimap.enabled": false,
    "security.workspace.trust.enabled": false,
    "telemetry.telemetryLevel": "off",
    "chat.commandCenter.enabled": false,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "git.enabled": false,
  };
  writeSettings("User", settings);
  // A setting of the machine: what a person has set elsewhere does not reach the machine on which jobs run.
  writeSettings("Machine", { "stepback.path": binary });
  return folder;
}

function writeSettings(scope, settings) {
  mkdirSync(join(work, "user", scope), { recursive: true });
  writeFileSync(join(work, "user", scope, "settings.json"), JSON.stringify(settings, null, 2));
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function startEditor(tools, port) {
  const log = openSync(join(work, "editor.log"), "w");
  const places = ["--user-data-dir", join(work, "user"), "--extensions-dir", join(work, "extensions")];
  run(tools.node, [tools.codeServer, ...places, "--install-extension", join(here, "..", "stepback.vsix")]);
  const flags = ["--bind-addr", `127.0.0.1:${port}`, "--auth", "none", "--disable-workspace-trust", "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"];
  const server = spawn(tools.node, [tools.codeServer, ...places, ...flags], { stdio: ["ignore", log, log], detached: true });
  for (let tries = 0; tries < 300; tries++) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/healthz`)).ok) {
        return server;
      }
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`The editor does not start; see ${join(work, "editor.log")}`);
}

const listeners = [];

/** Debuggers that wait to be attached to. */
function startListeners(binary, folder, port) {
  const [socket, token] = [join(work, "job.sock"), "correct-horse"];
  const workflow = join(folder, ".github", "workflows", "ci.yml");
  rmSync(socket, { force: true });
  listeners.push(spawn(binary, ["listen", socket, workflow], { stdio: "inherit" }));
  listeners.push(spawn(binary, ["listen", String(port), workflow, token], { stdio: "inherit" }));
  return { socket, port, token };
}

async function main() {
  const binary = findDebugger();
  const browser = findBrowser();
  const tools = installTools();
  say("packaging the extension");
  run("npm", ["run", "package"], { cwd: join(here, "..") });
  const folder = prepareFolder(binary);
  const port = await freePort();
  say("starting the editor");
  const server = await startEditor(tools, port);
  const { chromium } = await import(tools.playwright);
  const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const window = await chromium.launch({ executablePath: browser, args: flags });
  const page = await window.newPage({ viewport: { width: 1440, height: 1000 } });
  const editor = new Editor(page, shots, picture);
  try {
    await editor.open(`http://127.0.0.1:${port}/?folder=${folder}`);
    await starting(editor, say, folder);
    await session(editor, say);
    if (fake) {
      await attaching(editor, say, startListeners(binary, folder, await freePort()));
    }
    say(`everything was there; ${readdirSync(shots).length} pictures in e2e/shots`);
  } catch (error) {
    await editor.keep("failed").catch(() => {});
    throw error;
  } finally {
    await window.close();
    process.kill(-server.pid);
    listeners.forEach((listener) => listener.kill());
  }
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
