//! What somebody probably meant who wrote a word that does not exist.
//!
//! Knows words; not what they name.

/// The candidate that `word` was probably meant to be: equal but for case, the only one that it begins, or few edits away.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    if word.is_empty() {
        return None;
    }
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let folded = candidate.to_lowercase();
            let distance = if folded.starts_with(&word) { 1 } else { edits(&word, &folded) };
            (distance <= allowed && distance < folded.chars().count()).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edit distance in which swapping two neighbours counts as one.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let far = usize::MAX / 2;
    let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(far);
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut previous: Option<char> = None;
    for (index, character) in left.chars().enumerate() {
        let mut next = vec![index + 1];
        for (at, &other) in right.iter().enumerate() {
            let changed = cell(&row, at) + usize::from(character != other);
            let mut best = changed.min(cell(&row, at + 1) + 1).min(cell(&next, at) + 1);
            let before_at = at.checked_sub(1).and_then(|at| right.get(at));
            if previous == Some(other) && before_at == Some(&character) {
                best = best.min(cell(&before, at - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(character);
    }
    cell(&row, right.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_found_and_far_ones_are_not() {
        let words = ["continue", "next", "timeline", "outputs", "back"];
        let check =
            |word: &str, expected: Option<&str>| assert_eq!(did_you_mean(word, words), expected, "{word}");
        check("contineu", Some("continue"));
        check("nxet", Some("next"));
        check("TIMELINE", Some("timeline"));
        check("output", Some("outputs"));
        check("time", Some("timeline"));
        check("deploy", None);
        check("", None);
    }
}
