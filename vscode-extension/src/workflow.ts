/**
 * Where the jobs and steps of a workflow file stand.
 *
 * Only positions and names are read, by a parser that goes on behind mistakes, since the file is one that a person is
 * typing. Whether the workflow is right is for `stepback check` to say. This file knows no editor.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, Node, Pair, YAMLMap } from "yaml";

/** A step, and the line (from 0) where it begins. */
export interface StepMark {
  /** From 1, as people count. */
  number: number;
  id?: string;
  /** What a person would call it: its name, else what it uses, else the first line of what it runs. */
  label: string;
  line: number;
}

/** A job, and the line (from 0) of its key. */
export interface JobMark {
  id: string;
  name?: string;
  line: number;
  steps: StepMark[];
  /** The reusable workflow that it calls; such a job has no steps of its own. */
  uses?: string;
  /** It is run once per combination. */
  matrix: boolean;
}

/** Files above this are generated, and too slow to parse on every key press. Characters. */
const LONGEST = 1_000_000;

const WORKFLOW = /[\\/]\.github[\\/]workflows[\\/][^\\/]+\.ya?ml$/;

/** Whether a path is that of a workflow: a YAML file right in `.github/workflows`. */
export function isWorkflowPath(path: string): boolean {
  return WORKFLOW.test(path);
}

/** Finds the jobs of a workflow, in their order. A text that is no workflow has none. */
export function findJobs(text: string): JobMark[] {
  if (text.length > LONGEST) {
    return [];
  }
  const lines = new LineCounter();
  // `uniqueKeys` off: of a key that stands twice while someone types, both jobs are shown.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, logLevel: "silent", merge: false });
  const lineAt = (node: Node): number => lines.linePos(node.range?.[0] ?? 0).line - 1;
  const finder = new Finder(document, lineAt);
  const jobs = finder.member(document.contents, "jobs");
  return isMap(jobs) ? jobs.items.flatMap((pair) => finder.job(pair)) : [];
}

/** The job whose lines a line (from 0) lies in, for "debug the job at the cursor". */
export function jobAt(jobs: readonly JobMark[], line: number): JobMark | undefined {
  return jobs.findLast((job) => job.line <= line);
}

class Finder {
  constructor(
    private readonly document: Document,
    private readonly lineAt: (node: Node) => number,
  ) {}

  job(pair: Pair): JobMark[] {
    const key = pair.key;
    if (!isScalar(key) || key.value === null || key.value === "") {
      return [];
    }
    const body = this.resolve(pair.value);
    const steps = this.member(body, "steps");
    const name = this.text(body, "name");
    const uses = this.text(body, "uses");
    return [
      {
        id: String(key.value),
        ...(name === undefined ? {} : { name }),
        ...(uses === undefined ? {} : { uses }),
        line: this.lineAt(key),
        steps: isSeq(steps) ? steps.items.flatMap((item, index) => this.step(item, index + 1)) : [],
        matrix: this.member(this.member(body, "strategy"), "matrix") !== undefined,
      },
    ];
  }

  private step(item: unknown, number: number): StepMark[] {
    const step = this.resolve(item);
    if (!isMap(step)) {
      return [];
    }
    const id = this.text(step, "id");
    const label = this.text(step, "name") ?? this.text(step, "uses") ?? firstLine(this.text(step, "run")) ?? `step ${number}`;
    // A step that is an alias stands where the alias stands: two steps may share what it stands for.
    const place = isAlias(item) ? item : step;
    return [{ number, ...(id === undefined ? {} : { id }), label, line: this.lineAt(place) }];
  }

  /** The value of a key of a mapping, through aliases. Of a key that stands twice, the first. */
  member(node: unknown, key: string): Node | undefined {
    const map = this.resolve(node);
    if (!isMap(map)) {
      return undefined;
    }
    const pair = (map as YAMLMap).items.find((item) => isScalar(item.key) && item.key.value === key);
    return this.resolve(pair?.value);
  }

  private text(node: unknown, key: string): string | undefined {
    const value = this.member(node, key);
    return isScalar(value) && value.value !== null && value.value !== undefined && value.value !== "" ? String(value.value) : undefined;
  }

  private resolve(node: unknown): Node | undefined {
    const target = isAlias(node) ? node.resolve(this.document) : node;
    return typeof target === "object" && target !== null ? (target as Node) : undefined;
  }
}

function firstLine(text: string | undefined): string | undefined {
  const line = text?.split("\n").find((each) => each.trim() !== "")?.trim();
  return line === undefined ? undefined : line;
}
