//! Going on, updating, parts: whatever the way, the same bytes.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use falx_core::{Interrupt, Progress, Silent};

use super::{Place, hospital, run};
use crate::index::files::{Found, survey};
use crate::index::layout::Kind;
use crate::index::read::RowReader;
use crate::index::{Index, IndexError, IndexOptions, Layout, Part, build, merge};
use crate::labels::ColumnMap;
use crate::synthetic::Ct;

/// Asks to stop after so many files.
struct StopAfter {
    left: Mutex<u64>,
    interrupt: Interrupt,
}

impl Progress for StopAfter {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, by: u64) {
        let mut left = self.left.lock().unwrap();
        *left = left.saturating_sub(by);
        if *left == 0 {
            self.interrupt.request();
        }
    }
    fn finish(&self) {}
    fn note(&self, _: &str) {}
}

/// Many small files in RSNA's manner, more than fit into one block.
fn many(place: &Place, count: u32) -> PathBuf {
    let data = place.path("many");
    for number in 0..count {
        let ct = Ct::new(&format!("ID_{:x}", number / 40), number / 20, number % 20);
        ct.write(data.join(format!("ID_{number:09x}.dcm")));
    }
    data
}

fn bytes(options: &IndexOptions) -> Vec<u8> {
    std::fs::read(&options.out).unwrap()
}

#[test]
fn an_index_that_was_stopped_anywhere_goes_on_to_the_same_bytes() {
    let place = Place::new();
    let options = place.options(&many(&place, 900));
    run(&options).unwrap();
    let whole = bytes(&options);
    let again = IndexOptions {
        out: place.path("again.parquet"),
        ..options
    };
    let mut reused = 0;
    for after in [1, 200, 300, 500, 700] {
        let interrupt = Interrupt::default();
        let progress = StopAfter {
            left: Mutex::new(after),
            interrupt: interrupt.clone(),
        };
        match build(&again, &progress, &interrupt) {
            Err(IndexError::Interrupted) => assert!(!again.out.exists()),
            // It was at its end already.
            Ok(summary) => reused = reused.max(summary.reused),
            Err(error) => panic!("{error}"),
        }
    }
    let (summary, _) = run(&again).unwrap();
    assert!(reused > 0 || summary.reused > 0);
    assert_eq!(bytes(&again), whole);
}

#[test]
fn an_update_reads_what_is_new_or_changed_and_drops_what_is_gone() {
    let place = Place::new();
    let data = many(&place, 300);
    let options = place.options(&data);
    run(&options).unwrap();
    std::fs::remove_file(data.join("ID_000000007.dcm")).unwrap();
    Ct::new("ID_77", 90, 1).write(data.join("ID_0000000ff.dcm"));
    let mut changed = Ct::new("ID_0", 0, 3);
    changed.hu[0] = 77;
    let mut longer = changed.bytes();
    longer.extend([0, 0]);
    let file = data.join("ID_000000003.dcm");
    std::fs::write(&file, longer).unwrap();
    Ct::new("ID_88", 91, 1).write(data.join("ID_0000fffff.dcm"));
    let update = IndexOptions {
        update: true,
        ..options.clone()
    };
    let (summary, index) = run(&update).unwrap();
    // 0xff was there already and is another file now.
    assert_eq!(summary.reused, 300 - 3);
    assert_eq!(summary.rows, 300);
    let updated = bytes(&update);
    let fresh = IndexOptions {
        out: place.path("fresh.parquet"),
        ..options
    };
    let (fresh_summary, fresh_index) = run(&fresh).unwrap();
    assert_eq!(fresh_summary.reused, 0);
    assert_eq!(index.rows, fresh_index.rows);
    assert_eq!(updated, bytes(&fresh));
    // Nothing to do is done again, and the journal still knows all.
    assert_eq!(run(&update).unwrap().0.reused, 300);
    assert_eq!(bytes(&update), updated);
}

