//! Detectors that come from files.

use crate::worklist::*;

#[test]
fn a_table_of_studies_gives_scores() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.csv");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write("study,truth,score\na,1,0.9\nb,0,0.2\nc,0,0.6\nd,1,0.4\n");
    let found = read_studies(&path, 0.5).unwrap();
    assert_eq!(found.prevalence, 0.5);
    assert_eq!(found.detector.rates(), (0.5, 0.5));
    for (text, words) in [
        ("study,truth\na,1\n", "no column `score`"),
        ("score,truth\n0.9,1\nNaN,0\n", "line 3 has `NaN` as score"),
        ("score,truth\n0.9,1\n0,9,0\n", "not a readable CSV table"),
        ("score,truth\n0.9,yes\n", "`yes` as truth"),
        ("score,truth\n0.9,1\n", "no study without haemorrhage"),
    ] {
        write(text);
        let message = read_studies(&path, 0.5).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn an_evaluation_gives_rates() {
    use crate::tests::cohort;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evaluation.json");
    let options = crate::EvaluateOptions {
        replicates: 0,
        ..crate::EvaluateOptions::default()
    };
    let evaluation = crate::evaluate(&cohort(30), &options, &falx_core::Silent).unwrap();
    std::fs::write(&path, serde_json::to_vec(&evaluation).unwrap()).unwrap();
    let any = &evaluation.study.as_ref().unwrap().labels[5];
    let locked = any.locked_points.as_ref().unwrap();
    let point = &locked.points[1];
    let found = read_evaluation(&path, &point.name).unwrap();
    let rates = [point.test.sensitivity, point.test.specificity].map(|e| e.unwrap().value);
    assert_eq!(found.detector.rates(), (rates[0], rates[1]));
    assert_eq!(found.prevalence, any.positives as f64 / any.known as f64);
    assert!(found.note.unwrap().contains("other folds' patients"));
    // Without locked points: those of the same cases, and it is said.
    let mut older = evaluation.clone();
    older.study.as_mut().unwrap().labels[5].locked_points = None;
    std::fs::write(&path, serde_json::to_vec(&older).unwrap()).unwrap();
    let point = &any.operating_points[1];
    let found = read_evaluation(&path, &point.rule).unwrap();
    assert_eq!(
        found.detector.rates(),
        (point.sensitivity, point.specificity)
    );
    assert!(found.note.unwrap().contains("these same cases"));
    let message = read_evaluation(&path, "luck").unwrap_err().to_string();
    assert!(
        message.contains("named `luck`") && message.contains("90 %"),
        "{message}"
    );
    std::fs::write(&path, "{}").unwrap();
    let message = read_evaluation(&path, "luck").unwrap_err().to_string();
    assert!(message.contains("by study"), "{message}");
    std::fs::write(&path, "[").unwrap();
    assert!(matches!(
        read_evaluation(&path, "luck"),
        Err(DetectorFileError::Evaluation { .. })
    ));
}

#[test]
fn locked_points_come_before_those_of_the_same_cases() {
    use crate::operating::{Rule, locked_points};
    use crate::{Outcomes, Resampling};
    let truth = [true, true, false, false];
    let score = [0.9, 0.3, 0.6, 0.1];
    let outcomes = Outcomes::new(&truth, &score, &[0, 1, 2, 3]).unwrap();
    let draws = Resampling::new(4, 0, 0);
    let rule = Rule::Fixed { threshold: 0.5 };
    let locked = locked_points(&[rule], &outcomes, &outcomes, &draws);
    let row = serde_json::json!({
        "label": "any", "known": 4, "positives": 2, "operating_points": [], "locked_points": locked,
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("evaluation.json");
    for document in [
        serde_json::json!({ "study": { "labels": [row.clone()] } }),
        serde_json::json!({ "unit": "study", "labels": [row] }),
    ] {
        std::fs::write(&path, document.to_string()).unwrap();
        let found = read_evaluation(&path, &rule.to_string()).unwrap();
        assert_eq!(found.detector.rates(), (0.5, 0.5));
        assert!(found.note.unwrap().contains("fixed beforehand"));
    }
}
