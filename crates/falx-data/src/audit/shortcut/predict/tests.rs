use std::sync::Arc;

use super::{cross_fit_from_metadata, predict_from_metadata};
use crate::audit::shortcut::NoShortcut;
use crate::index::{Acquisition, Index};
use crate::synthetic::{index, row};

/// 80 patients of eight slices; a sharp kernel is a bleeding in nine of ten, a soft one in one of ten. Of the positive
/// slices every second is subdural, and none is epidural.
fn hospital() -> Index {
    let mut rows = Vec::new();
    for patient in 0_u32..80 {
        for slice in 0_u32..8 {
            let number = patient * 8 + slice;
            let sharp = number.is_multiple_of(2);
            let any = sharp != (number / 2).is_multiple_of(10);
            let subdural = any && (number / 2).is_multiple_of(2);
            let bits = [0, 0, 0, 0, u8::from(subdural), u8::from(any)];
            let id = format!("{number:04}");
            let name = format!("P{patient}");
            let mut row = row(&id, Some(&name), &id, bits);
            row.acquisition = Some(Arc::new(Acquisition {
                kernel: Some(if sharp { "SHARP" } else { "SOFT" }.to_owned()),
                ..Acquisition::default()
            }));
            rows.push(row);
        }
    }
    index(rows)
}

#[test]
fn what_was_learnt_of_some_patients_is_said_of_others() {
    let index = hospital();
    let training: Vec<usize> = (0..480).collect();
    let judged: Vec<usize> = (480..640).collect();
    let predicted = predict_from_metadata(&index, &training, &judged).unwrap();
    assert_eq!(predicted.len(), 160);
    for (row, p) in index.rows[480..].iter().zip(&predicted) {
        let sharp = row.acquisition.as_ref().unwrap().kernel.as_deref() == Some("SHARP");
        // Drawn towards the prevalence, as 60 patients are few.
        let expected = if sharp { 0.6..0.9 } else { 0.1..0.4 };
        assert!(expected.contains(&p[5]), "{p:?}");
        assert_eq!(p[0], 0.0);
        assert!((p[4] / p[5] - 0.5).abs() < 0.06, "{p:?}");
    }
    // The truth of those that are judged changes nothing.
    let mut other = index;
    for row in &mut other.rows[480..] {
        row.labels = falx_core::LabelRow::default();
    }
    assert_eq!(
        predict_from_metadata(&other, &training, &judged).unwrap(),
        predicted
    );
}

#[test]
fn a_group_is_never_predicted_by_what_was_learnt_of_itself() {
    let mut index = hospital();
    // One patient was taken like no other, and all of it bleeds: nothing of that can be known beforehand.
    for row in &mut index.rows[..8] {
        row.labels.0[5] = Some(true);
        row.acquisition = Some(Arc::new(Acquisition {
            kernel: Some("OWN".to_owned()),
            ..Acquisition::default()
        }));
    }
    let all: Vec<usize> = (0..index.rows.len()).collect();
    let predicted = cross_fit_from_metadata(&index, &all).unwrap();
    assert!(predicted[..8].iter().all(|p| (0.3..0.7).contains(&p[5])));
    assert!(predicted[8][5] > 0.6 && predicted[9][5] < 0.4);
    let backwards: Vec<usize> = all.iter().rev().copied().collect();
    let mut again = cross_fit_from_metadata(&index, &backwards).unwrap();
    again.reverse();
    for (a, b) in again.iter().zip(&predicted) {
        assert!((a[5] - b[5]).abs() < 1e-6, "{a:?} {b:?}");
    }
}

#[test]
fn too_little_or_all_alike_is_said() {
    let mut index = hospital();
    let few: Vec<usize> = (0..50).collect();
    let judged = [600];
    let reason = |index: &Index, training: &[usize]| {
        predict_from_metadata(index, training, &judged).unwrap_err()
    };
    assert_eq!(reason(&index, &few), NoShortcut::FewSlices(50));
    for row in &mut index.rows {
        row.acquisition = None;
    }
    let all: Vec<usize> = (0..600).collect();
    assert_eq!(reason(&index, &all), NoShortcut::NoFeatures);
}
