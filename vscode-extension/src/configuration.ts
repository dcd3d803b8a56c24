/**
 * What may stand in a launch configuration of ours, and what may not. This file knows no editor.
 *
 * Secret values are refused wherever they could be written down. A launch.json is committed, settings are synced, and
 * neither is a place for them; `secretFile` and the question for the token are.
 */
import { BadAddress, parseAddress } from "./address";

/** The members of a configuration, as the editor hands them over. */
export type Members = Readonly<Record<string, unknown>>;

/** Names under which people would look for a place for secrets. */
const SECRETS = ["secrets", "secret", "secretValues"];

/** A variable of the editor that asks, so that nothing is stored. */
const ASKS = /^\$\{(input|command):.+\}$/;

/**
 * What is wrong with a configuration as it is written down, before variables are filled in; undefined when nothing is.
 */
export function refuseSecrets(config: Members): string | undefined {
  const found = SECRETS.find((name) => config[name] !== undefined);
  if (found !== undefined) {
    return (
      `"${found}" cannot stand in a launch configuration: secrets do not belong in files that are committed. ` +
      'Put NAME=value lines into a file outside the repository, and name it in "secretFile".'
    );
  }
  const token = config["token"];
  if (token !== undefined && !(typeof token === "string" && ASKS.test(token))) {
    return 'A token must not be written down. Leave "token" out, and you are asked for it, or use "${command:AskToken}".';
  }
  return undefined;
}

/** What is wrong with a configuration that is about to be used, variables filled in; undefined when nothing is. */
export function findMistake(config: Members): string | undefined {
  return config["request"] === "attach" ? mistakeOfAttach(config) : mistakeOfLaunch(config);
}

function mistakeOfAttach(config: Members): string | undefined {
  const { address, recording } = config;
  if (address !== undefined && recording !== undefined) {
    return 'Give "address" to attach to a job, or "recording" to open one that has run, and not both.';
  }
  if (recording !== undefined) {
    if (!isText(recording)) {
      return '"recording" must be the name of a recording, its folder, or "last".';
    }
    const { secretFile } = config;
    return secretFile === undefined || isText(secretFile) ? undefined : '"secretFile" must be a text that is not empty.';
  }
  if (typeof address !== "string") {
    return 'To attach, give the "address" that `stepback debug --listen` prints, or a "recording" to open.';
  }
  try {
    parseAddress(address);
    return undefined;
  } catch (error) {
    if (error instanceof BadAddress) {
      return error.message;
    }
    throw error;
  }
}

function mistakeOfLaunch(config: Members): string | undefined {
  for (const name of ["workflow", "job", "cwd", "event", "eventPath", "secretFile", "githubApiUrl"]) {
    const value = config[name];
    if (value !== undefined && !isText(value)) {
      return `"${name}" must be a text that is not empty.`;
    }
  }
  for (const name of ["inputs", "vars", "env", "matrix"]) {
    const value = config[name];
    if (value !== undefined && (typeof value !== "object" || value === null || Array.isArray(value))) {
      return `"${name}" must be an object, as in {"NAME": "value"}.`;
    }
  }
  for (const name of ["record", "offline", "stopOnEntry"]) {
    const value = config[name];
    if (value !== undefined && typeof value !== "boolean") {
      return `"${name}" must be true or false.`;
    }
  }
  const slots = config["backgroundSlots"];
  if (slots !== undefined && !(Number.isInteger(slots) && (slots as number) > 0)) {
    return '"backgroundSlots" must be a whole number from 1.';
  }
  const workspace = config["workspace"];
  if (workspace !== undefined && workspace !== "fresh" && workspace !== "in-place") {
    return '"workspace" is "fresh", a folder of its own, or "in-place", your own tree.';
  }
  return undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
