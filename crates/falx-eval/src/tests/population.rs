//! Parts of the population and readers, as an evaluation carries them.

use std::sync::Arc;

use falx_core::{ImageId, Label, LabelRow, PatientId, Probability, Silent};

use crate::{
    Attributes, Case, EvaluateOptions, Evaluation, EvaluationInput, StudyReads, evaluate_input,
};

/// Three slices a patient; the scanner B is harder to read than A, and one patient's scanner is unknown.
fn cases() -> Vec<Case> {
    let known = |scanner: &str, plane: &str| {
        let pairs = [("scanner", scanner), ("plane", plane)];
        Arc::new(Attributes(
            pairs.map(|(a, v)| (a.into(), v.into())).to_vec(),
        ))
    };
    let scanners = ["A", "B"].map(|s| ["thin", "thick"].map(|plane| known(s, plane)));
    (0..240_usize)
        .map(|i| {
            let (patient, slice) = (i / 3, i % 3);
            let bleeds = patient.is_multiple_of(3) && slice > 0;
            let hard = patient.is_multiple_of(2);
            let noise = (i * 37 % 100) as f64 / if hard { 120.0 } else { 300.0 };
            let p = (if bleeds { 0.35 } else { 0.1 } + noise).min(1.0);
            Case {
                image_id: ImageId(format!("ID_{i:03}")),
                patient: PatientId(format!("P{patient:02}")),
                study: Some(format!("S{patient:02}").into()),
                series: None,
                order: None,
                attributes: (patient != 7)
                    .then(|| Arc::clone(&scanners[usize::from(hard)][usize::from(slice == 0)])),
                truth: LabelRow([bleeds; 6].map(Some)),
                prediction: [Probability::new(p).unwrap(); 6],
            }
        })
        .collect()
}

/// Three readers of `any`; the third overlooks every second haemorrhage, and a study that nobody judges is read too.
fn reads() -> Vec<StudyReads> {
    let row = |yes: bool| {
        let mut row = LabelRow::default();
        row.set(Label::Any, yes);
        row
    };
    (0..90_u32)
        .map(|patient| {
            let bleeds = patient.is_multiple_of(3);
            let third = bleeds && patient.is_multiple_of(6);
            StudyReads {
                patient: PatientId(format!("P{patient:02}")),
                study: format!("S{patient:02}").into(),
                truth: row(bleeds),
                readers: [("R1", bleeds), ("R2", bleeds), ("R3", third)]
                    .map(|(name, yes)| (name.to_owned(), row(yes)))
                    .to_vec(),
            }
        })
        .collect()
}

fn judged(cases: &[Case], studies: &[StudyReads], replicates: u32) -> Evaluation {
    let input = EvaluationInput {
        cases,
        studies,
        ..EvaluationInput::default()
    };
    let options = EvaluateOptions {
        replicates,
        ..EvaluateOptions::default()
    };
    evaluate_input(&input, &options, &Silent).unwrap()
}

#[test]
fn attributes_become_groups_at_the_locked_threshold() {
    let e = judged(&cases(), &[], 50);
    let found = e.subgroups.as_ref().unwrap();
    let axes: Vec<&str> = found.axes.iter().map(|a| a.axis.as_str()).collect();
    assert_eq!(axes, ["plane", "scanner"]);
    let scanner = &found.axes[1];
    let groups: Vec<(&str, u64)> = scanner
        .groups
        .iter()
        .map(|g| (&*g.group, g.cases))
        .collect();
    assert_eq!(groups, [("A", 117), ("B", 120), ("unknown", 3)]);
    let points = e.labels[Label::Any.index()].locked_points.as_ref().unwrap();
    let point = points.of(&crate::operating::HEADLINE_RULE).unwrap();
    assert_eq!(scanner.labels[0].threshold, Some(point.threshold));
    assert_eq!((found.replicates, found.permutations), (50, 999));
    let widest = found.widest("scanner").unwrap();
    let gaps = found.gaps.iter().filter(|g| g.axis == "scanner");
    assert!(gaps.clone().count() >= 2);
    assert!(gaps.into_iter().all(|g| g.gap.value <= widest.gap.value));
    assert_eq!(widest.lowest, "B");
    assert!(
        found
            .notes
            .iter()
            .any(|n| n.contains("all judged patients"))
    );
    // Without resamples there are no permutations either.
    let quick = judged(&cases(), &[], 0).subgroups.unwrap();
    assert_eq!((quick.replicates, quick.permutations), (0, 0));
    assert!(quick.gaps.iter().all(|g| g.p.is_none()));
}

