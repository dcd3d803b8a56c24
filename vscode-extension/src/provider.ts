/** Completes launch configurations: asks for what is missing, and refuses what may not be. */
import * as path from "node:path";
import * as vscode from "vscode";
import { binaryFor } from "./adapter";
import { findMistake, refuseSecrets } from "./configuration";
import { jobsOf, pickJob, pickWorkflow, repositoryOf, workflowsOf } from "./jobs";
import { TYPE } from "./sessions";

type Config = vscode.DebugConfiguration;
type Folder = vscode.WorkspaceFolder | undefined;

/** Resolves the configurations of our sessions. */
export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
  /** Before variables are filled in: only now can be seen what is really written down. */
  resolveDebugConfiguration(_folder: Folder, config: Config): Config | undefined {
    // Started without any launch.json: the editor hands over nothing at all.
    const empty = !config.type && !config.request && !config.name;
    const started = empty ? { ...config, type: TYPE, request: "launch", name: "Debug a job" } : config;
    const refused = refuseSecrets(started);
    if (refused !== undefined) {
      void refuse(refused, "Open launch.json");
      return undefined;
    }
    return started;
  }

  async resolveDebugConfigurationWithSubstitutedVariables(folder: Folder, config: Config): Promise<Config | undefined> {
    const mistake = findMistake(config);
    if (mistake !== undefined) {
      void refuse(mistake, "Open launch.json");
      return undefined;
    }
    if (config.request === "attach" && config["address"] !== undefined) {
      return config;
    }
    const completed = config.request === "attach" ? config : await completeLaunch(folder, config);
    if (completed === undefined) {
      return undefined;
    }
    const found = await binaryFor(folder);
    if ("missing" in found) {
      void refuse(found.missing, "Open Settings");
      return undefined;
    }
    return completed;
  }
}

/** One configuration per job, for the list of what can be started and for a new launch.json. */
export class JobConfigurations implements vscode.DebugConfigurationProvider {
  async provideDebugConfigurations(folder: Folder): Promise<Config[]> {
    const files = await workflowsOf(folder);
    const perFile = await Promise.all(files.map(async (file) => (await jobsOf(file.fsPath) ?? []).map((job) => jobConfiguration(folder, file, job.id, files.length > 1))));
    const all = perFile.flat();
    return all.length > 0 ? all : [{ type: TYPE, request: "launch", name: "Debug a job", workflow: "${file}" }];
  }
}

function jobConfiguration(folder: Folder, file: vscode.Uri, job: string, several: boolean): Config {
  const name = several ? `Debug ${job} of ${path.basename(file.fsPath)}` : `Debug ${job}`;
  const within = folder === undefined ? undefined : path.relative(folder.uri.fsPath, file.fsPath).replaceAll("\\", "/");
  return { type: TYPE, request: "launch", name, workflow: within === undefined ? file.fsPath : `\${workspaceFolder}/${within}`, job };
}

/** Fills in the workflow, the job and the defaults. Undefined when the person gave up, or was told what is wrong. */
async function completeLaunch(folder: Folder, config: Config): Promise<Config | undefined> {
  const given = config["workflow"] as string | undefined;
  const base = (config["cwd"] as string | undefined) ?? folder?.uri.fsPath;
  const workflow = given === undefined ? await pickWorkflow(folder) : path.resolve(base ?? ".", given);
  if (workflow === undefined) {
    return undefined;
  }
  const job = await jobFor(workflow, config["job"] as string | undefined);
  if (job === undefined) {
    return undefined;
  }
  // The repository that the workflow lies in may be one inside the folder that is open.
  const cwd = (config["cwd"] as string | undefined) ?? repositoryOf(workflow) ?? base;
  return { record: true, stopOnEntry: false, ...config, workflow, job, ...(cwd === undefined ? {} : { cwd }) };
}

async function jobFor(workflow: string, given: string | undefined): Promise<string | undefined> {
  const jobs = await jobsOf(workflow);
  if (jobs === undefined) {
    void refuse(`There is no workflow at ${workflow}. Correct "workflow", or leave it out and be asked.`, "Open launch.json");
    return undefined;
  }
  if (jobs.length === 0) {
    void refuse(`${path.basename(workflow)} has no jobs. Open a workflow and start again, or name one in "workflow".`);
    return undefined;
  }
  if (given !== undefined && !jobs.some((job) => job.id === given)) {
    void refuse(`${path.basename(workflow)} has no job "${given}". Its jobs are: ${jobs.map((job) => job.id).join(", ")}.`, "Open launch.json");
    return undefined;
  }
  return given ?? pickJob(workflow, jobs);
}

async function refuse(text: string, ...actions: ("Open launch.json" | "Open Settings")[]): Promise<void> {
  const action = await vscode.window.showErrorMessage(text, ...actions);
  if (action === "Open launch.json") {
    await vscode.commands.executeCommand("workbench.action.debug.configure");
  } else if (action === "Open Settings") {
    await vscode.commands.executeCommand("workbench.action.openSettings", "stepback.path");
  }
}
