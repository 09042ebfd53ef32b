use falx_core::{ImageId, Label, LabelRow, PatientId};
use falx_eval::Outcomes;
use falx_eval::calibration::{Platt, PlattTargets};

use super::*;

const FOLDS: usize = 4;
const SLICES: usize = 300;

/// Numbers from 0 to 1 without a pattern.
fn noise(at: usize) -> f64 {
    (at as f64 * 0.618_033_988_75 + (at as f64 * 12.9898).sin() * 43758.5453).rem_euclid(1.0)
}

/// The logit of the true probability of a haemorrhage in a slice: every slice its own patient.
fn true_logit(slice: usize) -> f64 {
    6.0 * noise(3 * slice) - 4.0
}

fn truth(image: &ImageId) -> Option<(LabelRow, PatientId)> {
    let slice: usize = image.as_str().parse().ok()?;
    let p = 1.0 / (1.0 + (-true_logit(slice)).exp());
    let shows = noise(3 * slice + 1) < p;
    let patient = PatientId::from(image.as_str());
    Some((LabelRow([Some(shows); 6]), patient))
}

/// What a network says that doubts too little and errs by itself.
fn said(slice: usize, network: usize) -> Prediction {
    let own = 6.0 * noise(7 * slice + 100_003 * network + 2) - 3.0;
    let logit = 2.0 * (true_logit(slice) + own) + 0.5;
    Prediction {
        image_id: ImageId::from(slice.to_string().as_str()),
        probabilities: [Probability::from_logit(logit); 6],
    }
}

fn fold(number: usize, prior: Option<PriorShift>) -> Said {
    let slices = number * SLICES..(number + 1) * SLICES;
    Said {
        prior,
        own: slices.map(|slice| said(slice, number)).collect(),
    }
}

/// The line that would make predictions of `any` right; (1, 0) where they are.
fn needed(predictions: &[Prediction]) -> Platt {
    let at = Label::Any.index();
    let cases = predictions.iter().zip(0_u32..);
    let cases: Vec<(bool, f64, u32)> = cases
        .map(|(prediction, patient)| {
            let (labels, _) = truth(&prediction.image_id).unwrap();
            let shows = labels.get(Label::Any).unwrap();
            (shows, prediction.probabilities[at].get(), patient)
        })
        .collect();
    let truths: Vec<bool> = cases.iter().map(|case| case.0).collect();
    let numbers: Vec<f64> = cases.iter().map(|case| case.1).collect();
    let patients: Vec<u32> = cases.iter().map(|case| case.2).collect();
    let outcomes = Outcomes::new(&truths, &numbers, &patients).unwrap();
    Platt::fit(&outcomes, PlattTargets::Observed).unwrap()
}

#[test]
fn predictions_out_of_fold_are_drawn_along_lines_that_did_not_see_them() {
    let prior = PriorShift::new(0.5, 0.3).unwrap();
    // What one fold's network was shown more often is taken back after the line.
    let folds: Vec<Said> = (0..FOLDS)
        .map(|number| fold(number, (number == 1).then_some(prior)))
        .collect();
    let before: Vec<Prediction> = folds.iter().flat_map(|fold| fold.own.clone()).collect();
    let before = needed(&before);
    assert!(before.slope < 0.5, "{before:?}");
    let found = of_folds(&truth, &folds, None);
    assert_eq!(found.lines.len(), 6);
    let line = found.lines[Label::Any.index()];
    assert!(
        (line.slope - before.slope).abs() < 0.02,
        "{line:?} {before:?}"
    );
    assert_eq!(found.crossed.len(), FOLDS * SLICES);
    let corrected = |prediction: &Prediction| {
        let slice: usize = prediction.image_id.as_str().parse().unwrap();
        slice / SLICES == 1
    };
    let (shifted, plain): (Vec<_>, Vec<_>) = found.crossed.into_iter().partition(corrected);
    let after = needed(&plain);
    assert!((after.slope - 1.0).abs() < 0.1, "{after:?}");
    assert!(after.intercept.abs() < 0.2, "{after:?}");
    // Odds were divided by (.5 / .5) / (.3 / .7).
    let back = (0.7_f64 / 0.3).ln();
    let after = needed(&shifted);
    assert!(
        (after.intercept / after.slope - back).abs() < 0.5,
        "{after:?}"
    );
}

#[test]
fn lines_of_an_ensemble_are_stretched_as_far_as_its_mean_is_drawn_together() {
    let folds: Vec<Said> = (0..FOLDS).map(|number| fold(number, None)).collect();
    let locked = FOLDS * SLICES..FOLDS * SLICES + 2000;
    let single: Vec<Vec<Prediction>> = (0..FOLDS)
        .map(|network| locked.clone().map(|slice| said(slice, network)).collect())
        .collect();
    let members = single[..3].iter().map(|own| Said {
        prior: None,
        own: own.clone(),
    });
    let members = Locked(members.collect());
    let mean = |lines: &[CalibrationLine]| {
        let better = |own: &Vec<Prediction>| {
            let own = own.iter().map(|prediction| Prediction {
                image_id: prediction.image_id.clone(),
                probabilities: calibrated(lines, prediction.probabilities),
            });
            own.collect()
        };
        let members: Vec<Vec<Prediction>> = single[..3].iter().map(better).collect();
        needed(&mean_of_predictions(&members).unwrap())
    };
    let alone = of_folds(&truth, &folds, None).lines;
    let stretched = of_folds(&truth, &folds, Some(&members)).lines;
    assert!(mean(&alone).slope > 1.25, "{:?}", mean(&alone));
    let after = mean(&stretched);
    assert!((after.slope - 1.0).abs() < 0.15, "{after:?}");
    assert!(after.intercept.abs() < 0.3, "{after:?}");
}

#[test]
fn only_runs_that_locked_patients_away_say_how_their_mean_differs() {
    let folder = tempfile::tempdir().unwrap();
    let runs = ["fold-0", "fold-1"].map(|name| RunFolder::new(folder.path().join(name)));
    for members in [&[][..], &["fold-0", "other"], &["fold-0", "fold-1"]] {
        assert!(Locked::of(&runs, members).unwrap().is_none(), "{members:?}");
    }
}
