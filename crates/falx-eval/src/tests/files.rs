//! Predictions, submissions and labels on disk.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use falx_core::{ImageId, Label, Prediction};

use super::p;
use crate::kaggle::{KaggleError, read, read_truth, write_submission};
use crate::predictions::{PredictionsError, read_csv, write_csv};

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn predictions(ids: &[&str]) -> Vec<Prediction> {
    ids.iter()
        .enumerate()
        .map(|(i, id)| Prediction {
            image_id: ImageId::from(*id),
            probabilities: std::array::from_fn(|k| p(1.0 / (3.0 + (6 * i + k) as f64))),
        })
        .collect()
}

#[test]
fn predictions_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("predictions.csv");
    let mut all = predictions(&["ID_b", "ID_a"]);
    all[0].probabilities[0] = p(1e-15);
    write_csv(&all, &path).unwrap();
    assert_eq!(read_csv(&path).unwrap(), all);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("image_id,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\nID_b,0.000000000000001,"), "{text}");
}

#[test]
fn predictions_are_read_by_column_name_and_refused_with_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let read_text = |text: &str| read_csv(&written(folder.path(), "p.csv", text));
    let shuffled = "\u{FEFF}any,image_id,subdural,subarachnoid,intraventricular,intraparenchymal,epidural,more\r\n.6,x,.5,.4,.3,.2,.1,y\r\n";
    let read = read_text(shuffled).unwrap();
    assert_eq!(read[0].probabilities, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(p));

    let header = "image_id,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\n";
    let refused = |row: &str| read_text(&format!("{header}{row}")).unwrap_err();
    for (row, was) in [
        ("x,.1,.1,.1,.1,.1,NaN\n", "NaN"),
        ("x,.1,.1,.1,.1,.1,\n", ""),
    ] {
        match refused(row) {
            PredictionsError::NotANumber {
                line,
                column,
                found,
                count,
                ..
            } => {
                assert_eq!((line, column, found.as_str(), count), (2, "any", was, 1));
            }
            other => panic!("{other}"),
        }
    }
    assert!(matches!(
        refused("x,.1,.1,.1,.1,.1,1.5\n"),
        PredictionsError::Outside {
            line: 2,
            column: "any",
            ..
        }
    ));
    let repeated = format!("{header}x,0,0,0,0,0,0\nx,0,0,0,0,0,0\n");
    assert!(matches!(
        read_text(&repeated),
        Err(PredictionsError::Repeated { line: 3, .. })
    ));
    assert!(matches!(
        read_text("image_id,any\n"),
        Err(PredictionsError::Column {
            column: "epidural",
            ..
        })
    ));
    assert!(matches!(
        read_text(&format!("{header}x,0,0\n")),
        Err(PredictionsError::Fields {
            line: 2,
            found: 3,
            expected: 7,
            ..
        })
    ));
    assert!(matches!(
        read_text(&format!("{header},0,0,0,0,0,0\n")),
        Err(PredictionsError::NoImage { line: 2, .. })
    ));
    assert!(matches!(
        read_csv(&folder.path().join("none.csv")),
        Err(PredictionsError::Read { .. })
    ));
}

#[test]
fn submissions_follow_the_sample_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let all = predictions(&["ID_a", "ID_b_c", "ID_extra"]);
    let sample = folder.path().join("sample.csv");
    let out = folder.path().join("out.csv");
    // The sample's own order, images and labels alike, and its line ends.
    let mut text = "ID,Label\r\n".to_owned();
    for id in ["ID_b_c", "ID_a"] {
        for label in [
            "any",
            "subdural",
            "subarachnoid",
            "intraventricular",
            "intraparenchymal",
            "epidural",
        ] {
            let _ = write!(text, "{id}_{label},0.5\r\n");
        }
    }
    std::fs::write(&sample, &text).unwrap();
    let done = write_submission(&all, Some(&sample), &out).unwrap();
    assert_eq!((done.rows, done.left_out), (12, 1));
    let result = std::fs::read_to_string(&out).unwrap();
    let ids = |t: &str| -> Vec<String> {
        t.lines()
            .map(|l| l.split(',').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&result), ids(&text));
    assert!(result.ends_with("\r\n"));
    assert_eq!(read(&out).unwrap(), [all[1].clone(), all[0].clone()]);

    write_submission(&all, None, &out).unwrap();
    assert_eq!(read(&out).unwrap(), all);

    let missing = write_submission(&all[1..], Some(&sample), &out).unwrap_err();
    assert!(
        matches!(missing, KaggleError::NotPredicted { count: 1, .. }),
        "{missing}"
    );
    assert_eq!(
        read(&out).unwrap(),
        all,
        "a refused submission leaves the file as it was"
    );
    let twice = [all[0].clone(), all[0].clone()];
    assert!(matches!(
        write_submission(&twice, None, &out),
        Err(KaggleError::PredictedTwice { .. })
    ));
}

#[test]
fn labels_are_split_at_the_last_underscore_and_repeats_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let text = "ID,Label\nID_x_y_any,1\nID_x_y_any,1\nID_z_epidural,0\n";
    let truth = read_truth(&written(folder.path(), "t.csv", text)).unwrap();
    assert_eq!(truth.repeated, [(0, Label::Any)]);
    assert_eq!(truth.rows[0].0.as_str(), "ID_x_y");
    assert_eq!(truth.rows[0].1.get(Label::Any), Some(true));
    assert_eq!(truth.rows[0].1.get(Label::Epidural), None);
    let refused = |text: &str| read_truth(&written(folder.path(), "t.csv", text)).unwrap_err();
    assert!(matches!(
        refused("ID,Label\na_any,1\na_any,0\n"),
        KaggleError::Contradiction { line: 3, .. }
    ));
    assert!(matches!(
        refused("ID,Label\na_any,2\n"),
        KaggleError::Row { line: 2, .. }
    ));
    assert!(matches!(
        refused("Id,Label\na_any,1\n"),
        KaggleError::Header { .. }
    ));
    assert!(matches!(refused("ID,Label\n"), KaggleError::NoRows { .. }));
    assert!(matches!(refused(""), KaggleError::NoRows { .. }));
}

#[test]
fn every_refusal_names_the_file_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let read_text = |text: &str| read(&written(folder.path(), "s.csv", text)).unwrap_err();
    let messages = [
        "ID,Label\na_any,x\n",
        "ID,Label\na_any,NaN\n",
        "ID,Label\na_any,1.5\n",
        "ID,Label\na_any,1,2\n",
        "ID,Label\nany,1\n",
        "ID,Label\na_Any,1\n",
        "ID,Label\na_any,1\na_any,1\n",
        "ID,Label\na_any,1\n",
        "image,score\n",
    ]
    .map(|text| {
        let message = read_text(text).to_string();
        message.replace(&folder.path().display().to_string(), "DIR")
    });
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn the_real_labels_are_read() {
    let Some(path) = falx_fixtures::shared("data/rsna-dicom/stage_2_train.csv") else {
        return;
    };
    let truth = read_truth(&path).unwrap();
    let positives = |label: Label| {
        truth
            .rows
            .iter()
            .filter(|r| r.1.get(label) == Some(true))
            .count()
    };
    assert_eq!(truth.rows.len(), 192);
    assert_eq!(falx_core::LABELS.map(positives), [9, 27, 12, 34, 24, 63]);
}
