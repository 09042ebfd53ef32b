use std::sync::Arc;

use super::super::survey::Survey;
use super::{NoShortcut, Shortcut, check};
use crate::audit::{Severity, audit};
use crate::index::{Acquisition, Index, IndexRow};
use crate::synthetic::{index, row};

/// 120 patients of eight slices; `any` and the kernel are what `of` makes of patient and slice.
fn patients(of: impl Fn(u32, u32) -> (bool, &'static str)) -> Index {
    let mut rows: Vec<IndexRow> = Vec::new();
    for patient in 0..120 {
        for slice in 0..8 {
            let (any, kernel) = of(patient, slice);
            let id = format!("{patient}_{slice}");
            let name = format!("P{patient}");
            let mut row = row(&id, Some(&name), &id, [u8::from(any); 6]);
            row.series_uid = Some(name.as_str().into());
            row.acquisition = Some(Arc::new(Acquisition {
                kernel: Some(kernel.to_owned()),
                kvp: Some(f64::from(80 + 20 * (mix(patient, 7) % 4))),
                ..Acquisition::default()
            }));
            rows.push(row);
        }
    }
    index(rows)
}

/// A number that looks drawn.
fn mix(a: u32, b: u32) -> u32 {
    let digest = blake3::hash(format!("{a} {b}").as_bytes());
    u32::from(digest.as_bytes()[0])
}

fn checked(index: &Index) -> Shortcut {
    check(&Survey::new(index)).unwrap()
}

#[test]
fn a_planted_shortcut_is_found() {
    let index = patients(|patient, slice| {
        let any = mix(patient, slice) < 64;
        let sharp = any != (mix(patient, 100 + slice) < 25);
        (any, if sharp { "SHARP" } else { "SOFT" })
    });
    let found = checked(&index);
    assert!(found.auc.value > 0.85, "{found:?}");
    assert!(found.auc.low.unwrap() > 0.8 && found.is_worrying());
    assert!(found.skill > 0.3 && found.log_loss < found.prevalence_log_loss);
    assert_eq!(found.features[0].name, "kernel");
    assert_eq!((found.slices, found.groups), (960, 120));
    let audit = audit(&index);
    let finding = audit
        .findings
        .iter()
        .find(|f| f.name == "shortcut.metadata");
    assert_eq!(finding.unwrap().severity, Severity::Warning);
    assert_eq!(audit.shortcut.as_ref(), Some(&found));
}

#[test]
fn what_has_nothing_to_do_with_the_label_is_no_shortcut() {
    let kernels = ["A", "B", "C"];
    // An interval may miss by chance (a few in twenty, as the regressions are not fitted again for each resample), so
    // several draws are looked at.
    let draws: Vec<Shortcut> = (0..20)
        .map(|draw| {
            checked(&patients(|patient, slice| {
                let kernel = kernels[mix(patient, 3) as usize % 3];
                (mix(patient, 100 * (1 + draw) + slice) < 64, kernel)
            }))
        })
        .collect();
    let covered = draws
        .iter()
        .filter(|found| found.auc.low.unwrap() < 0.5 && 0.5 < found.auc.high.unwrap());
    assert!(covered.count() >= 14);
    let mean = draws.iter().map(|found| found.auc.value).sum::<f64>() / 20.0;
    assert!((mean - 0.5).abs() < 0.02, "{mean}");
    for found in &draws {
        assert!(
            !found.is_worrying() && found.skill.abs() < 0.05,
            "{found:?}"
        );
    }
}

#[test]
fn where_in_the_head_is_told_from_how_it_was_taken() {
    // The upper half bleeds, whatever the scanner.
    let index = patients(|_, slice| (slice >= 4, "A"));
    let found = checked(&index);
    assert!(found.auc.value > 0.95, "{found:?}");
    assert!(found.auc_of_acquisition.value < 0.6, "{found:?}");
    assert!(found.features[0].is_position);
    let audit = audit(&index);
    let finding = audit
        .findings
        .iter()
        .find(|f| f.name == "shortcut.metadata");
    assert!(finding.unwrap().remedy.contains("which is anatomy"));
}

#[test]
fn the_order_of_rows_and_the_number_of_threads_change_nothing() {
    let mut index = patients(|patient, slice| (mix(patient, slice) < 99, "A"));
    let found = |index: &Index, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| checked(index))
    };
    let before = found(&index, 1);
    assert_eq!(found(&index, 3), before);
    // Whole patients change places; slices keep their order within a series.
    index.rows.rotate_left(8 * 50);
    assert_eq!(found(&index, 2), before);
}

#[test]
fn too_little_is_said_to_be_too_little() {
    let reason = |index: &Index| check(&Survey::new(index)).unwrap_err();
    let one_outcome = patients(|_, _| (false, "A"));
    assert_eq!(reason(&one_outcome), NoShortcut::FewGroups(0, 120));
    let audit = audit(&one_outcome);
    assert!(audit.shortcut.is_none());
    let why = audit.no_shortcut_check.unwrap();
    assert!(why.ends_with("there are 0 and 120"), "{why}");

    let mut unlabelled = patients(|patient, _| (patient % 2 == 0, "A"));
    for row in &mut unlabelled.rows {
        row.labels.0[5] = None;
    }
    assert_eq!(reason(&unlabelled), NoShortcut::FewSlices(0));

    let mut alike = patients(|patient, _| (patient % 2 == 0, "A"));
    for row in &mut alike.rows {
        row.acquisition = None;
        row.series_uid = None;
    }
    assert_eq!(reason(&alike), NoShortcut::NoFeatures);
}
