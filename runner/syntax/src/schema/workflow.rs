//! The keys of a workflow file: what may stand where, and which contexts each may use.
//!
//! Facts from the languageservices schema (`schema/workflow-v1.0.json`) and steps.md 1.5; knows
//! no meaning of a key.

use expr::FunctionSignature;

use super::definition::{
    ANY, BOOLEAN, Definition, NON_EMPTY, NON_EMPTY_STRINGS, NULL, NUMBER, ONE_OR_MORE, Property, SEQUENCE,
    STRING,
};
use super::events::ON;

const MAX_ARGUMENTS: usize = 255;
static HASH_FILES: &[FunctionSignature] = &[FunctionSignature::new("hashFiles", 1, MAX_ARGUMENTS)];
static STEP_IF_FUNCTIONS: &[FunctionSignature] = &[
    FunctionSignature::new("always", 0, 0),
    FunctionSignature::new("failure", 0, 0),
    FunctionSignature::new("cancelled", 0, 0),
    FunctionSignature::new("success", 0, 0),
    FunctionSignature::new("hashFiles", 1, MAX_ARGUMENTS),
];
/// In a job's `if` the status functions may name needed jobs.
static JOB_IF_FUNCTIONS: &[FunctionSignature] = &[
    FunctionSignature::new("always", 0, 0),
    FunctionSignature::new("failure", 0, usize::MAX),
    FunctionSignature::new("cancelled", 0, 0),
    FunctionSignature::new("success", 0, usize::MAX),
];

static GLOBAL: &[&str] = &["github", "inputs", "vars"];
static NEEDS: &[&str] = &["github", "inputs", "vars", "needs"];
static STRATEGY: &[&str] = &["github", "inputs", "vars", "needs", "strategy", "matrix"];
static STRATEGY_SECRETS: &[&str] = &["github", "inputs", "vars", "needs", "strategy", "matrix", "secrets"];
static STEPS: &[&str] =
    &["github", "inputs", "vars", "needs", "strategy", "matrix", "secrets", "steps", "job", "runner", "env"];
static STEPS_NO_SECRETS: &[&str] =
    &["github", "inputs", "vars", "needs", "strategy", "matrix", "steps", "job", "runner", "env"];

/// The whole file.
pub(crate) static ROOT: Definition = Definition::mapping(&[
    Property::required("on", &ON),
    Property::optional("name", &STRING),
    Property::optional("description", &STRING),
    Property::optional("run-name", &Definition::string().using(GLOBAL)),
    Property::optional("defaults", &DEFAULTS),
    Property::optional("env", &Definition::map_of(&STRING).using(&["github", "inputs", "vars", "secrets"])),
    Property::optional("permissions", &PERMISSIONS),
    Property::optional("concurrency", &Definition::one_of(&[&STRING, &CONCURRENCY]).using(GLOBAL)),
    Property::required("jobs", &JOBS),
]);

static RUN_DEFAULTS: &[Property] =
    &[Property::optional("shell", &NON_EMPTY), Property::optional("working-directory", &NON_EMPTY)];
static DEFAULTS: Definition =
    Definition::mapping(&[Property::optional("run", &Definition::mapping(RUN_DEFAULTS))]);
static JOB_DEFAULTS: Definition = Definition::mapping(&[Property::optional(
    "run",
    &Definition::mapping(RUN_DEFAULTS)
        .using(&["github", "inputs", "vars", "strategy", "matrix", "needs", "env"]),
)]);

static LEVELS: Definition = Definition::values(&["read", "write", "none"]);
static READ: Definition = Definition::values(&["read", "none"]);
static WRITE: Definition = Definition::values(&["write", "none"]);
static PERMISSIONS: Definition =
    Definition::one_of(&[&PERMISSION_SCOPES, &Definition::values(&["read-all", "write-all"])]);
static PERMISSION_SCOPES: Definition = Definition::mapping(&[
    Property::optional("actions", &LEVELS),
    Property::optional("artifact-metadata", &LEVELS),
    Property::optional("attestations", &LEVELS),
    Property::optional("checks", &LEVELS),
    Property::optional("code-quality", &LEVELS),
    Property::optional("contents", &LEVELS),
    Property::optional("copilot-requests", &WRITE),
    Property::optional("deployments", &LEVELS),
    Property::optional("discussions", &LEVELS),
    Property::optional("drives", &LEVELS),
    Property::optional("id-token", &WRITE),
    Property::optional("issues", &LEVELS),
    Property::optional("models", &READ),
    Property::optional("packages", &LEVELS),
    Property::optional("pages", &LEVELS),
    Property::optional("pull-requests", &LEVELS),
    Property::optional("repository-projects", &LEVELS),
    Property::optional("security-events", &LEVELS),
    Property::optional("statuses", &LEVELS),
    Property::optional("vulnerability-alerts", &READ),
    Property::optional("workflows", &WRITE),
]);

