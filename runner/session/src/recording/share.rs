//! Jobs that were read share what is equal in them, as they did when they ran: a hundred moments of one job take little
//! more room than one. It knows values and nothing of where they came from.

use std::sync::Arc;

use engine::expr::{Object, Value};
use engine::job::JobState;

/// Replaces what in `state` is equal to its like in `before` by the very same.
pub(super) fn share(state: &mut JobState, before: &JobState) {
    share_object(&mut state.inputs, &before.inputs);
    share_object(&mut state.steps, &before.steps);
    share_object(&mut state.env, &before.env);
    share_object(&mut state.outputs, &before.outputs);
    share_whole(&mut state.path, &before.path);
    share_whole(&mut state.saved_state, &before.saved_state);
    share_whole(&mut state.results, &before.results);
    share_whole(&mut state.actions, &before.actions);
    for (id, lane) in &mut state.lanes {
        let Some(scope) = &mut lane.scope else { continue };
        if let Some(known) = before.lanes.get(id).and_then(|lane| lane.scope.as_ref()) {
            share_object(&mut scope.env, &known.env);
        }
        share_object(&mut scope.env, &state.env);
    }
}

fn share_whole<T: PartialEq>(value: &mut Arc<T>, before: &Arc<T>) {
    if value == before {
        *value = Arc::clone(before);
    }
}

fn share_object(object: &mut Arc<Object>, before: &Arc<Object>) {
    if Arc::ptr_eq(object, before) {
        return;
    }
    if object == before {
        *object = Arc::clone(before);
        return;
    }
    let mut shared = Object::with_case(object.key_case());
    for (key, value) in object.iter() {
        match before.get_key_value(key) {
            Some((known, same)) if known == key => {
                shared.insert(Arc::clone(known), shared_value(value, same))
            }
            _ => shared.insert(Arc::clone(key), value.clone()),
        };
    }
    *object = Arc::new(shared);
}

/// `value`, or the equal one that is known already; of objects at least the entries that are equal.
fn shared_value(value: &Value, known: &Value) -> Value {
    match (value, known) {
        (value, known) if value == known => known.clone(),
        (Value::Object(object), Value::Object(known)) => {
            let mut object = Arc::clone(object);
            share_object(&mut object, known);
            Value::Object(object)
        }
        (value, _) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(version: &str) -> Arc<Object> {
        let step = |text: &str| Value::from(Object::from([("outputs", text)]));
        Arc::new(Object::from([("a", step("same")), ("b", step(version)), ("B2", step("same"))]))
    }

    #[test]
    fn what_is_equal_is_the_same_and_nothing_changes() {
        let before = object("1");
        let mut equal = object("1");
        share_object(&mut equal, &before);
        assert!(Arc::ptr_eq(&equal, &before));

        let mut changed = object("2");
        share_object(&mut changed, &before);
        assert_eq!(changed, object("2"));
        let entry = |object: &Object, key: &str| match object.get(key) {
            Some(Value::Object(entry)) => Arc::clone(entry),
            other => panic!("{other:?}"),
        };
        assert!(Arc::ptr_eq(&entry(&changed, "a"), &entry(&before, "a")));
        assert!(!Arc::ptr_eq(&entry(&changed, "b"), &entry(&before, "b")));
    }

    #[test]
    fn spelling_is_part_of_a_value() {
        let before = Arc::new(Object::from([("Path", 1), ("x", 1)]));
        let mut object = Arc::new(Object::from([("PATH", 1), ("x", 2)]));
        share_object(&mut object, &before);
        assert_eq!(object.keys().map(AsRef::as_ref).collect::<Vec<_>>(), ["PATH", "x"]);
    }
}
