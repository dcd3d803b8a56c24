//! Whatever a job does between two snapshots, going from one to the other and back leaves no difference.

use proptest::prelude::*;

use super::super::{RestoreMode, Store};
use super::Bench;
use super::operations::{Operation, operations, run};

fn assert_same(now: &super::Dump, then: &super::Dump) {
    let differences = now.differences(then);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn round_trip(first: &[Operation], second: &[Operation], third: &[Operation], reopen: bool) {
    let mut bench = Bench::new();
    run(&bench.tree, first);
    let (one, one_dump) = (bench.take(), bench.dump());
    run(&bench.tree, second);
    let (two, two_dump) = (bench.take(), bench.dump());
    assert_eq!(one == two, one_dump.differences(&two_dump).is_empty(), "ids are equal for equal trees only");
    if reopen {
        // Without a stat cache everything must be found out by reading.
        let dir = bench.store.dir().to_owned();
        let spare = Store::temporary(bench.tree.parent().unwrap()).unwrap();
        drop(std::mem::replace(&mut bench.store, spare));
        bench.store = Store::open(&dir).unwrap();
    }
    for (id, dump) in [(one, &one_dump), (two, &two_dump)] {
        let report = bench.restore(id);
        assert_same(&bench.dump(), dump);
        assert!(report.exact, "{report:?}");
        assert_eq!(bench.take(), id);
    }
    run(&bench.tree, third);
    assert!(bench.restore(one).exact);
    assert_same(&bench.dump(), &one_dump);
}

fn park_and_return(first: &[Operation], second: &[Operation], third: &[Operation]) {
    let mut bench = Bench::new();
    run(&bench.tree, first);
    let (one, one_dump) = (bench.take(), bench.dump());
    run(&bench.tree, second);
    let (two, two_dump) = (bench.take(), bench.dump());
    let mut lot = bench.lot();
    let report = bench.store.restore(one, &bench.roots, RestoreMode::Park(&mut lot)).unwrap();
    assert_same(&bench.dump(), &one_dump);
    assert!(report.exact && report.removed == 0, "{report:?}");
    let report = bench.store.unpark(&mut lot, two, &bench.roots).unwrap();
    let differences = bench.dump().differences_with_inodes(&two_dump);
    assert!(
        differences.is_empty() && lot.is_empty() && report.exact,
        "{report:?} {}",
        differences.join("\n")
    );

    bench.store.restore(one, &bench.roots, RestoreMode::Park(&mut lot)).unwrap();
    run(&bench.tree, third);
    bench.take();
    bench.store.restore(one, &bench.roots, RestoreMode::Park(&mut lot)).unwrap();
    assert_same(&bench.dump(), &one_dump);
    run(&bench.tree, third);
    let report = bench.store.unpark(&mut lot, two, &bench.roots).unwrap();
    assert_same(&bench.dump(), &two_dump);
    assert!(report.exact, "{report:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn there_and_back(first in operations(25), second in operations(15), third in operations(10), reopen: bool) {
        round_trip(&first, &second, &third, reopen);
    }

    #[test]
    fn aside_and_back(first in operations(25), second in operations(15), third in operations(6)) {
        park_and_return(&first, &second, &third);
    }
}
