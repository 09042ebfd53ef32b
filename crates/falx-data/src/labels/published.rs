//! The tables that published data sets bring along: CT-ICH's diagnoses and CQ500's votes.

use std::path::Path;

use falx_core::{Label, LabelRow, PatientId};

use super::build::{Builder, parse_value};
use super::{Bad, LabelsError, StudyLabels, csv_error, open};

/// CT-ICH's columns of the subtypes.
const CT_ICH: [(&str, Label); 5] = [
    ("Epidural", Label::Epidural),
    ("Intraparenchymal", Label::Intraparenchymal),
    ("Intraventricular", Label::Intraventricular),
    ("Subarachnoid", Label::Subarachnoid),
    ("Subdural", Label::Subdural),
];

/// Reads CT-ICH's `hemorrhage_diagnosis.csv`: one row a slice, by patient and slice number.
pub(super) fn ct_ich(path: &Path, builder: &mut Builder) -> Result<(), LabelsError> {
    let (mut reader, found) = open(path)?;
    let column = |name: &str| find(path, &found, name);
    let (patient, slice) = (column("PatientNumber")?, column("SliceNumber")?);
    let none = column("No_Hemorrhage")?;
    let mut subtypes = Vec::with_capacity(CT_ICH.len());
    for (name, label) in CT_ICH {
        subtypes.push((column(name)?, label));
    }
    let mut bad = Bad::default();
    let mut record = csv::ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| csv_error(path, error))?
    {
        let text = |at: usize| record.get(at).unwrap_or_default().trim_ascii();
        let number =
            |at: usize| -> Option<u32> { std::str::from_utf8(text(at)).ok()?.parse().ok() };
        let line = record.position().map_or(0, csv::Position::line);
        let (Some(patient), Some(slice)) = (number(patient), number(slice)) else {
            bad.add(line, "the patient or the slice is no number");
            continue;
        };
        let mut row = LabelRow::default();
        let mut is_good = true;
        for &(at, label) in &subtypes {
            match parse_value(text(at)) {
                Some(value) => row.set(label, value),
                None => is_good = false,
            }
        }
        match parse_value(text(none)) {
            Some(none) => row.set(Label::Any, !none),
            None => is_good = false,
        }
        if is_good {
            builder.add_row(&format!("CT-ICH-{patient:03}-{slice:03}"), row);
        } else {
            bad.add(line, "a value is neither 0 nor 1");
        }
    }
    bad.finish(path)
}

/// CQ500's names of the labels.
const CQ500: [(&str, Label); 6] = [
    ("EDH", Label::Epidural),
    ("IPH", Label::Intraparenchymal),
    ("IVH", Label::Intraventricular),
    ("SAH", Label::Subarachnoid),
    ("SDH", Label::Subdural),
    ("ICH", Label::Any),
];

/// Reads CQ500's `reads.csv`: three readers' votes for every study; the majority is the study's label.
pub(super) fn cq500(path: &Path) -> Result<Vec<StudyLabels>, LabelsError> {
    let (mut reader, found) = open(path)?;
    let name = find(path, &found, "name")?;
    let mut readers = Vec::new();
    for number in 1..=3 {
        let mut columns = Vec::new();
        for (finding, label) in CQ500 {
            columns.push((find(path, &found, &format!("R{number}:{finding}"))?, label));
        }
        readers.push((format!("R{number}"), columns));
    }
    let mut studies = Vec::new();
    let mut bad = Bad::default();
    let mut record = csv::ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| csv_error(path, error))?
    {
        let text = |at: usize| record.get(at).unwrap_or_default().trim_ascii();
        let line = record.position().map_or(0, csv::Position::line);
        let patient = String::from_utf8_lossy(text(name)).to_ascii_uppercase();
        if !patient.starts_with("CQ500-CT-") {
            bad.add(line, "the name is not like CQ500-CT-12");
            continue;
        }
        let mut votes = Vec::with_capacity(readers.len());
        for (reader, columns) in &readers {
            let mut row = LabelRow::default();
            for &(at, label) in columns {
                match parse_value(text(at)) {
                    Some(value) => row.set(label, value),
                    None => bad.add(line, "a vote is neither 0 nor 1"),
                }
            }
            votes.push((reader.clone(), row));
        }
        studies.push(StudyLabels {
            study_uid: None,
            patient: Some(PatientId(patient)),
            labels: majority(&votes),
            readers: votes,
        });
    }
    bad.finish(path)?;
    studies.sort_by(|a, b| a.patient.cmp(&b.patient));
    Ok(studies)
}

/// What more than half of the readers say, label by label.
fn majority(votes: &[(String, LabelRow)]) -> LabelRow {
    let mut row = LabelRow::default();
    for (at, slot) in row.0.iter_mut().enumerate() {
        let said = |value| {
            let same = votes.iter().filter(|(_, vote)| vote.0[at] == Some(value));
            2 * same.count() > votes.len()
        };
        *slot = match (said(true), said(false)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
    }
    row
}

fn find(path: &Path, found: &[String], name: &str) -> Result<usize, LabelsError> {
    found
        .iter()
        .position(|have| have.eq_ignore_ascii_case(name))
        .ok_or_else(|| LabelsError::MissingColumn {
            path: path.into(),
            missing: name.to_owned(),
            found: found.join(", "),
        })
}
