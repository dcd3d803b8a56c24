//! `strategy.matrix`: the product of its vectors, less `exclude`, plus `include`.
//!
//! Works on the evaluated value; knows neither jobs nor files.

use std::sync::Arc;

use expr::{Object, Value};

use crate::limits::MATRIX_COMBINATIONS_MAX;

/// One combination of a matrix.
#[derive(Clone, PartialEq)]
pub struct Combination {
    /// The `matrix` context.
    pub values: Object,
    /// What the job's name shows: the values of the vectors, or all values of an entry that `include` added.
    pub shown: Vec<Value>,
    /// How many of the values come from the vectors; `include` may not change those.
    vector_keys: Vec<Arc<str>>,
}

/// A matrix that cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// It is no mapping.
    #[error("the matrix must be a mapping")]
    NotAMapping,
    /// A vector is no list, or `include` or `exclude` is no list of mappings.
    #[error("matrix key `{0}` must be a list{1}")]
    NotAList(Arc<str>, &'static str),
    /// A vector is empty.
    #[error("Matrix vector '{0}' does not contain any values")]
    Empty(Arc<str>),
    /// An entry of `exclude` has a key that no vector has.
    #[error("Matrix exclude key '{0}' does not match any key within the matrix")]
    UnknownExclude(Arc<str>),
    /// Nothing is left.
    #[error("the matrix has no combinations left after `exclude`")]
    Nothing,
    /// GitHub's limit.
    #[error("the matrix has {0} combinations; at most {MATRIX_COMBINATIONS_MAX} are allowed")]
    TooMany(usize),
}

/// All combinations, in GitHub's order: the first key changes slowest, `include` entries come last.
///
/// # Errors
/// The value is no matrix, or has no or too many combinations.
pub fn expand(matrix: &Value) -> Result<Vec<Combination>, MatrixError> {
    let matrix = matrix.as_object().ok_or(MatrixError::NotAMapping)?;
    let mut combinations = product(matrix)?;
    let excludes = entries(matrix, "exclude")?;
    let is_vector = |key: &str| !is_list_of_entries(key) && matrix.get(key).is_some();
    if let Some((unknown, _)) =
        excludes.iter().flat_map(|entry| entry.iter()).find(|(key, _)| !is_vector(key))
    {
        return Err(MatrixError::UnknownExclude(Arc::clone(unknown)));
    }
    combinations.retain(|combination| !excludes.iter().any(|entry| holds_all(&combination.values, entry)));
    include(&mut combinations, &entries(matrix, "include")?);
    match combinations.len() {
        0 => Err(MatrixError::Nothing),
        count if count > MATRIX_COMBINATIONS_MAX => Err(MatrixError::TooMany(count)),
        _ => Ok(combinations),
    }
}

fn product(matrix: &Object) -> Result<Vec<Combination>, MatrixError> {
    let vectors: Vec<(&Arc<str>, &[Value])> = matrix
        .iter()
        .filter(|(key, _)| !is_list_of_entries(key))
        .map(|(key, value)| Ok((key, list(key, value, "")?)))
        .collect::<Result<_, MatrixError>>()?;
    if vectors.is_empty() {
        return Ok(Vec::new());
    }
    let count = vectors.iter().try_fold(1usize, |count, (key, values)| match values.len() {
        0 => Err(MatrixError::Empty(Arc::clone(key))),
        length => Ok(count.saturating_mul(length)),
    })?;
    // `exclude` may bring a large product below the limit, so only a hopeless one is refused here.
    if count > MATRIX_COMBINATIONS_MAX.saturating_mul(MATRIX_COMBINATIONS_MAX) {
        return Err(MatrixError::TooMany(count));
    }
    let empty = Combination { values: Object::new(), shown: Vec::new(), vector_keys: Vec::new() };
    Ok(vectors.iter().fold(vec![empty], |all, (key, values)| {
        all.iter().flat_map(|one| values.iter().map(move |value| one.with(key, value))).collect()
    }))
}

impl Combination {
    fn with(&self, key: &Arc<str>, value: &Value) -> Self {
        let mut next = self.clone();
        next.values.insert(Arc::clone(key), value.clone());
        next.shown.push(value.clone());
        next.vector_keys.push(Arc::clone(key));
        next
    }
}

