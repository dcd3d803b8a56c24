//! What is used of the crate `dap`, and why not more.
//!
//! The project asks for that crate. Its 0.4.1-alpha1 is the newest release, follows version 1.62 of the protocol or so,
//! and has faults on the wire (numbered as in the project's notes on DAP, 2.3). A type is used when it has all members
//! of 1.71, writes no null for an absent one, keeps unknown values of open enumerations, and contains no type that
//! fails in one of these. Then it is re-exported here and used as it is; the tests read and write each of them.
//!
//! Not used, with ours in the family's file:
//!
//! - `Source` (names not in camel case: number, hint and data are lost, 4), and therefore all that contain one: `Scope`,
//!   `StackFrame`, `Breakpoint`, `DisassembledInstruction`, most arguments, most bodies;
//! - `SourceBreakpoint` (loses `hitCondition` and `logMessage`, 5), `Breakpoint` and `ExceptionBreakpointsFilter` (6), and
//!   therefore `Capabilities`, which also lacks three members of 1.71;
//! - `Variable`, `SetVariableResponse`, `EvaluateResponse` (no location references), `InstructionBreakpoint`,
//!   `ExceptionFilterOptions` (no `mode`), `StackFrameFormat` (no `hex`), `ColumnDescriptor` (`format` is required),
//!   `ModuleId` and so `Module` (no numbers);
//! - enumerations that refuse a value they do not know, where a client might send one: `SteppingGranularity`,
//!   `DataBreakpointAccessType` and so `DataBreakpoint`, `ChecksumAlgorithm` and so `Checksum`, `ExceptionBreakMode`,
//!   `VariablesArgumentsFilter`; and `CompletionItemType`, which writes `customColor`;
//! - `StoppedEventReason` (`function` for `function breakpoint`, 10), `Message` (nulls, 11);
//! - arguments: absent, null and `{}` have to be one (1, 2);
//! - bodies and events: nulls (11), missing ones (8), snake case (6); `Command`, `ResponseBody`, `Event`, `ReverseRequest`,
//!   `Request`, `Response`: no answer to what cannot be decoded (3), no command in errors (7), two numbers in reverse
//!   requests (9);
//! - `Server` and its writer: bytes after the body (12), header names by case (13), allocation of any announced length
//!   (14), blocking (15). Nothing of them is ever on the wire.

pub use dap::types::{
    BreakpointEventReason, BreakpointLocation, EvaluateArgumentsContext, ExceptionDetails,
    ExceptionPathSegment, FunctionBreakpoint, GotoTarget, InvalidatedAreas, OutputEventCategory, Thread,
    ThreadEventReason, ValueFormat, VariablePresentationHint, VariablePresentationHintAttributes,
    VariablePresentationHintKind, VariablePresentationHintVisibility,
};

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    /// What was read is written again, whole; and with required members alone nothing is added.
    #[track_caller]
    fn sound<T: Serialize + DeserializeOwned>(least: Value, most: Value) {
        for json in [least, most] {
            let read: T = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), json);
        }
    }

    #[test]
    fn structures_have_all_members() {
        let range = json!({"line": 1, "column": 2, "endLine": 3, "endColumn": 4});
        sound::<BreakpointLocation>(json!({"line": 1}), range);
        let function = json!({"name": "x", "condition": "c", "hitCondition": "h"});
        sound::<FunctionBreakpoint>(json!({"name": "x"}), function);
        sound::<ExceptionPathSegment>(json!({"names": []}), json!({"negate": true, "names": ["x"]}));
        sound::<Thread>(json!({"id": 1, "name": ""}), json!({"id": 1, "name": "x"}));
        sound::<ValueFormat>(json!({}), json!({"hex": true}));
        let target = json!({"id": 1, "label": "x", "line": 1, "column": 2, "endLine": 3, "endColumn": 4,
            "instructionPointerReference": "r"});
        sound::<GotoTarget>(json!({"id": 1, "label": "x", "line": 1}), target);
        let details = json!({"message": "m", "typeName": "t", "fullTypeName": "f", "evaluateName": "e",
            "stackTrace": "s", "innerException": [{}]});
        sound::<ExceptionDetails>(json!({}), details);
        let hint =
            json!({"kind": "virtual", "attributes": ["readOnly"], "visibility": "final", "lazy": true});
        sound::<VariablePresentationHint>(json!({}), hint);
    }

    #[test]
    fn enumerations_are_open() {
        sound::<BreakpointEventReason>(json!("changed"), json!("new to us"));
        sound::<EvaluateArgumentsContext>(json!("clipboard"), json!("new to us"));
        sound::<InvalidatedAreas>(json!("all"), json!("new to us"));
        sound::<OutputEventCategory>(json!("important"), json!("new to us"));
        sound::<ThreadEventReason>(json!("exited"), json!("new to us"));
        sound::<VariablePresentationHintKind>(json!("mostDerivedClass"), json!("new to us"));
        sound::<VariablePresentationHintAttributes>(json!("canHaveObjectId"), json!("new to us"));
        sound::<VariablePresentationHintVisibility>(json!("internal"), json!("new to us"));
    }
}