#[test]
fn one_group_is_no_axis() {
    let mut cases = cases();
    for case in &mut cases {
        case.attributes = Some(Arc::new(Attributes(vec![("scanner".into(), "A".into())])));
    }
    assert_eq!(judged(&cases, &[], 0).subgroups, None);
}

/// A study's scanner is its slices'; their planes differ, so that the study has none.
#[test]
fn a_study_has_what_its_slices_share() {
    let mut cases = cases();
    for case in &mut cases {
        case.truth = LabelRow::default();
    }
    let e = judged(&cases, &reads(), 20);
    assert_eq!(e.unit, crate::UnitOfAnalysis::Study);
    let axes = e.subgroups.unwrap().axes;
    assert_eq!(axes.len(), 1);
    assert_eq!(axes[0].axis, "scanner");
    assert_eq!(axes[0].groups[0].cases, 39);
}

#[test]
fn the_model_is_one_more_reader_of_the_judged_studies() {
    let e = judged(&cases(), &reads(), 50);
    let readers = e.readers.as_ref().unwrap();
    assert_eq!((readers.studies, readers.patients), (80, 80));
    assert_eq!(readers.readers, ["R1", "R2", "R3"]);
    assert_eq!(readers.labels.len(), 1, "nobody read the subtypes");
    let any = &readers.labels[0];
    assert_eq!(any.pairs[0].kappa.unwrap().value, 1.0);
    let model = any.model.as_ref().unwrap();
    let studies = &e.study.as_ref().unwrap().labels[Label::Any.index()];
    let points = studies.locked_points.as_ref().unwrap();
    let point = points.of(&crate::operating::HEADLINE_RULE).unwrap();
    assert_eq!(model.threshold, Some(point.threshold));
    assert_eq!(model.majority.cases, 80);
    // The first reader says what is true, so the model's area against both is one.
    let auc = studies.auc.unwrap().value;
    assert!((model.readers[0].auc.unwrap().value - auc).abs() < 1e-12);
    assert!(model.difference.is_some());
}

#[test]
fn neither_order_nor_threads_matter() {
    let (cases, reads) = (cases(), reads());
    let mut turned = (cases.clone(), reads.clone());
    turned.0.reverse();
    turned.1.reverse();
    let on = |threads: usize, cases: &[Case], reads: &[StudyReads]| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let e = pool.build().unwrap().install(|| judged(cases, reads, 40));
        (e.subgroups, e.readers)
    };
    let once = on(1, &cases, &reads);
    assert!(once.0.is_some() && once.1.is_some());
    assert!(once == on(3, &turned.0, &turned.1));
}

#[test]
fn the_text_shows_the_widest_gaps_and_the_readers() {
    let text = judged(&cases(), &reads(), 50).to_text();
    let from = text.find("\nWidest gap").unwrap();
    let to = text.find("\nBrackets").unwrap();
    insta::assert_snapshot!(&text[from..to]);
}