#[test]
fn parts_make_the_whole_byte_for_byte_in_any_order() {
    let place = Place::new();
    let data = many(&place, 500);
    let labels = place.path("labels.csv");
    std::fs::write(
        &labels,
        "ID,Label\nID_000000003_any,1\nID_000000004_any,0\n",
    )
    .unwrap();
    let options = IndexOptions {
        labels: vec![labels.clone()],
        ..place.options(&data)
    };
    let (whole, _) = run(&options).unwrap();
    let mut parts = Vec::new();
    let mut rows = 0;
    for number in 1..=3 {
        let part = IndexOptions {
            part: Some(Part { number, of: 3 }),
            out: place.path(&format!("{number}.part")),
            ..options.clone()
        };
        rows += build(&part, &Silent, &Interrupt::default()).unwrap().rows;
        parts.insert(0, part.out);
    }
    assert_eq!(rows, whole.rows);
    let out = place.path("merged.parquet");
    let labels = [labels];
    let join = |parts: &[PathBuf]| merge(parts, &labels, &ColumnMap::default(), &out, &Silent);
    assert_eq!(join(&parts).unwrap(), whole);
    assert_eq!(std::fs::read(&out).unwrap(), bytes(&options));

    let says = |parts: &[PathBuf], words: &str| {
        let error = join(parts).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    says(&parts[1..], "missing: 3");
    says(&[&parts[..], &parts[..1]].concat(), "given twice");
    says(&[], "no part");
    let whole_journal = place.path("index.parquet.journal");
    says(&[whole_journal], "whole index");
    let cut = std::fs::read(&parts[0]).unwrap();
    std::fs::write(&parts[0], &cut[..cut.len() - 30]).unwrap();
    says(&parts, "ends before all");
    let other = place.path("other");
    Ct::new("p", 1, 1).write(other.join("ID_1.dcm"));
    let part = IndexOptions {
        sources: vec![other],
        part: Some(Part { number: 3, of: 3 }),
        out: parts[0].clone(),
        ..options
    };
    build(&part, &Silent, &Interrupt::default()).unwrap();
    says(&parts, "other sources");
}

#[test]
fn headers_alone_give_places_but_no_pictures() {
    let place = Place::new();
    let options = IndexOptions {
        headers_only: true,
        ..place.options(&hospital(&place))
    };
    let (summary, index) = run(&options).unwrap();
    assert_eq!((summary.rows, summary.usable), (13, 12));
    let row = &index.rows[1];
    assert!(row.usable && row.pixel_hash.is_none() && row.hu_min.is_none());
    assert_eq!((row.rows, row.order), (8, Some(1)));
}

/// Removes a file when reading begins, after the files were counted.
struct Remove(PathBuf);
impl Progress for Remove {
    fn begin(&self, _: &str, _: Option<u64>) {
        let _ = std::fs::remove_file(&self.0);
    }
    fn advance(&self, _: u64) {}
    fn finish(&self) {}
    fn note(&self, _: &str) {}
}

#[test]
fn a_file_that_vanishes_while_others_are_read_is_a_row_that_says_so() {
    let place = Place::new();
    let options = place.options(&many(&place, 600));
    let victim = place.path("many/ID_000000011.dcm");
    // Gone between the count of the files and their reading: it is not listed any more.
    let summary = build(&options, &Remove(victim.clone()), &Interrupt::default()).unwrap();
    assert_eq!(
        (summary.files, summary.rows, summary.not_dicom),
        (600, 599, 1)
    );
    // Gone between the listing and the reading.
    let source = &survey(&options.sources, Layout::Rsna).unwrap()[0];
    let found = Found {
        path: victim,
        relative: "ID_000000011.dcm".to_owned(),
        source: 0,
        kind: Kind::Dicom,
    };
    let facts = RowReader::default().read(&found, source);
    assert_eq!(facts.len(), 1);
    assert_eq!(facts[0].row.defects, ["io"]);
    assert!(!facts[0].row.usable);
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_a_circle_or_nowhere_are_named_and_the_rest_is_read() {
    let place = Place::new();
    let data = hospital(&place);
    std::os::unix::fs::symlink(&data, data.join("a/round")).unwrap();
    std::os::unix::fs::symlink(place.path("gone"), data.join("a/dead.dcm")).unwrap();
    let (summary, index) = run(&place.options(&data)).unwrap();
    assert_eq!(index.rows.len(), 13);
    let unlisted: Vec<&Path> = summary
        .unlisted
        .iter()
        .map(|missing| missing.path.as_path())
        .collect();
    assert_eq!(unlisted, [data.join("a/dead.dcm"), data.join("a/round")]);
    assert!(summary.to_text().contains("leads back to a folder above"));
}

#[test]
fn overlapping_sources_give_each_file_once_and_equal_names_are_told_apart() {
    let place = Place::new();
    let data = hospital(&place);
    let options = IndexOptions {
        sources: vec![data.join("a"), data.clone(), data.join("a/s1/9.dcm")],
        ..place.options(&data)
    };
    let (_, index) = run(&options).unwrap();
    assert_eq!(index.rows.len(), 13);
    let other = place.path("elsewhere/data");
    Ct::new("p", 50, 1).write(other.join("x.dcm"));
    let options = IndexOptions {
        sources: vec![data.clone(), other],
        ..place.options(&data)
    };
    let (summary, _) = run(&options).unwrap();
    let names: Vec<_> = summary.sources.iter().map(|s| s.dataset.as_str()).collect();
    assert_eq!(names, ["data", "elsewhere/data"]);
}

#[test]
fn an_old_index_survives_a_run_that_cannot_write() {
    let place = Place::new();
    let options = place.options(&many(&place, 50));
    run(&options).unwrap();
    let before = bytes(&options);
    // A folder where the journal should be cannot be opened as a file.
    let journal = place.path("index.parquet.journal");
    std::fs::remove_file(&journal).unwrap();
    std::fs::create_dir(&journal).unwrap();
    let error = build(&options, &Silent, &Interrupt::default()).unwrap_err();
    assert!(matches!(&error, IndexError::Journal { .. }), "{error}");
    assert_eq!(bytes(&options), before);
    Index::read(&options.out).unwrap();
}
