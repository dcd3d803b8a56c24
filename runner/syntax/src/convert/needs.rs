//! `needs`: jobs that do not exist, and circles.
//!
//! Knows ids and edges only.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use crate::diagnostic::{Diagnostic, MAX_DIAGNOSTICS, suggestion};
use crate::model::Job;
use crate::source::Span;

/// Checks the edges between jobs. `ids` are all jobs of the file, `jobs` those without faults; `whole`
/// when they are the same. A job with a fault counts as one without needs.
pub(super) fn check(
    place: Span,
    ids: &[&Arc<str>],
    jobs: &IndexMap<Arc<str>, Job>,
    whole: bool,
) -> Vec<Diagnostic> {
    if whole && jobs.values().all(|job| !job.needs.is_empty()) {
        let message = "The workflow must contain at least one job with no dependencies.";
        return vec![Diagnostic::error("needs-start", place, message)];
    }
    let known: IndexSet<String> = ids.iter().map(|id| id.to_uppercase()).collect();
    let reachable = reachable(&known, jobs);
    let mut diagnostics = Vec::new();
    // GitHub goes through the jobs that never start, and through their needs, in this order.
    for job in jobs.values().filter(|job| !reachable.contains(&job.id.to_uppercase())) {
        for need in &job.needs {
            if diagnostics.len() == MAX_DIAGNOSTICS {
                return diagnostics;
            }
            let folded = need.to_uppercase();
            let (id, name) = (&*job.id.value, &*need.value);
            if !known.contains(&folded) {
                let message = format!("Job '{id}' depends on unknown job '{name}'.");
                let hint = suggestion(name, ids.iter().map(|id| &***id));
                diagnostics
                    .push(Diagnostic::error("needs-unknown", need.span, message).with_optional_hint(hint));
            } else if !reachable.contains(&folded) {
                let message = format!(
                    "Job '{id}' depends on job '{name}' which creates a cycle in the dependency graph."
                );
                diagnostics.push(Diagnostic::error("needs-cycle", need.span, message));
            }
        }
    }
    diagnostics
}

/// Jobs that start at some time, upper-cased.
fn reachable(known: &IndexSet<String>, jobs: &IndexMap<Arc<str>, Job>) -> IndexSet<String> {
    let mut dependents: IndexMap<String, Vec<String>> = IndexMap::new();
    let mut missing: IndexMap<String, usize> = IndexMap::new();
    for job in jobs.values() {
        let needs: IndexSet<String> = job.needs.iter().map(|need| need.to_uppercase()).collect();
        missing.insert(job.id.to_uppercase(), needs.len());
        for need in needs {
            dependents.entry(need).or_default().push(job.id.to_uppercase());
        }
    }
    let starts = |id: &&String| missing.get(*id).is_none_or(|&missing| missing == 0);
    let mut reachable: IndexSet<String> = known.iter().filter(starts).cloned().collect();
    let mut next = 0;
    while let Some(id) = reachable.get_index(next) {
        next += 1;
        let mut ready = Vec::new();
        for dependent in dependents.get(id).into_iter().flatten() {
            if let Some(missing) = missing.get_mut(dependent) {
                *missing = missing.saturating_sub(1);
                if *missing == 0 {
                    ready.push(dependent.clone());
                }
            }
        }
        reachable.extend(ready);
    }
    reachable
}