static CONCURRENCY: Definition = Definition::mapping(&[
    Property::required("group", &NON_EMPTY),
    Property::optional("cancel-in-progress", &BOOLEAN),
    Property::optional("queue", &Definition::values(&["single", "max"])),
]);

/// `jobs:`
pub(crate) static JOBS: Definition = Definition::isolated_map_of(&JOB);
/// One job.
pub(crate) static JOB: Definition = Definition::one_of(&[&STEPS_JOB, &REUSABLE_JOB]);

static STEPS_JOB: Definition = Definition::mapping(&[
    Property::optional("needs", &ONE_OR_MORE),
    Property::optional("if", &JOB_IF),
    Property::optional("strategy", &STRATEGY_KEYS),
    Property::optional("name", &STRATEGY_STRING),
    Property::required("runs-on", &RUNS_ON),
    Property::optional("timeout-minutes", &STRATEGY_NUMBER),
    Property::optional("cancel-timeout-minutes", &STRATEGY_NUMBER),
    Property::optional("continue-on-error", &STRATEGY_BOOLEAN),
    Property::optional("container", &Definition::one_of(&[&STRING, &CONTAINER]).using(STRATEGY)),
    Property::optional("services", &SERVICES),
    Property::optional("env", &Definition::map_of(&STRING).using(STRATEGY_SECRETS)),
    Property::optional("environment", &ENVIRONMENT),
    Property::optional("permissions", &PERMISSIONS),
    Property::optional("concurrency", &JOB_CONCURRENCY),
    Property::optional("outputs", &Definition::map_of(&RUNNER_STRING)),
    Property::optional("defaults", &JOB_DEFAULTS),
    Property::optional("steps", &JOB_STEPS),
    Property::optional("snapshot", &SNAPSHOT),
]);

static REUSABLE_JOB: Definition = Definition::mapping(&[
    Property::optional("name", &STRATEGY_STRING),
    Property::required("uses", &NON_EMPTY),
    Property::optional("with", &Definition::map_of(&Definition::one_of(SCALARS).using(STRATEGY))),
    Property::optional(
        "secrets",
        &Definition::one_of(&[
            &Definition::map_of(&Definition::one_of(SCALARS).using(STRATEGY_SECRETS)),
            &Definition::values(&["inherit"]),
        ]),
    ),
    Property::optional("needs", &ONE_OR_MORE),
    Property::optional("if", &JOB_IF),
    Property::optional("permissions", &PERMISSIONS),
    Property::optional("concurrency", &JOB_CONCURRENCY),
    Property::optional("strategy", &STRATEGY_KEYS),
]);

static SCALARS: &[&Definition] = &[&STRING, &BOOLEAN, &NUMBER];
static STRATEGY_STRING: Definition = Definition::string().using(STRATEGY);
static STRATEGY_NUMBER: Definition = Definition::new(super::definition::Kind::Number).using(STRATEGY);
static STRATEGY_BOOLEAN: Definition = Definition::new(super::definition::Kind::Boolean).using(STRATEGY);
static RUNNER_STRING: Definition = Definition::string().using(STEPS);
static STEPS_STRING: Definition = Definition::string().using(STEPS).calling(HASH_FILES);

/// A job's `if`.
pub(crate) static JOB_IF: Definition = Definition::string().using(NEEDS).calling(JOB_IF_FUNCTIONS);
/// A step's `if`.
pub(crate) static STEP_IF: Definition =
    Definition::string().using(STEPS_NO_SECRETS).calling(STEP_IF_FUNCTIONS);
/// A snapshot's `if`; GitHub adds the step functions when it converts the condition.
pub(crate) static SNAPSHOT_IF: Definition = Definition::string().using(STRATEGY).calling(STEP_IF_FUNCTIONS);

static STRATEGY_KEYS: Definition = Definition::mapping(&[
    Property::optional("fail-fast", &BOOLEAN),
    Property::optional("max-parallel", &NUMBER),
    Property::optional("matrix", &Definition::open_mapping(MATRIX_FILTERS, &SEQUENCE)),
])
.using(NEEDS);
static MATRIX_FILTERS: &[Property] = &[
    Property::optional("include", &Definition::sequence(&Definition::map_of(&ANY))),
    Property::optional("exclude", &Definition::sequence(&Definition::map_of(&ANY))),
];

static RUNS_ON: Definition = Definition::one_of(&[
    &NON_EMPTY,
    &NON_EMPTY_STRINGS,
    &Definition::mapping(&[
        Property::optional("group", &NON_EMPTY),
        Property::optional("labels", &ONE_OR_MORE),
    ]),
])
.using(STRATEGY);

static JOB_CONCURRENCY: Definition = Definition::one_of(&[&NON_EMPTY, &CONCURRENCY]).using(STRATEGY);

static ENVIRONMENT: Definition = Definition::one_of(&[
    &STRING,
    &Definition::mapping(&[
        Property::required("name", &STRATEGY_STRING),
        Property::optional("url", &Definition::string().using(STEPS_NO_SECRETS)),
        Property::optional("deployment", &BOOLEAN),
    ]),
])
.using(STRATEGY);

