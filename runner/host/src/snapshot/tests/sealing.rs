//! Contents with a secret: never in the store as they are, back exactly with the key, left out without it.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::{Presence, RestoreError, RestoreMode, SnapshotError, Store, Vault};
use super::Bench;

const SECRET: &[u8] = b"hunter2";

/// Hides by turning bits over; two keys do not open each other's.
struct Flip {
    key: Option<u8>,
}

impl Vault for Flip {
    fn holds_secret(&self, bytes: &[u8]) -> bool {
        bytes.windows(SECRET.len()).any(|window| window == SECRET)
    }

    fn seal(&self, content: &[u8; 32], bytes: &[u8]) -> Option<Vec<u8>> {
        let key = self.key?;
        let hidden = bytes.iter().map(|byte| byte ^ key);
        Some([key].into_iter().chain(*content).chain(hidden).collect())
    }

    fn open(&self, content: &[u8; 32], sealed: &[u8]) -> Option<Vec<u8>> {
        let key = self.key?;
        let hidden = sealed.strip_prefix(&[key])?.strip_prefix(content)?;
        Some(hidden.iter().map(|byte| byte ^ key).collect())
    }
}

fn bench(key: Option<u8>) -> Bench {
    let mut bench = Bench::new();
    bench.store.set_vault(Arc::new(Flip { key }));
    bench
}

/// All bytes of the store.
fn stored(bench: &Bench) -> Vec<u8> {
    let entries = std::fs::read_dir(bench.store.dir()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
}

/// The same store with another vault.
fn reopened(bench: &mut Bench, key: Option<u8>) {
    let dir = bench.store.dir().to_owned();
    let elsewhere = tempfile::tempdir().unwrap();
    bench.store = Store::open(elsewhere.path()).unwrap();
    bench.store = Store::open(&dir).unwrap();
    bench.store.set_vault(Arc::new(Flip { key }));
}

#[test]
fn a_secret_is_not_in_the_store_and_comes_back_exactly() {
    let mut bench = bench(Some(0x55));
    bench.write("token", "it is hunter2");
    bench.write("plain", "nothing to hide");
    let before = bench.dump();
    let id = bench.take();
    assert!(!Flip { key: None }.holds_secret(&stored(&bench)));
    assert!(stored(&bench).windows(7).any(|window| window == b"nothing"), "the rest is as it is");
    bench.write("token", "gone");
    bench.restore(id);
    assert!(bench.dump() == before);
    reopened(&mut bench, Some(0x55));
    std::fs::remove_file(bench.path("token")).unwrap();
    bench.restore(id);
    // The file is a new one; its number may be any.
    assert_eq!(bench.dump().differences(&before), Vec::<String>::new());
}

#[test]
fn a_secret_across_the_ends_of_chunks_is_found() {
    let mut bench = bench(Some(0x55));
    let mut content = vec![b'.'; 5 << 20];
    for (chunk, into) in [(1, 1), (2, 3), (3, 6), (4, 0)] {
        let at = (chunk << 20) - into;
        content[at..at + SECRET.len()].copy_from_slice(SECRET);
    }
    bench.write("large", &content);
    let id = bench.take();
    let stored = stored(&bench);
    // Neither whole, nor in parts that somebody could put together.
    for part in [&SECRET[..3], &SECRET[1..], &SECRET[..6]] {
        assert!(!stored.windows(part.len()).any(|window| window == part), "{part:?}");
    }
    bench.write("large", "");
    bench.restore(id);
    assert_eq!(std::fs::read(bench.path("large")).unwrap(), content);
}

#[test]
fn without_the_key_a_file_is_listed_as_left_out_and_nothing_is_touched() {
    let mut bench = bench(Some(0x55));
    bench.write("deep/token", "it is hunter2");
    bench.write("plain", "nothing to hide");
    let id = bench.take();
    assert_eq!(bench.store.left_out(id).unwrap(), []);
    bench.write("plain", "another");
    std::fs::remove_file(bench.path("deep/token")).unwrap();
    for key in [None, Some(0x33)] {
        reopened(&mut bench, key);
        let token = PathBuf::from("deep/token");
        assert_eq!(bench.store.left_out(id).unwrap(), [("workspace".to_owned(), token.clone())]);
        assert_eq!(bench.store.presence(id).unwrap(), Presence::WithoutFiles { missing: 1 });
        let read = bench.store.read(id, "workspace", &token);
        assert!(matches!(read, Err(SnapshotError::Sealed(_))), "{read:?}");
        assert_eq!(bench.store.read(id, "workspace", "plain".as_ref()).unwrap(), b"nothing to hide");
        let before = bench.dump();
        let refused = bench.store.restore(id, &bench.roots, RestoreMode::Replace).unwrap_err();
        assert!(matches!(refused, RestoreError::WithoutFiles { count: 1, .. }), "{refused}");
        assert!(bench.dump() == before);
    }
    reopened(&mut bench, Some(0x55));
    assert_eq!(bench.store.presence(id).unwrap(), Presence::Complete);
}

#[test]
fn without_any_key_it_is_not_stored_at_all() {
    let mut bench = bench(None);
    bench.write("token", "it is hunter2");
    let id = bench.take();
    assert!(!Flip { key: None }.holds_secret(&stored(&bench)));
    assert_eq!(bench.store.presence(id).unwrap(), Presence::WithoutFiles { missing: 1 });
}

#[test]
fn thinning_moves_what_is_sealed_without_opening_it() {
    let mut bench = bench(Some(0x55));
    bench.write("token", "it is hunter2");
    bench.write("dropped", vec![1; 1 << 20]);
    let old = bench.take();
    std::fs::remove_file(bench.path("dropped")).unwrap();
    let id = bench.take();
    reopened(&mut bench, None);
    bench.store.thin(&[old], 1 << 10).unwrap();
    assert!(!Flip { key: None }.holds_secret(&stored(&bench)));
    reopened(&mut bench, Some(0x55));
    assert_eq!(bench.store.read(id, "workspace", "token".as_ref()).unwrap(), b"it is hunter2");
}
