/**
 * Finds the `stepback` binary. This file knows no editor; the file system and the environment are handed in, so that
 * the search can be tested.
 */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import * as path from "node:path";

/** Where to look. */
export interface Surroundings {
  /** The setting `stepback.path`. */
  configured: string;
  /** The variable PATH. */
  path: string;
  home: string;
  /** The folder that a relative path in the setting counts from. */
  folder?: string | undefined;
  platform: NodeJS.Platform;
}

/** Either the binary, or a text for the person with a hint what to do. */
export type Found = { binary: string } | { missing: string };

/** Whether a path is a file that may be executed. */
export async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/**
 * The binary that the setting names, else the one on PATH, else the one where `cargo install` puts it: an editor that
 * was started from the desktop often does not have that folder on its PATH.
 */
export async function findBinary(where: Surroundings, executable = isExecutable): Promise<Found> {
  const configured = where.configured.trim();
  const name = where.platform === "win32" ? "stepback.exe" : "stepback";
  const bare = configured !== "" && !/[\\/]/.test(configured) ? configured : undefined;
  if (configured !== "" && bare === undefined) {
    const file = path.resolve(where.folder ?? where.home, configured.replace(/^~(?=[\\/])/, where.home));
    return (await executable(file))
      ? { binary: file }
      : { missing: `There is no program at ${file}, which the setting "stepback.path" names. Build it, or correct the setting.` };
  }
  const folders = where.path.split(where.platform === "win32" ? ";" : ":").filter((folder) => path.isAbsolute(folder));
  for (const folder of [...folders, path.join(where.home, ".cargo", "bin")]) {
    const file = path.join(folder, bare ?? name);
    if (await executable(file)) {
      return { binary: file };
    }
  }
  return {
    missing:
      `The program "${bare ?? name}" is not on the PATH of the editor. Install it with "cargo install --path runner/cli" ` +
      'in a clone of Stepback, or name it in the setting "stepback.path".',
  };
}
