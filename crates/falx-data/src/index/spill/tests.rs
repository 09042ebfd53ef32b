use proptest::prelude::*;

use super::{Pair, Spill};

proptest! {
    #[test]
    fn runs_on_the_disk_give_what_sorting_in_memory_gives(
        records in proptest::collection::vec(
            (proptest::collection::vec(any::<u8>(), 0..6), proptest::collection::vec(any::<u8>(), 0..9)),
            0..200,
        ),
        run in 1_usize..2000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut spill = Spill::with_run(folder.path(), run);
        for (key, value) in &records {
            spill.push(key, value).unwrap();
        }
        let sorted: Vec<Pair> = spill.sorted().unwrap().map(Result::unwrap).collect();
        let mut expected = records;
        expected.sort();
        prop_assert_eq!(sorted, expected);
        prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_folder_that_takes_no_runs_is_an_error() {
    let mut spill = Spill::with_run("/nowhere/at/all".as_ref(), 1);
    spill.push(b"a", b"1").unwrap();
    assert!(spill.push(b"b", b"2").is_err());
}