/// An entry of `include` is added to every combination of the vectors whose vector values it does not change; if
/// there is none, it is a combination of its own.
fn include(combinations: &mut Vec<Combination>, entries: &[&Object]) {
    let originals = combinations.len();
    for entry in entries {
        let mut added = false;
        for combination in combinations.iter_mut().take(originals) {
            let keys = &combination.vector_keys;
            let fits = keys.iter().all(|key| {
                entry
                    .get(key)
                    .is_none_or(|value| combination.values.get(key).is_some_and(|own| same(own, value)))
            });
            if fits {
                added = true;
                for (key, value) in entry.iter() {
                    combination.values.insert(Arc::clone(key), value.clone());
                }
            }
        }
        if !added {
            let shown = entry.iter().map(|(_, value)| value.clone()).collect();
            combinations.push(Combination { values: (*entry).clone(), shown, vector_keys: Vec::new() });
        }
    }
}

fn is_list_of_entries(key: &str) -> bool {
    key.eq_ignore_ascii_case("include") || key.eq_ignore_ascii_case("exclude")
}

fn entries<'a>(matrix: &'a Object, key: &str) -> Result<Vec<&'a Object>, MatrixError> {
    let Some(value) = matrix.get(key).filter(|value| **value != Value::Null) else { return Ok(Vec::new()) };
    let name: Arc<str> = Arc::from(key);
    list(&name, value, " of mappings")?
        .iter()
        .map(|entry| {
            entry.as_object().ok_or_else(|| MatrixError::NotAList(Arc::clone(&name), " of mappings"))
        })
        .collect()
}

fn list<'a>(key: &Arc<str>, value: &'a Value, of: &'static str) -> Result<&'a [Value], MatrixError> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(MatrixError::NotAList(Arc::clone(key), of)),
    }
}

/// True when every value of `entry` is in `values`; nested mappings match in the same way.
fn holds_all(values: &Object, entry: &Object) -> bool {
    entry.iter().all(|(key, value)| values.get(key).is_some_and(|own| same(own, value)))
}

fn same(own: &Value, wanted: &Value) -> bool {
    match (own, wanted) {
        (Value::Object(own), Value::Object(wanted)) => holds_all(own, wanted),
        (Value::String(own), Value::String(wanted)) => own.eq_ignore_ascii_case(wanted),
        (own, wanted) => own == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(matrix: &str, expected: &[&str]) {
        let combinations = expand(&Value::from_json(matrix).unwrap()).unwrap();
        let shown: Vec<String> = combinations
            .iter()
            .map(|combination| {
                let pairs =
                    combination.values.iter().map(|(key, value)| format!("{key}={}", value.to_text()));
                pairs.collect::<Vec<_>>().join(" ")
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_first_vector_changes_slowest() {
        check(r#"{"a":[1,2],"b":["x","y"]}"#, &["a=1 b=x", "a=1 b=y", "a=2 b=x", "a=2 b=y"]);
    }

    #[test]
    fn exclude_takes_out_every_combination_that_has_all_its_values() {
        check(r#"{"a":[1,2],"b":["x","y"],"exclude":[{"a":1,"b":"y"},{"a":2}]}"#, &["a=1 b=x"]);
    }

    /// The example of GitHub's documentation, entry by entry.
    #[test]
    fn include_adds_to_what_it_does_not_change() {
        check(
            r#"{"fruit":["apple","pear"],"animal":["cat","dog"],"include":[{"color":"green"},{"color":"pink","animal":"cat"},{"fruit":"apple","shape":"circle"},{"fruit":"banana"},{"fruit":"banana","animal":"cat"}]}"#,
            &[
                "fruit=apple animal=cat color=pink shape=circle",
                "fruit=apple animal=dog color=green shape=circle",
                "fruit=pear animal=cat color=pink",
                "fruit=pear animal=dog color=green",
                "fruit=banana",
                "fruit=banana animal=cat",
            ],
        );
    }

    #[test]
    fn include_alone_is_a_matrix() {
        check(r#"{"include":[{"a":1},{"a":2,"b":3}]}"#, &["a=1", "a=2 b=3"]);
    }

    #[test]
    fn faults_are_named() {
        let fault = |text: &str| expand(&Value::from_json(text).unwrap()).map(|all| all.len()).unwrap_err();
        assert_eq!(fault("[]"), MatrixError::NotAMapping);
        assert_eq!(fault(r#"{"a":[]}"#), MatrixError::Empty("a".into()));
        assert_eq!(fault(r#"{"a":1}"#), MatrixError::NotAList("a".into(), ""));
        assert_eq!(fault(r#"{"a":[1],"exclude":[{"a":1}]}"#), MatrixError::Nothing);
    }
}
