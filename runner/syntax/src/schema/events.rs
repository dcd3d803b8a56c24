//! The events of `on:`, their filters and their activity types.
//!
//! Facts from the languageservices schema (`schema/workflow-v1.0.json`, branch main); knows no job.

use super::definition::{
    BOOLEAN, Definition, Kind, NON_EMPTY, NULL, NUMBER, ONE_OR_MORE, Property, STRING, STRINGS, Text,
};

/// `null`, or a mapping with `types` and other filters.
macro_rules! event {
    ($name:literal) => {
        Property::optional($name, &NULL)
    };
    ($name:literal, [$($type:literal)*] $(, $filter:literal)*) => {
        Property::optional($name, &Definition::one_of(&[
            &NULL,
            &Definition::mapping(&[
                $(Property::optional($filter, &ONE_OR_MORE),)*
                Property::optional("types", &Definition::one_of(&[
                    &Definition::values(&[$($type),*]),
                    &Definition::sequence(&Definition::values(&[$($type),*])),
                ])),
            ]),
        ]))
    };
}

macro_rules! pull_request {
    ($name:literal) => {
        event!($name, [
            "assigned" "unassigned" "labeled" "unlabeled" "opened" "edited" "closed" "reopened" "synchronize"
            "converted_to_draft" "locked" "unlocked" "enqueued" "dequeued" "milestoned" "demilestoned"
            "ready_for_review" "review_requested" "review_request_removed" "auto_merge_enabled"
            "auto_merge_disabled" "stacked"
        ], "branches", "branches-ignore", "paths", "paths-ignore")
    };
}

/// Every event, as a key of `on:`.
static EVENTS: &[Property] = &[
    event!("branch_protection_rule", ["created" "edited" "deleted"]),
    event!("check_run", ["completed" "created" "rerequested" "requested_action"]),
    event!("check_suite", ["completed"]),
    event!("create"),
    event!("delete"),
    event!("deployment"),
    event!("deployment_status"),
    event!("discussion", [
        "created" "edited" "deleted" "transferred" "pinned" "unpinned" "labeled" "unlabeled" "locked" "unlocked"
        "category_changed" "answered" "unanswered"
    ]),
    event!("discussion_comment", ["created" "edited" "deleted"]),
    event!("fork"),
    event!("gollum"),
    event!("image_version", ["created" "ready" "deleted"], "names", "versions"),
    event!("issue_comment", ["created" "edited" "deleted"]),
    event!("issues", [
        "opened" "edited" "deleted" "transferred" "pinned" "unpinned" "closed" "reopened" "assigned" "unassigned"
        "labeled" "unlabeled" "locked" "unlocked" "milestoned" "demilestoned" "field_added" "field_removed"
        "typed" "untyped"
    ]),
    event!("label", ["created" "edited" "deleted"]),
    event!("merge_group", ["checks_requested"], "branches", "branches-ignore"),
    event!("milestone", ["created" "closed" "opened" "edited" "deleted"]),
    event!("page_build"),
    event!("project", ["created" "closed" "reopened" "edited" "deleted"]),
    event!("project_card", ["created" "moved" "converted" "edited" "deleted"]),
    event!("project_column", ["created" "updated" "moved" "deleted"]),
    event!("public"),
    pull_request!("pull_request"),
    event!("pull_request_comment", ["created" "edited" "deleted"]),
    event!("pull_request_review", ["submitted" "edited" "dismissed"]),
    event!("pull_request_review_comment", ["created" "edited" "deleted"]),
    pull_request!("pull_request_target"),
    Property::optional("push", &PUSH),
    event!("registry_package", ["published" "updated"]),
    event!("release", ["published" "unpublished" "created" "edited" "deleted" "prereleased" "released"]),
    Property::optional("repository_dispatch", &REPOSITORY_DISPATCH),
    Property::optional("schedule", &SCHEDULE),
    event!("status"),
    event!("watch", ["started"]),
    Property::optional("workflow_call", &WORKFLOW_CALL),
    Property::optional("workflow_dispatch", &WORKFLOW_DISPATCH),
    event!("workflow_run", ["requested" "completed" "in_progress"], "workflows", "branches", "branches-ignore"),
];

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses an index that is out of bounds"
)]
static NAMES: [&str; EVENTS.len()] = {
    let mut names = [""; EVENTS.len()];
    let mut index = 0;
    while index < EVENTS.len() {
        names[index] = EVENTS[index].name;
        index += 1;
    }
    names
};

