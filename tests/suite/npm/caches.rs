//! `@actions/cache`: what is saved in one run is there in the next.

use super::toolkit::Toolkit;

const SAVES: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - uses: toolkit/actions/cache@v1
        id: restore
        with: {path: \"data\\nmore/*.txt\", key: 'npm-${{ vars.LOCK }}', restore-keys: npm-}
      - run: |
          echo \"found ${{ steps.restore.outputs.key }}: $(cat data/big more/one.txt 2> /dev/null | wc -c)\"
          mkdir -p data more
          head -c 3000000 /dev/urandom > data/big
          echo ${{ vars.LOCK }} > more/one.txt
      - uses: toolkit/actions/cache@v1
        id: save
        with: {path: \"data\\nmore/*.txt\", key: 'npm-${{ vars.LOCK }}', save: true}
      - run: echo \"saved ${{ steps.save.outputs.saved }}\"
";

#[test]
fn a_cache_survives_the_run() {
    let Some(toolkit) = Toolkit::with(SAVES) else { return };
    let check = |lock: &str, expected: &[&str]| {
        let ran = toolkit.start("run", &["--var", &format!("LOCK={lock}")], "");
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
        for text in expected {
            assert!(ran.out.contains(&format!("\n{text}\n")), "{text}\n{}", ran.out);
        }
    };
    check("1", &["found none: 0", "saved 1"]);
    check("1", &["Cache hit for: npm-1", "found npm-1: 3000002", "saved -1"]);
    check("22", &["Cache hit for restore-key: npm-1", "found npm-1: 3000002", "saved 2"]);
    check("22", &["found npm-22: 3000003"]);
    // A version is the paths and the compression: other paths, another cache.
    toolkit.sandbox.write(".github/workflows/ci.yml", &SAVES.replace("more/*.txt", "more"));
    check("22", &["found none: 0", "saved 3"]);
}

const AGAIN: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - run: echo first > data
      - {uses: toolkit/actions/cache@v1, id: save, with: {path: data, key: k, save: true}}
      - run: rm data
      - {uses: toolkit/actions/cache@v1, with: {path: data, key: k}}
";

#[test]
fn a_step_that_runs_again_after_back_saves_again() {
    let Some(toolkit) = Toolkit::with(AGAIN) else { return };
    let script = "next\nnext\nback\n! echo second > data\nnext\np steps.save.outputs.saved\nnext\nnext\n! cat data\nquit\n";
    let ran = toolkit.start("debug", &[], script);
    assert!(ran.out.contains("p steps.save.outputs.saved\n2\n"), "{}{}", ran.out, ran.errors);
    assert!(ran.out.contains("! cat data\nsecond\n"), "{}{}", ran.out, ran.errors);
}

const OLDER: &str = "on: push
jobs:
  build:
    runs-on: x
    steps:
      - run: head -c 40000000 /dev/urandom > data; sha256sum data | cut -c1-64 > sum
      - {uses: toolkit/actions/cache@v1, with: {path: data, key: k, older: true, save: true}}
      - {uses: toolkit/actions/cache@v1, id: again, with: {path: data, key: k, older: true, save: true}}
      - run: rm data
      - {uses: toolkit/actions/cache@v1, id: restore, with: {path: data, key: none, restore-keys: k, older: true}}
      - run: sha256sum -c <<< \"$(cat sum)  data\"
      - run: echo \"restored ${{ steps.restore.outputs.key }}, again ${{ steps.again.outputs.saved }}\"
";

#[test]
fn older_clients_have_the_same_caches() {
    let Some(toolkit) = Toolkit::with(OLDER) else { return };
    let ran = toolkit.run();
    assert!(ran.out.contains("\ndata: OK\n"), "{}", ran.out);
    assert!(ran.out.contains("\nrestored k, again -1\n"), "{}", ran.out);
    assert!(ran.out.contains("Unable to reserve cache with key k"), "{}", ran.out);
    assert!(!ran.out.contains("##[warning]"), "{}", ran.out);
}
