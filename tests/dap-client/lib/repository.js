// A repository for one test, and a home of its own, so that nothing of the user is touched.
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

export class Repository {
  constructor(workflow, files = {}) {
    this.base = realpathSync(mkdtempSync(path.join(tmpdir(), "stepback-dap-")));
    this.root = path.join(this.base, "repository");
    this.workflow = path.join(this.root, ".github/workflows/ci.yml");
    this.text = workflow;
    this.env = {
      PATH: process.env.PATH,
      LANG: "C.UTF-8",
      HOME: this.folder("home"),
      TMPDIR: this.folder("tmp"),
      XDG_CONFIG_HOME: this.folder("home/.config"),
      XDG_CACHE_HOME: this.folder("home/.cache"),
      XDG_STATE_HOME: this.folder("home/.local/state"),
      XDG_DATA_HOME: this.folder("home/.local/share"),
      XDG_RUNTIME_DIR: this.folder("run"),
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
    };
    this.write(".github/workflows/ci.yml", workflow);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    this.git("init", "-q", "-b", "main");
    this.git("add", "-A");
    this.git("-c", "user.name=Test", "-c", "user.email=test@example.invalid", "commit", "-q", "-m", "Begin");
  }

  folder(name) {
    const folder = path.join(this.base, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  git(...args) {
    execFileSync("git", args, { cwd: this.root, env: this.env, stdio: ["ignore", "ignore", "inherit"] });
  }

  write(name, text) {
    const file = path.join(this.root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** A file outside the repository. */
  beside(name, text) {
    const file = path.join(this.base, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  /** The number of the first line with this text, from 1. */
  line(text) {
    const index = this.text.split("\n").findIndex((line) => line.includes(text));
    if (index < 0) throw new Error(`no line with '${text}'`);
    return index + 1;
  }

  remove() {
    rmSync(this.base, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** All files below a folder: what they are, their modes, their contents, and when they were changed. */
export function filesIn(folder) {
  const all = {};
  const visit = (below) => {
    for (const entry of readdirSync(path.join(folder, below), { withFileTypes: true })) {
      const name = path.join(below, entry.name);
      const stat = lstatSync(path.join(folder, name), { bigint: true });
      const about = { mode: stat.mode.toString(8), mtime: stat.mtimeNs.toString() };
      if (entry.isDirectory()) {
        all[`${name}/`] = about;
        visit(name);
      } else {
        all[name] = entry.isFile() ? { ...about, text: readFileSync(path.join(folder, name), "latin1") } : about;
      }
    }
  };
  visit("");
  return all;
}
