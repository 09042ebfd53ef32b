use std::path::Path;

use super::{Ending, Journal, Manner, Record, replay};
use crate::index::IndexError;

fn manner() -> Manner {
    Manner {
        version: "1".to_owned(),
        reader: 1,
        headers_only: false,
        part: None,
    }
}

fn record(identity: u64) -> Record {
    Record {
        identity,
        facts: Vec::new(),
    }
}

fn ending() -> Ending {
    Ending {
        sources: Vec::new(),
        unlisted: Vec::new(),
    }
}

fn identities(path: &Path) -> Result<Vec<u64>, IndexError> {
    let mut all = Vec::new();
    replay(path, |record| {
        all.push(record.identity);
        Ok(())
    })?;
    Ok(all)
}

/// A journal of 600 records without an ending: three blocks.
fn begun(path: &Path) {
    let mut journal = Journal::open(path, &manner(), false).unwrap();
    for identity in 0..600 {
        journal.add(record(identity)).unwrap();
    }
    journal.flush().unwrap();
}

#[test]
fn a_journal_that_was_cut_anywhere_goes_on_from_its_last_whole_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    begun(&path);
    let whole = std::fs::read(&path).unwrap();
    let mut had = std::collections::BTreeSet::new();
    for cut in (0..=whole.len()).step_by(7).chain([whole.len()]) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert!(matches!(
            identities(&path),
            Err(IndexError::PartUnusable { .. })
        ));
        let mut journal = Journal::open(&path, &manner(), false).unwrap();
        had.insert(journal.done.len());
        let done = std::mem::take(&mut journal.done);
        for identity in (0..600).filter(|identity| !done.contains(identity)) {
            journal.add(record(identity)).unwrap();
        }
        journal.end(ending()).unwrap();
        let mut all = identities(&path).unwrap();
        all.sort_unstable();
        assert_eq!(all, (0..600).collect::<Vec<_>>(), "cut at {cut}");
    }
    assert_eq!(had.into_iter().collect::<Vec<_>>(), [0, 256, 512, 600]);
}

#[test]
fn a_flipped_bit_ends_what_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    begun(&path);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let journal = Journal::open(&path, &manner(), false).unwrap();
        assert!(
            [0, 256, 512].contains(&journal.done.len()),
            "bit of byte {at}"
        );
    }
}

#[test]
fn a_finished_journal_is_gone_on_with_only_for_an_update_and_another_manner_never() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    let finish = || {
        let mut journal = Journal::open(&path, &manner(), false).unwrap();
        journal.add(record(7)).unwrap();
        journal.end(ending()).unwrap();
    };
    let had = |manner: &Manner, update| Journal::open(&path, manner, update).unwrap().done.len();
    finish();
    assert_eq!(had(&manner(), true), 1);
    finish();
    assert_eq!(had(&manner(), false), 0);
    finish();
    let other = Manner {
        headers_only: true,
        ..manner()
    };
    assert_eq!(had(&other, true), 0);
}

#[test]
fn a_file_that_is_no_journal_is_replaced_as_journal_and_refused_as_part() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("j");
    std::fs::write(&path, "PAR1, or something else that is no journal").unwrap();
    assert!(matches!(
        identities(&path),
        Err(IndexError::PartUnusable { .. })
    ));
    Journal::open(&path, &manner(), false)
        .unwrap()
        .end(ending())
        .unwrap();
    assert!(identities(&path).unwrap().is_empty());
}
