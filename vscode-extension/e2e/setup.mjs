// Brings what the check needs: an editor for a browser, the node that it wants, and a browser. All of it lies in
// e2e/.work, apart from the browser. The first time takes some minutes and half a gigabyte.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

const here = import.meta.dirname;

/** Where everything lies that the check makes. */
export const work = join(here, ".work");
const tools = join(work, "tools");
const modules = join(tools, "node_modules");
/** The node that the editor wants, of its kind for this machine. Other than in the package "node", its headers are with it. */
const nodePackage = `node-${process.platform}-${process.arch}`;
const nodeHome = join(modules, nodePackage);
const nodeFolder = join(nodeHome, "bin");

/** Runs a program, and stops with what it said when it fails. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { encoding: "utf8", ...options });
  if (done.status !== 0) {
    const said = `${done.stdout ?? ""}${done.stderr ?? ""}`.split("\n").slice(-30).join("\n");
    throw new Error(`${command} ${args.join(" ")} failed (${done.status ?? done.error?.message})\n${said}`);
  }
  return done.stdout;
}

/** Installs the editor and the driver of the browser, once per version. */
export function installTools() {
  const wanted = readFileSync(join(here, "package.json"), "utf8");
  const stamp = join(tools, "installed.json");
  const node = join(nodeFolder, "node");
  if (!existsSync(node) || !existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    console.log("Installing code-server and its node: some minutes, the first time only …");
    mkdirSync(tools, { recursive: true });
    const { dependencies } = JSON.parse(wanted);
    writeFileSync(join(tools, "package.json"), '{"private": true}\n');
    // The editor builds native modules when it is installed, by the node that it will run with; so that one comes first.
    install(nodePackage, dependencies.node);
    install("playwright-core", dependencies["playwright-core"]);
    install("code-server", dependencies["code-server"]);
    copyFileSync(join(here, "package.json"), stamp);
  }
  return { node, codeServer: join(modules, "code-server", "out", "node", "entry.js"), playwright: join(modules, "playwright-core", "index.mjs") };
}

function install(name, version) {
  const env = {
    ...process.env,
    PATH: `${nodeFolder}${delimiter}${process.env.PATH}`,
    // Native modules are built against the headers of the node that will load them: a nodedir that is set for another
    // node would build modules that this one refuses, and without any the headers are downloaded from nodejs.org.
    npm_config_nodedir: nodeHome,
    // Newer releases of npm run no install scripts unless told; this editor is built by one.
    npm_config_dangerously_allow_all_scripts: "true",
    npm_config_ignore_scripts: "false",
  };
  // "npm run" says here which node it runs on, and an npm inside of it would go on saying that of a node that is another
  // one. The editor's install script believes it, and refuses.
  delete env.npm_config_user_agent;
  run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", `${name}@${version}`], { cwd: tools, env });
}

/** The browser: the one that CHROMIUM names, one that is there, else Debian's. */
export function findBrowser() {
  const there = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) => file && existsSync(file));
  if (there) {
    return there;
  }
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    console.log("Installing chromium …");
    run("apt-get", ["update", "-qq"]);
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"]);
    return "/usr/bin/chromium";
  }
  throw new Error('There is no chromium. Install it (Debian: "apt-get install chromium"), or name one in the variable CHROMIUM.');
}