#[test]
fn page_tables_and_check_lists_have_them_and_name_the_multiplicity() {
    let e = judged(&cases(), &reads(), 50);
    let report = crate::report::Report {
        title: "Groups".to_owned(),
        subtitle: String::new(),
        provenance: crate::Provenance::default(),
        evaluation: e.clone(),
        curves: Vec::new(),
        pictures: Vec::new(),
        notes: Vec::new(),
    };
    let html = crate::report::to_html(&report);
    for needed in [
        "href=\"#groups\"",
        "href=\"#readers\"",
        "<b>By scanner</b>",
        "p corrected by Holm over all of them",
        "4 gaps tested",
        "Krippendorff’s alpha",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    let rows = |name: &str| {
        let tables = crate::tables::of(&e);
        let table = tables.into_iter().find(|t| t.name == name).unwrap();
        assert!(
            table.rows.iter().all(|r| r.len() == table.columns.len()),
            "{name}"
        );
        table.rows.len()
    };
    assert_eq!(
        rows("subgroups"),
        3 + 3,
        "two groups an axis, and the unknown"
    );
    assert_eq!(rows("gaps"), e.subgroups.as_ref().unwrap().gaps.len());
    assert_eq!(
        [
            "readers",
            "reader_pairs",
            "reader_agreement",
            "model_against_readers"
        ]
        .map(rows),
        [3, 3, 1, 4]
    );
    let nothing = crate::Provenance::default();
    let answer = |items: Vec<crate::checklist::Item>, number: &str| {
        let item = items.into_iter().find(|item| item.number == number);
        item.unwrap().answer
    };
    let claim = |e: &Evaluation, number| answer(crate::checklist::claim(&nothing, e), number);
    assert!(claim(&e, "18").unwrap().contains("3 readers of 80 studies"));
    assert!(claim(&e, "30").unwrap().contains("specificity by scanner"));
    let fairness = answer(crate::checklist::stard_ai(&nothing, &e), "23");
    assert_eq!(fairness, claim(&e, "30"));
    let alone = judged(&cases()[..30], &[], 0);
    assert_eq!(claim(&alone, "18"), None, "nobody's reads are known");
}

#[test]
fn the_model_among_readers_answers_at_its_own_folds_threshold() {
    let e = judged(&cases(), &reads(), 0);
    let study = e.study.as_ref().unwrap();
    let any = &study.labels[Label::Any.index()];
    let point = any.locked_points.as_ref().unwrap();
    let point = point.of(&crate::operating::HEADLINE_RULE).unwrap();
    let readers = e.readers.as_ref().unwrap();
    let of_any = readers.labels.iter().find(|l| l.label == Label::Any);
    let model = of_any.unwrap().model.as_ref().unwrap();
    assert_eq!(model.chosen_on, Some(point.chosen_on));
    assert_eq!(model.threshold, Some(point.threshold));
    // The first reader is right about every study, so against this reader the model does what it does against the truth.
    let right = &model.readers[0];
    assert_eq!(right.cases, study.studies);
    let value = |e: &Option<crate::Estimate>| e.unwrap().value;
    assert_eq!(value(&right.sensitivity), value(&point.test.sensitivity));
    assert_eq!(value(&right.specificity), value(&point.test.specificity));
    let all = point.development.as_ref().unwrap();
    assert_ne!(
        (value(&all.sensitivity), value(&all.specificity)),
        (value(&right.sensitivity), value(&right.specificity)),
        "the threshold of everyone would be seen"
    );
}

#[test]
fn gaps_and_broken_promises_are_warned_of() {
    let e = judged(&cases(), &[], 200);
    let significant = e.subgroups.as_ref().unwrap().gaps.iter();
    let significant: Vec<_> = significant
        .filter(|g| g.p_corrected.is_some_and(|p| p <= 0.05))
        .collect();
    assert!(!significant.is_empty());
    let gaps = e.warnings.iter().filter(|w| w.starts_with("By "));
    let axes: std::collections::BTreeSet<&str> =
        significant.iter().map(|g| g.axis.as_str()).collect();
    assert_eq!(gaps.count(), axes.len(), "{:?}", e.warnings);
    assert!(!e.warnings.iter().any(|w| w.contains("promise")));

    // A development set whose predictions are surer than those that are judged.
    let sure: Vec<Case> = cases()
        .into_iter()
        .map(|mut case| {
            let bleeds = case.truth.get(Label::Any) == Some(true);
            let noise = 0.01 * case.prediction[0].get();
            let p = if bleeds { 0.95 + noise } else { noise };
            case.patient = PatientId(format!("other {}", case.patient.0));
            case.image_id = ImageId(format!("other {}", case.image_id));
            case.prediction = [Probability::new(p).unwrap(); 6];
            case
        })
        .collect();
    let judged = cases();
    let input = EvaluationInput {
        cases: &judged,
        development: Some(&sure),
        ..EvaluationInput::default()
    };
    let options = EvaluateOptions {
        replicates: 200,
        ..EvaluateOptions::default()
    };
    let e = evaluate_input(&input, &options, &Silent).unwrap();
    let broken = |w: &&String| w.starts_with("Prediction sets over slices break their promise");
    let warning = e.warnings.iter().find(broken).unwrap();
    assert!(warning.contains("any, positive ones, "), "{warning}");
    let missed = |w: &&String| w.contains("that promises to miss at most 10 % misses");
    assert!(e.warnings.iter().any(|w| missed(&w)), "{:?}", e.warnings);
}

#[test]
fn the_card_names_the_group_that_fares_worst() {
    let e = judged(&cases(), &[], 100);
    let card = crate::model_card::markdown("x", &crate::Provenance::default(), &e);
    let factors = card.split("## ").find(|part| part.starts_with("Factors"));
    let factors = factors.unwrap();
    let line = factors.lines().find(|l| l.starts_with("- By scanner"));
    let line = line.unwrap();
    assert!(line.contains("A (39 patients), B (40 patients)"), "{line}");
    assert!(
        line.contains("lowest AUC") && line.contains(" in B (40 patients, "),
        "{line}"
    );
    assert!(line.contains("Widest gap: "), "{line}");
    let plain = judged(&cases()[..6], &[], 0);
    let card = crate::model_card::markdown("x", &crate::Provenance::default(), &plain);
    assert!(
        card.contains("fewer than two groups have ten patients") || card.contains("given none")
    );
}