static SNAPSHOT: Definition = Definition::one_of(&[
    &NON_EMPTY,
    &Definition::mapping(&[
        Property::required("image-name", &NON_EMPTY),
        Property::optional("if", &SNAPSHOT_IF),
        Property::optional("version", &NON_EMPTY),
    ]),
]);

static CONTAINER: Definition = Definition::mapping(&[
    Property::optional("image", &NON_EMPTY),
    Property::optional("options", &STRING),
    Property::optional("env", &Definition::map_of(&RUNNER_STRING)),
    Property::optional("ports", &NON_EMPTY_STRINGS),
    Property::optional("volumes", &NON_EMPTY_STRINGS),
    Property::optional("credentials", &CREDENTIALS),
]);
static SERVICE: Definition = Definition::mapping(&[
    Property::optional("image", &NON_EMPTY),
    Property::optional("options", &STRING),
    Property::optional("env", &Definition::map_of(&RUNNER_STRING)),
    Property::optional("ports", &NON_EMPTY_STRINGS),
    Property::optional("volumes", &NON_EMPTY_STRINGS),
    Property::optional("credentials", &CREDENTIALS),
    Property::optional("entrypoint", &STRING),
    Property::optional("command", &STRING),
]);
static SERVICES: Definition =
    Definition::map_of(&Definition::one_of(&[&NON_EMPTY, &SERVICE])).using(STRATEGY);
static CREDENTIALS: Definition = Definition::mapping(&[
    Property::optional("username", &NON_EMPTY),
    Property::optional("password", &NON_EMPTY),
])
.using(&["github", "inputs", "vars", "secrets", "env"]);

static JOB_STEPS: Definition = Definition::sequence(&STEP);
/// One step.
pub(crate) static STEP: Definition =
    Definition::one_of(&[&RUN_STEP, &USES_STEP, &WAIT_STEP, &WAIT_ALL_STEP, &CANCEL_STEP, &PARALLEL_STEP]);

/// Keys that stand behind `ReadOptions::background_steps`.
pub(crate) const BACKGROUND_KEYS: &[&str] = &["background", "wait", "wait-all", "cancel"];

static STEP_ENV: Definition = Definition::map_of(&STRING).using(STEPS).calling(HASH_FILES);
static STEP_BOOLEAN: Definition =
    Definition::new(super::definition::Kind::Boolean).using(STEPS).calling(HASH_FILES);
static STEP_NUMBER: Definition =
    Definition::new(super::definition::Kind::Number).using(STEPS).calling(HASH_FILES);

static RUN_STEP: Definition = Definition::mapping(&[
    Property::optional("name", &STEPS_STRING),
    Property::optional("id", &NON_EMPTY),
    Property::optional("if", &STEP_IF),
    Property::optional("timeout-minutes", &STEP_NUMBER),
    Property::required("run", &STEPS_STRING),
    Property::optional("continue-on-error", &STEP_BOOLEAN),
    Property::optional("env", &STEP_ENV),
    Property::optional("working-directory", &STEPS_STRING),
    Property::optional("shell", &NON_EMPTY),
    Property::optional("background", &BOOLEAN),
]);
static USES_STEP: Definition = Definition::mapping(&[
    Property::optional("name", &STEPS_STRING),
    Property::optional("id", &NON_EMPTY),
    Property::optional("if", &STEP_IF),
    Property::optional("continue-on-error", &STEP_BOOLEAN),
    Property::optional("timeout-minutes", &STEP_NUMBER),
    Property::required("uses", &NON_EMPTY),
    Property::optional("with", &STEP_ENV),
    Property::optional("env", &STEP_ENV),
    Property::optional("background", &BOOLEAN),
]);
static WAIT_STEP: Definition = Definition::mapping(&[
    Property::optional("name", &STEPS_STRING),
    Property::optional("id", &NON_EMPTY),
    Property::optional("continue-on-error", &STEP_BOOLEAN),
    Property::required("wait", &ONE_OR_MORE),
]);
static WAIT_ALL_STEP: Definition = Definition::mapping(&[
    Property::optional("name", &STEPS_STRING),
    Property::optional("id", &NON_EMPTY),
    Property::optional("continue-on-error", &STEP_BOOLEAN),
    Property::required("wait-all", &Definition::one_of(&[&NULL, &BOOLEAN])),
]);
static CANCEL_STEP: Definition = Definition::mapping(&[
    Property::optional("name", &STEPS_STRING),
    Property::optional("id", &NON_EMPTY),
    Property::optional("continue-on-error", &STEP_BOOLEAN),
    Property::required("cancel", &NON_EMPTY),
]);
static PARALLEL_STEP: Definition =
    Definition::mapping(&[Property::required("parallel", &Definition::sequence(&STEP))]);