static NAME: Definition = Definition::new(Kind::String(Text::Values(&NAMES)));

/// `on:`
pub(super) static ON: Definition =
    Definition::one_of(&[&NAME, &Definition::sequence(&NAME), &Definition::mapping(EVENTS)]);

static PUSH: Definition = Definition::one_of(&[
    &NULL,
    &Definition::mapping(&[
        Property::optional("branches", &ONE_OR_MORE),
        Property::optional("branches-ignore", &ONE_OR_MORE),
        Property::optional("tags", &ONE_OR_MORE),
        Property::optional("tags-ignore", &ONE_OR_MORE),
        Property::optional("paths", &ONE_OR_MORE),
        Property::optional("paths-ignore", &ONE_OR_MORE),
    ]),
]);

static REPOSITORY_DISPATCH: Definition =
    Definition::one_of(&[&NULL, &Definition::mapping(&[Property::optional("types", &ONE_OR_MORE)])]);

static SCHEDULE: Definition = Definition::sequence(&Definition::mapping(&[
    Property::required("cron", &NON_EMPTY),
    Property::optional("timezone", &NON_EMPTY),
]));

static DEFAULT_VALUE: Definition = Definition::one_of(&[&STRING, &BOOLEAN, &NUMBER]);
static CALL_DEFAULT: Definition =
    Definition::one_of(&[&STRING, &BOOLEAN, &NUMBER]).using(&["github", "inputs", "vars"]);
static OUTPUT_VALUE: Definition = Definition::string().using(&["github", "inputs", "vars", "jobs"]);

static WORKFLOW_CALL: Definition = Definition::one_of(&[
    &NULL,
    &Definition::mapping(&[
        Property::optional("inputs", &Definition::map_of(&CALL_INPUT)),
        Property::optional("secrets", &Definition::map_of(&CALL_SECRET)),
        Property::optional("outputs", &Definition::map_of(&CALL_OUTPUT)),
    ]),
]);

static CALL_INPUT: Definition = Definition::mapping(&[
    Property::optional("description", &STRING),
    Property::required("type", &Definition::values(&["string", "boolean", "number"])),
    Property::optional("required", &BOOLEAN),
    Property::optional("default", &CALL_DEFAULT),
]);

static CALL_SECRET: Definition = Definition::one_of(&[
    &NULL,
    &Definition::mapping(&[
        Property::optional("description", &STRING),
        Property::optional("required", &BOOLEAN),
    ]),
]);

static CALL_OUTPUT: Definition = Definition::mapping(&[
    Property::optional("description", &STRING),
    Property::required("value", &OUTPUT_VALUE),
]);

static WORKFLOW_DISPATCH: Definition = Definition::one_of(&[
    &NULL,
    &Definition::lenient_mapping(&[Property::optional(
        "inputs",
        &Definition::one_of(&[&NULL, &Definition::map_of(&DISPATCH_INPUT)]),
    )]),
]);

static DISPATCH_INPUT: Definition = Definition::one_of(&[
    &NULL,
    &Definition::lenient_mapping(&[
        Property::optional("description", &STRING),
        Property::optional(
            "type",
            &Definition::values(&["string", "boolean", "number", "environment", "choice"]),
        ),
        Property::optional("required", &BOOLEAN),
        Property::optional("default", &DEFAULT_VALUE),
        Property::optional("options", &STRINGS),
    ]),
]);
