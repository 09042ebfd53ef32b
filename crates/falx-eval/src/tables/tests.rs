use falx_core::{ImageId, LabelRow, PatientId, Probability, Silent};

use super::*;
use crate::{Case, EvaluateOptions, checklist, evaluate};

fn evaluation() -> Evaluation {
    let cases: Vec<Case> = (0..60)
        .map(|i| Case {
            image_id: ImageId(format!("ID_{i:02}")),
            patient: PatientId(format!("P{:02}", i / 3)),
            study: Some(format!("S{:02}", i / 3).into()),
            series: None,
            order: None,
            attributes: None,
            truth: LabelRow(
                [
                    false,
                    i % 4 == 0,
                    false,
                    i % 5 == 0,
                    false,
                    i % 4 == 0 || i % 5 == 0,
                ]
                .map(Some),
            ),
            prediction: [Probability::new(0.1 + f64::from(i * 7 % 11) / 13.0).unwrap(); 6],
        })
        .collect();
    let options = EvaluateOptions {
        replicates: 20,
        ..EvaluateOptions::default()
    };
    evaluate(&cases, &options, &Silent).unwrap()
}

/// A written file as rows of (column, cell).
fn read(folder: &Path, name: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_path(folder.join(name)).unwrap();
    let columns = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let pairs = columns.iter().zip(row.iter());
            pairs.map(|(c, v)| (c.to_owned(), v.to_owned())).collect()
        })
        .collect()
}

fn cell<'a>(row: &'a [(String, String)], column: &str) -> &'a str {
    &row.iter().find(|(name, _)| name == column).unwrap().1
}

#[test]
fn numbers_come_back_to_the_last_bit() {
    let e = evaluation();
    let folder = tempfile::tempdir().unwrap();
    let files = write(&e, folder.path()).unwrap();
    assert!(files.iter().all(|file| file.is_file()));
    let rows = read(folder.path(), "labels.csv");
    assert_eq!(rows.len(), 12, "six labels over slices, six over studies");
    for (row, s) in rows.iter().zip(&e.labels) {
        assert_eq!(cell(row, "label"), s.label.name());
        assert_eq!(cell(row, "positives"), s.positives.to_string());
        let loss: f64 = cell(row, "log_loss").parse().unwrap();
        assert_eq!(loss.to_bits(), s.log_loss.unwrap().value.to_bits());
        match s.auc {
            Some(auc) => assert_eq!(
                cell(row, "auc").parse::<f64>().unwrap().to_bits(),
                auc.value.to_bits()
            ),
            None => assert_eq!(cell(row, "auc"), "", "undefined is empty"),
        }
    }
    let head = read(folder.path(), "headline.csv");
    let loss: f64 = cell(&head[0], "weighted_log_loss").parse().unwrap();
    assert_eq!(loss.to_bits(), e.weighted_log_loss.value.to_bits());
    let points: usize = e.labels.iter().map(|s| s.operating_points.len()).sum();
    let slices = read(folder.path(), "operating_points.csv");
    assert_eq!(
        slices
            .iter()
            .filter(|r| cell(r, "level") == "slice")
            .count(),
        points
    );
}

#[test]
fn rows_are_as_long_as_their_heads_and_names_are_plain() {
    for table in of(&evaluation()) {
        assert!(!table.rows.is_empty());
        assert!(
            table
                .rows
                .iter()
                .all(|row| row.len() == table.columns.len()),
            "{}",
            table.name
        );
        let plain = |name: &&str| {
            name.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        assert!(table.columns.iter().all(plain), "{:?}", table.columns);
        let cells = || table.rows.iter().flatten();
        assert!(
            cells().all(|cell| cell != "NaN" && cell != "inf"),
            "{}",
            table.name
        );
    }
}

#[test]
fn words_are_quoted_where_they_must_be() {
    let items = [checklist::Item {
        number: "1".to_owned(),
        section: "A, b".to_owned(),
        topic: "Says \"so\"".to_owned(),
        answer: None,
    }];
    let text = to_csv(&super::checklist("claim", &items)).unwrap();
    assert_eq!(
        text,
        "item,section,topic,answer\n1,\"A, b\",\"Says \"\"so\"\"\",\n"
    );
}

#[test]
fn a_folder_that_is_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("taken");
    std::fs::write(&file, "").unwrap();
    let error = write(&evaluation(), &file).unwrap_err();
    assert!(error.to_string().contains("taken"));
}

#[test]
fn abstention_and_the_work_list_are_tables() {
    let e = evaluation();
    let folder = tempfile::tempdir().unwrap();
    write(&e, folder.path()).unwrap();
    let sets = read(folder.path(), "prediction_sets.csv");
    assert_eq!(sets.len(), 12, "six labels over slices, six over studies");
    let abstention = e.abstention.as_ref().unwrap();
    for (row, label) in sets.iter().zip(&abstention.main.labels) {
        assert_eq!(cell(row, "label"), label.label.name());
        let abstained = label.sets.as_ref().unwrap().coverage.abstained.unwrap();
        let written: f64 = cell(row, "abstained").parse().unwrap();
        assert_eq!(written.to_bits(), abstained.value.to_bits());
    }
    assert_eq!(read(folder.path(), "risk_control.csv").len(), 4);
    let curve = &abstention.main.selective.as_ref().unwrap().risk.curve;
    let kept = read(folder.path(), "selective_risk.csv");
    let slices = kept.iter().filter(|row| cell(row, "level") == "slice");
    assert_eq!(slices.count(), curve.len());
    let minutes = read(folder.path(), "worklist.csv");
    let gain = e.worklist.as_ref().unwrap();
    let groups: usize = gain.disciplines.iter().map(|d| d.groups.len()).sum();
    assert_eq!(minutes.len(), groups);
}
