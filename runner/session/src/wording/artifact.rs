//! What is said of artifacts.

use host::services::KeptArtifact;

use super::words::shown;

/// Where an artifact is, and how large: `artifact: report · 28.6 MiB · /…/report.zip`.
pub fn artifact_line(artifact: &KeptArtifact) -> String {
    let (name, path) = (shown(&artifact.name), shown(&artifact.path.to_string_lossy()));
    format!("artifact: {name} · {} · {path}", size(artifact.size))
}

fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut units = ["bytes", "KiB", "MiB", "GiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while value >= 1024.0
        && let Some(next) = units.next()
    {
        (value, unit) = (value / 1024.0, next);
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_are_told_with_size_and_place() {
        let check = |name: &str, size: u64, expected: &str| {
            let (name, job, path) = (name.to_owned(), "build".to_owned(), format!("/a/{name}.zip").into());
            assert_eq!(artifact_line(&KeptArtifact { name, job, size, path }), expected);
        };
        check("one", 12, "artifact: one · 12 bytes · /a/one.zip");
        check("two", 1536, "artifact: two · 1.5 KiB · /a/two.zip");
        check("big", 3 << 40, "artifact: big · 3072.0 GiB · /a/big.zip");
    }
}
