//! Thresholds across folds: no patient is judged at a threshold that the patient had a part in.

use super::{cohort, resampling};
use crate::Outcomes;
use crate::operating::{
    ChosenOn, Confusion, LockedPoint, RULES, Rule, cross_fitted_points, dealt_for_thresholds,
};

const FOLDS: u32 = 5;
const PATIENTS: u32 = 50;

/// Cases by column, some of them left out.
type Columns = (Vec<bool>, Vec<f64>, Vec<u32>);

fn kept(of: &Columns, keep: impl Fn(u32) -> bool) -> Columns {
    let mut kept = Columns::default();
    for ((&truth, &score), &cluster) in of.0.iter().zip(&of.1).zip(&of.2) {
        if keep(cluster) {
            kept.0.push(truth);
            kept.1.push(score);
            kept.2.push(cluster);
        }
    }
    kept
}

fn outcomes(of: &Columns) -> Outcomes<'_> {
    Outcomes::new(&of.0, &of.1, &of.2).unwrap()
}

fn fitted(of: &Columns, rule: Rule) -> LockedPoint {
    let found = cross_fitted_points(
        &[rule],
        &outcomes(of),
        FOLDS,
        &resampling(PATIENTS as usize),
    );
    found.points.into_iter().next().unwrap()
}

fn folds(of: &Columns) -> Vec<u32> {
    let seed = resampling(PATIENTS as usize).seed();
    dealt_for_thresholds(&outcomes(of), FOLDS, seed).unwrap()
}

/// The counts at each patient's threshold.
fn counted(of: &Columns, threshold: impl Fn(u32) -> f64) -> Confusion {
    let mut counts = Confusion::default();
    for ((&truth, &score), &cluster) in of.0.iter().zip(&of.1).zip(&of.2) {
        counts.count(truth, score >= threshold(cluster), 1);
    }
    counts
}

#[test]
fn each_fold_has_the_threshold_that_all_others_choose() {
    let cases = cohort(PATIENTS, 0.0);
    let fold_of = folds(&cases);
    let chosen = RULES
        .into_iter()
        .filter(|r| !matches!(r, Rule::Fixed { .. }));
    let mut own_would_differ = 0;
    for rule in chosen {
        let point = fitted(&cases, rule);
        assert_eq!(point.chosen_on, ChosenOn::OtherFolds);
        assert_eq!(Ok(point.threshold), rule.choose(&outcomes(&cases)));
        for (fold, &threshold) in (0..).zip(&point.fold_thresholds) {
            let others = kept(&cases, |c| fold_of[c as usize] != fold);
            assert_eq!(
                Ok(threshold),
                rule.choose(&outcomes(&others)),
                "{rule}, fold {fold}"
            );
            own_would_differ += u32::from(threshold != point.threshold);
        }
        let test = &point.test.confusion;
        let own = |c: u32| point.fold_thresholds[fold_of[c as usize] as usize];
        assert_eq!(*test, counted(&cases, own), "{rule}");
    }
    assert!(own_would_differ >= 5, "the cohort must tell the two apart");
}

#[test]
fn judging_with_ones_own_fold_would_be_seen() {
    let cases = cohort(PATIENTS, 0.0);
    let fold_of = folds(&cases);
    let rule = Rule::Sensitivity { at_least: 0.9 };
    let point = fitted(&cases, rule);
    let whole = counted(&cases, |_| point.threshold);
    let next = |c: u32| point.fold_thresholds[(fold_of[c as usize] + 1) as usize % FOLDS as usize];
    assert_ne!(point.test.confusion, whole, "the threshold of everyone");
    assert_ne!(
        point.test.confusion,
        counted(&cases, next),
        "another fold's"
    );
    assert_eq!(point.test.confusion.cases(), cases.0.len() as u64);
}

#[test]
fn nonsense_from_a_patient_moves_every_threshold_but_the_patients_own() {
    let cases = cohort(PATIENTS, 0.0);
    let fold_of = folds(&cases);
    let rule = Rule::Sensitivity { at_least: 0.9 };
    let before = fitted(&cases, rule);
    let is_ill = |patient: u32| {
        let mut of = cases.0.iter().zip(&cases.2);
        of.any(|(&truth, &c)| truth && c == patient)
    };
    let mut moved = 0;
    for patient in (0..PATIENTS).filter(|&p| is_ill(p)) {
        // Truths stay, and so do the folds. Positives at 0 pull a sensitivity's threshold down.
        let mut turned = cases.clone();
        for (score, cluster) in turned.1.iter_mut().zip(&turned.2) {
            if *cluster == patient {
                *score = 0.0;
            }
        }
        assert_eq!(folds(&turned), fold_of);
        let after = fitted(&turned, rule);
        let own = fold_of[patient as usize] as usize;
        assert_eq!(
            after.fold_thresholds[own], before.fold_thresholds[own],
            "{patient}"
        );
        let pairs = before.fold_thresholds.iter().zip(&after.fold_thresholds);
        moved += pairs.filter(|(a, b)| a != b).count();
    }
    assert!(moved > 20, "only {moved} thresholds moved");
}
