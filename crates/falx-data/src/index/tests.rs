mod layouts;
mod person;
mod scale;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use falx_core::{ImageId, Interrupt, LABELS, Label, Silent};

use super::workers::together;
use super::{Index, IndexError, IndexOptions, IndexSummary, Layout, build};
use crate::labels::LabelsError;
use crate::split::{SplitOptions, split};
use crate::synthetic::Ct;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn options(&self, source: &Path) -> IndexOptions {
        IndexOptions {
            sources: vec![source.to_path_buf()],
            out: self.path("index.parquet"),
            ..IndexOptions::default()
        }
    }
}

fn run(options: &IndexOptions) -> Result<(IndexSummary, Index), IndexError> {
    let summary = build(options, &Silent, &Interrupt::default())?;
    Ok((summary, Index::read(&options.out)?))
}

/// Two patients, three series, and things that lie beside them.
fn hospital(place: &Place) -> PathBuf {
    let data = place.path("data");
    for number in 0..4 {
        Ct::new("Doe^1", 1, number).write(data.join(format!("a/s1/{}.dcm", 9 - number)));
        Ct::new("Doe^1", 2, number).write(data.join(format!("a/s2/IM{number}")));
        Ct::new("Roe^2", 3, number * 2).write(data.join(format!("b/s3/{number}.dcm")));
    }
    std::fs::write(data.join("README.txt"), "not DICOM").unwrap();
    let whole = Ct::new("Roe^2", 3, 20).bytes();
    std::fs::write(data.join("b/s3/cut.dcm"), &whole[..whole.len() - 50]).unwrap();
    data
}

#[test]
fn folders_become_rows_sorted_by_study_series_and_position() {
    let place = Place::new();
    let data = hospital(&place);
    let (summary, index) = run(&place.options(&data)).unwrap();
    assert_eq!(
        (summary.sources[0].layout, summary.sources[0].detected),
        (Layout::Folders, true)
    );
    assert_eq!(
        (
            summary.files,
            summary.not_dicom,
            summary.rows,
            summary.usable
        ),
        (14, 1, 13, 12)
    );
    assert_eq!(
        (summary.patients, summary.studies, summary.series),
        (2, 3, 3)
    );
    assert_eq!(summary.refused["truncated"], 1);
    assert_eq!(index.summary, summary);
    let ids: Vec<_> = index.rows.iter().map(|row| row.image_id.as_str()).collect();
    assert_eq!(
        ids[..5],
        ["1.2.1.0", "1.2.1.1", "1.2.1.2", "1.2.1.3", "1.2.2.0"]
    );
    assert_eq!(ids[12], "b/s3/cut.dcm");
    let second = &index.rows[1];
    assert_eq!(second.order, Some(1));
    assert_eq!(second.z_mm.unwrap().0, 5.0);
    assert_eq!(second.spacing_mm.unwrap().0, 5.0);
    assert_eq!(
        (second.rows, second.cols, second.dataset.as_ref()),
        (8, 8, "data")
    );
    assert!(second.usable && second.labels.is_empty());
    let patient = second.patient.as_ref().unwrap().as_str();
    assert!(patient.starts_with('P') && !patient.contains("Doe"));
    assert_eq!(index.rows[4].patient, second.patient);
    assert_ne!(index.rows[8].patient, second.patient);
    let cut = &index.rows[12];
    assert!(!cut.usable && cut.pixel_hash.is_none() && cut.defects == ["truncated"]);
    let text = summary.to_text();
    assert!(
        text.contains("folders (detected)") && text.contains("truncated 1"),
        "{text}"
    );
}

#[test]
fn the_index_does_not_depend_on_threads_and_its_data_lock_not_on_paths() {
    let place = Place::new();
    let options = place.options(&hospital(&place));
    let bytes = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| run(&options)).unwrap();
        std::fs::read(&options.out).unwrap()
    };
    let one = bytes(1);
    assert_eq!(one, bytes(2));
    assert_eq!(one, bytes(7));
    let lock = Index::read(&options.out).unwrap().data_hash();
    let other = Place::new();
    let (_, mut moved) = run(&other.options(&hospital(&other))).unwrap();
    assert_eq!(moved.data_hash(), lock);
    moved.rows[0].labels.0[0] = Some(true);
    assert_ne!(moved.data_hash(), lock);
}

#[test]
fn labels_are_joined_and_what_does_not_fit_is_named() {
    let place = Place::new();
    let data = place.path("stage");
    for (number, id) in ["ID_0a", "ID_0b", "ID_0c"].into_iter().enumerate() {
        Ct::new("ID_77", 1, number as u32).write(data.join(format!("{id}.dcm")));
    }
    std::fs::write(data.join("notes.txt"), "").unwrap();
    let mut csv = String::from("ID,Label\n");
    for id in ["ID_0a", "ID_0b", "ID_ff"] {
        for label in LABELS {
            let value = u8::from(id == "ID_0b" && matches!(label, Label::Any | Label::Subdural));
            writeln!(csv, "{id}_{label},{value}").unwrap();
        }
    }
    let labels = place.path("labels.csv");
    std::fs::write(&labels, csv).unwrap();
    let options = IndexOptions {
        labels: vec![labels],
        ..place.options(&data)
    };
    let (summary, index) = run(&options).unwrap();
    assert_eq!(summary.sources[0].layout, Layout::Rsna);
    assert_eq!(
        (summary.rows, summary.not_dicom, summary.labelled),
        (3, 1, 2)
    );
    assert_eq!(summary.positives, [0, 0, 0, 0, 1, 1]);
    assert_eq!(
        summary.labels_without_file_examples,
        [ImageId::from("ID_ff")]
    );
    assert_eq!(
        summary.files_without_label_examples,
        [ImageId::from("ID_0c")]
    );
    assert_eq!(index.rows[1].image_id.as_str(), "ID_0b");
    assert_eq!(index.rows[1].labels.get(Label::Any), Some(true));
    assert_eq!(
        index.rows[0].patient.as_ref().unwrap().as_str(),
        "ID_77",
        "anonymised already"
    );
    let text = summary.to_text();
    assert!(
        text.contains("1 labelled ids have no file: ID_ff"),
        "{text}"
    );
    assert!(text.contains("1 slices have no label: ID_0c"), "{text}");
}

