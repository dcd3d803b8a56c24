//! The keys of an action manifest, as the runner reads them (steps.md 4.2).
//!
//! Facts from actions/runner `action_yaml.json`, with the composite keys of current releases;
//! knows no meaning of a key.

use expr::FunctionSignature;

use super::definition::{ANY, Definition, NON_EMPTY, Property, STRING};

static HASH_FILES: &[FunctionSignature] = &[FunctionSignature::new("hashFiles", 1, 255)];
static STEP_IF_FUNCTIONS: &[FunctionSignature] = &[
    FunctionSignature::new("always", 0, 0),
    FunctionSignature::new("failure", 0, 0),
    FunctionSignature::new("cancelled", 0, 0),
    FunctionSignature::new("success", 0, 0),
    FunctionSignature::new("hashFiles", 1, 255),
];
static STEPS: &[&str] = &["github", "inputs", "strategy", "matrix", "steps", "job", "runner", "env"];

/// The whole manifest.
pub(crate) static ROOT: Definition = Definition::open_mapping(
    &[
        Property::optional("name", &STRING),
        Property::optional("description", &STRING),
        Property::optional("inputs", &Definition::map_of(&INPUT)),
        Property::optional("outputs", &Definition::map_of(&OUTPUT)),
        Property::optional("runs", &RUNS),
    ],
    &ANY,
);

static INPUT: Definition = Definition::open_mapping(&[Property::optional("default", &INPUT_DEFAULT)], &ANY);
static INPUT_DEFAULT: Definition =
    Definition::string().using(&["github", "strategy", "matrix", "job", "runner"]).calling(HASH_FILES);
static OUTPUT: Definition = Definition::mapping(&[
    Property::optional("description", &STRING),
    Property::optional("value", &Definition::string().using(STEPS)),
]);

static RUNS: Definition = Definition::one_of(&[&DOCKER, &NODE, &PLUGIN, &COMPOSITE]);
static DOCKER: Definition = Definition::mapping(&[
    Property::optional("using", &NON_EMPTY),
    Property::optional("image", &NON_EMPTY),
    Property::optional("entrypoint", &NON_EMPTY),
    Property::optional("args", &Definition::sequence(&Definition::string().using(&["inputs"]))),
    Property::optional("env", &Definition::map_of(&STRING).using(&["inputs"])),
    Property::optional("pre-entrypoint", &NON_EMPTY),
    Property::optional("pre-if", &NON_EMPTY),
    Property::optional("post-entrypoint", &NON_EMPTY),
    Property::optional("post-if", &NON_EMPTY),
]);
static NODE: Definition = Definition::mapping(&[
    Property::optional("using", &NON_EMPTY),
    Property::optional("main", &NON_EMPTY),
    Property::optional("pre", &NON_EMPTY),
    Property::optional("pre-if", &NON_EMPTY),
    Property::optional("post", &NON_EMPTY),
    Property::optional("post-if", &NON_EMPTY),
]);
static PLUGIN: Definition = Definition::mapping(&[Property::optional("plugin", &NON_EMPTY)]);
static COMPOSITE: Definition = Definition::mapping(&[
    Property::optional("using", &NON_EMPTY),
    Property::optional("steps", &Definition::sequence(&STEP)),
]);

/// One step of a composite action.
static STEP: Definition = Definition::one_of(&[&RUN_STEP, &USES_STEP]);
static STEPS_STRING: Definition = Definition::string().using(STEPS).calling(HASH_FILES);
static STEPS_BOOLEAN: Definition =
    Definition::new(super::definition::Kind::Boolean).using(STEPS).calling(HASH_FILES);
static STEP_ENV: Definition = Definition::map_of(&STRING).using(STEPS).calling(HASH_FILES);
/// The `if` of a composite step.
pub(crate) static STEP_IF: Definition = Definition::string().using(STEPS).calling(STEP_IF_FUNCTIONS);
/// `pre-if` and `post-if`: status functions, and what steps may read.
pub(crate) static STAGE_IF: Definition = Definition::string().using(STEPS).calling(STEP_IF_FUNCTIONS);

static RUN_STEP: Definition = Definition::mapping(&[
    Property::optional("name", &STEPS_STRING),
    Property::optional("id", &NON_EMPTY),
    Property::optional("if", &STEP_IF),
    Property::required("run", &STEPS_STRING),
    Property::optional("env", &STEP_ENV),
    Property::optional("continue-on-error", &STEPS_BOOLEAN),
    Property::optional("working-directory", &STEPS_STRING),
    Property::required("shell", &STEPS_STRING),
]);
static USES_STEP: Definition = Definition::mapping(&[
    Property::optional("name", &STEPS_STRING),
    Property::optional("id", &NON_EMPTY),
    Property::optional("if", &STEP_IF),
    Property::required("uses", &NON_EMPTY),
    Property::optional("continue-on-error", &STEPS_BOOLEAN),
    Property::optional("with", &STEP_ENV),
    Property::optional("env", &STEP_ENV),
]);
