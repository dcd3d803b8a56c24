import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { findJobs, isWorkflowPath, jobAt } from "../src/workflow";

/** The line of each job and step, as `id@line` and `number label@line`, lines from 1 as an editor shows them. */
function places(text: string): string[] {
  return findJobs(text).flatMap((job) => [
    `${job.id}@${job.line + 1}`,
    ...job.steps.map((step) => `${step.number} ${step.label}@${step.line + 1}`),
  ]);
}

test("the repository's example", () => {
  const text = readFileSync("../docs/examples/greeting/.github/workflows/ci.yml", "utf8");
  assert.deepEqual(places(text), [
    "build@8",
    "1 Check out@13",
    "2 Read the version@15",
    "3 Generate@20",
    "4 Look for long lines@22",
    "5 Say what was built@26",
    "6 Clean up after a failure@30",
    "test@34",
    "1 Check out@38",
    "2 Generate@40",
    "3 Test@45",
    "4 Publish@48",
  ]);
});

test("a step is called by its name, else what it uses, else what it runs", () => {
  const text = ["jobs:", "  a:", "    steps:", "    - uses: actions/checkout@v4", "    - run: |", "", "        make all", "        make test", "    - id: x", "      if: always()"];
  assert.deepEqual(places(text.join("\n")), ["a@2", "1 actions/checkout@v4@4", "2 make all@5", "3 step 3@9"]);
  assert.equal(findJobs(text.join("\n"))[0]?.steps[2]?.id, "x");
});

test("flow style", () => {
  assert.deepEqual(places("{jobs: {a: {steps: [{run: one},\n {run: two}]}, b: {uses: ./.github/workflows/x.yml}}}"), ["a@1", "1 one@1", "2 two@2", "b@2"]);
});

test("a job that calls a workflow, and one with a matrix", () => {
  const jobs = findJobs("jobs:\n  a:\n    uses: ./x.yml\n  b:\n    name: B\n    strategy:\n      matrix: {os: [x]}\n    steps: []\n");
  assert.deepEqual(jobs, [
    { id: "a", uses: "./x.yml", line: 1, steps: [], matrix: false },
    { id: "b", name: "B", line: 3, steps: [], matrix: true },
  ]);
});

test("anchors: a shared list lies where it is written, a single alias where it is used", () => {
  const text = [
    "jobs:",
    "  a:",
    "    steps: &steps",
    "      - &checkout {uses: actions/checkout@v4}",
    "      - run: one",
    "  b:",
    "    steps: *steps",
    "  c:",
    "    steps:",
    "      - *checkout",
    "      - run: two",
  ];
  assert.deepEqual(places(text.join("\n")), [
    "a@2",
    "1 actions/checkout@v4@4",
    "2 one@5",
    "b@6",
    "1 actions/checkout@v4@4",
    "2 one@5",
    "c@8",
    "1 actions/checkout@v4@10",
    "2 two@11",
  ]);
});

test("broken YAML keeps what stands before and behind the mistake", () => {
  const text = ["jobs:", "  a:", "    steps:", "      - run: 'open", "  b:", "    steps:", "      - run: two"];
  assert.equal(places(text.join("\n"))[0], "a@2");
  const indented = ["jobs:", "  a:", "    steps:", "      - run: one", "     bad: indent", "  b:", "    steps:", "      - run: two"];
  assert.deepEqual(places(indented.join("\n")).slice(0, 2), ["a@2", "1 one@4"]);
  assert.deepEqual(places("jobs:\n  a:\n    steps:\n      - run: one\n  b:\n    steps:\n      - \n      - run: ${{ x }\n"), [
    "a@2",
    "1 one@4",
    "b@5",
    "2 ${{ x }@8",
  ]);
});

test("a job that stands twice is shown twice, and an empty one is still a job", () => {
  assert.deepEqual(places("jobs:\n  a:\n    steps:\n    - run: one\n  a:\n  b:\n"), ["a@2", "1 one@4", "a@5", "b@6"]);
});

test("what is no workflow has no jobs", () => {
  for (const text of ["", "   ", "- a\n- b", "jobs:", "jobs: 3", "jobs: [a, b]", "jobs: {}", "{{{{", "a: *nothing", "jobs: *nothing", "\u0000", "%YAML 9.9\n---\n&a [*a]"]) {
    assert.deepEqual(findJobs(text), [], JSON.stringify(text));
  }
  assert.deepEqual(findJobs(`jobs:\n  a:\n    steps: []\n#${"x".repeat(1_000_001)}`), []);
});

test("Windows line ends, tabs behind, comments between, several documents", () => {
  assert.deepEqual(places("on: push\r\njobs:\r\n  # first\r\n  a:\r\n    steps:\r\n      # why\r\n      - run: one\r\n"), ["a@4", "1 one@7"]);
  assert.deepEqual(places("jobs:\n  a:\n    steps:\n      -\n        name: one\n---\njobs:\n  b:\n"), ["a@2", "1 one@5"]);
});

test("an alias bomb costs nothing", () => {
  let text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (let level = 1; level < 12; level++) {
    text += `a${level}: &a${level} [${Array(9).fill(`*a${level - 1}`).join(", ")}]\n`;
  }
  const began = performance.now();
  assert.deepEqual(places(`${text}jobs:\n  a:\n    steps: *a11\n`), ["a@14"]);
  assert.ok(performance.now() - began < 1000);
});

test("five hundred steps take far less than a blink", () => {
  const text = `jobs:\n  a:\n    steps:\n${"      - name: x\n        run: |\n          echo one\n          echo two\n".repeat(500)}`;
  const began = performance.now();
  assert.equal(findJobs(text)[0]?.steps.length, 500);
  assert.ok(performance.now() - began < 1000);
});

test("the job at the cursor", () => {
  const jobs = findJobs("on: push\njobs:\n  a:\n    steps: []\n  b:\n    steps: []\n");
  assert.equal(jobAt(jobs, 0), undefined);
  assert.equal(jobAt(jobs, 3)?.id, "a");
  assert.equal(jobAt(jobs, 9)?.id, "b");
});

test("which files are workflows", () => {
  assert.ok(isWorkflowPath("/r/.github/workflows/ci.yml"));
  assert.ok(isWorkflowPath("C:\\r\\.github\\workflows\\ci.yaml"));
  assert.ok(!isWorkflowPath("/r/.github/workflows/deep/ci.yml"));
  assert.ok(!isWorkflowPath("/r/workflows/ci.yml"));
  assert.ok(!isWorkflowPath("/r/.github/workflows/ci.json"));
});