#[test]
fn the_range_leaves_padding_out() {
    let place = Place::new();
    let data = place.path("data");
    let mut ct = Ct::new("p", 1, 1);
    ct.hu = (0..64).map(|at| 30 + at).collect();
    ct.write(data.join("plain.dcm"));
    ct.sop.push('1');
    ct.hu[5] = -2000;
    ct.hu[63] = -2000;
    ct.write(data.join("padded.dcm"));
    let (_, index) = run(&place.options(&data)).unwrap();
    let ranges: Vec<_> = index
        .rows
        .iter()
        .map(|row| (row.hu_min.unwrap().0, row.hu_max.unwrap().0))
        .collect();
    assert_eq!(ranges, [(30.0, 92.0), (30.0, 93.0)]);
    assert_ne!(index.rows[0].pixel_hash, index.rows[1].pixel_hash);
}

#[test]
fn unusable_sources_are_named() {
    let place = Place::new();
    let gone = place.path("gone");
    assert!(
        matches!(run(&place.options(&gone)), Err(IndexError::NoSuchPath { path }) if path == gone)
    );
    let empty = place.path("empty");
    std::fs::create_dir(&empty).unwrap();
    assert!(
        matches!(run(&place.options(&empty)), Err(IndexError::Empty { path }) if path == empty)
    );
    std::fs::write(empty.join("a.txt"), "words").unwrap();
    std::fs::write(empty.join("b.txt"), "more words").unwrap();
    let error = run(&place.options(&empty)).unwrap_err();
    assert!(
        matches!(error, IndexError::NoDicom { files: 2, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("no DICOM found in"), "{error}");
    let options = IndexOptions {
        sources: vec![],
        ..place.options(&empty)
    };
    assert!(matches!(run(&options), Err(IndexError::NoSources)));
}

#[test]
fn bad_labels_and_interrupts_leave_no_index() {
    let place = Place::new();
    let data = hospital(&place);
    let labels = place.path("labels.csv");
    std::fs::write(&labels, "ID,Value\n").unwrap();
    let options = IndexOptions {
        labels: vec![labels],
        ..place.options(&data)
    };
    assert!(matches!(
        run(&options),
        Err(IndexError::Labels(LabelsError::MissingColumn { .. }))
    ));
    let interrupt = Interrupt::default();
    interrupt.request();
    let error = build(&place.options(&data), &Silent, &interrupt).unwrap_err();
    assert!(matches!(error, IndexError::Interrupted));
    assert!(!options.out.exists());
}

#[test]
fn a_file_that_is_no_index_is_named() {
    let place = Place::new();
    let data = hospital(&place);
    let (_, index) = run(&place.options(&data)).unwrap();
    let options = SplitOptions {
        folds: 2,
        test_fraction: 0.0,
        seed: 0,
    };
    let path = place.path("split.parquet");
    split(&index, &options).unwrap().write(&path).unwrap();
    let error = Index::read(&path).unwrap_err().to_string();
    assert!(error.contains("split.parquet is no index"), "{error}");
    let error = Index::read(place.path("gone.parquet"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("gone.parquet"), "{error}");
}

#[test]
fn the_real_rsna_sample_is_indexed() {
    let Some(source) = falx_fixtures::shared("data/rsna-dicom/stage_2_train") else {
        return;
    };
    let place = Place::new();
    let labels = source.with_extension("csv");
    let options = IndexOptions {
        labels: vec![labels],
        ..place.options(&source)
    };
    let (summary, index) = run(&options).unwrap();
    assert_eq!(summary.sources[0].layout, Layout::Rsna);
    assert_eq!(
        (summary.rows, summary.usable, summary.labelled),
        (192, 192, 192)
    );
    assert_eq!(summary.positives, [9, 27, 12, 34, 24, 63]);
    assert_eq!(summary.patients, 60);
    assert_eq!(
        (summary.labels_without_file, summary.files_without_label),
        (0, 0)
    );
    assert!(index.rows.iter().all(|row| {
        row.patient
            .as_ref()
            .is_some_and(|id| id.as_str().starts_with("ID_"))
    }));
    let made = split(
        &index,
        &SplitOptions {
            folds: 3,
            test_fraction: 0.2,
            seed: 1,
        },
    )
    .unwrap();
    made.check_leaks(&index).unwrap();
}

#[test]
fn the_files_of_one_study_keep_every_worker_busy() {
    assert_eq!(together(32, 2), 2);
    assert_eq!(together(5, 16), 1);
    assert_eq!(together(870_000, 16), 32);
}
