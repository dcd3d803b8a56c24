/** Puts the parts together when the editor starts the extension. */
import * as vscode from "vscode";
import { AdapterFactory } from "./adapter";
import { registerCommands } from "./commands";
import { Lenses, SELECTOR } from "./lenses";
import { ConfigurationProvider, JobConfigurations } from "./provider";
import { Sessions, TYPE } from "./sessions";
import { TimelineView } from "./view";

/** Called once by the editor. */
export function activate(context: vscode.ExtensionContext): void {
  const sessions = new Sessions();
  const lenses = new Lenses();
  const view = new TimelineView(context.extensionUri, sessions, context.globalState);
  const jobs = new JobConfigurations();
  context.subscriptions.push(
    sessions,
    lenses,
    view,
    registerCommands(sessions),
    vscode.debug.registerDebugAdapterDescriptorFactory(TYPE, new AdapterFactory()),
    vscode.debug.registerDebugConfigurationProvider(TYPE, new ConfigurationProvider()),
    vscode.debug.registerDebugConfigurationProvider(TYPE, jobs, vscode.DebugConfigurationProviderTriggerKind.Initial),
    vscode.debug.registerDebugConfigurationProvider(TYPE, jobs, vscode.DebugConfigurationProviderTriggerKind.Dynamic),
    vscode.languages.registerCodeLensProvider(SELECTOR, lenses),
    vscode.window.registerWebviewViewProvider(TimelineView.id, view),
  );
}
