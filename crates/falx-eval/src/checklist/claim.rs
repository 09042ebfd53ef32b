//! CLAIM, the Checklist for Artificial Intelligence in Medical Imaging, in its update of 2024.

use super::answers::Answers;
use super::{Item, Row, items};
use crate::{Evaluation, Provenance};

/// CLAIM 2024 for one evaluation: 44 items.
///
/// # Source
/// Tejani, Klontzas, Gatti, Mongan, Moy, Park and Kahn, "Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024
/// Update", Radiology: Artificial Intelligence 6(4), 2024, e240300. Numbers are the update's; topics are said in our words.
pub fn claim(provenance: &Provenance, evaluation: &Evaluation) -> Vec<Item> {
    let known = Answers::new(provenance, evaluation);
    items(&ROWS, |number| {
        let p = provenance;
        match number {
            "1" => known.technology(),
            "7" => known.data(),
            "8" | "35" => known.included(),
            "9" => p.input.clone(),
            "12" => known.missing(),
            "18" => known.agreement(),
            "19" => known.parts(),
            "20" => p.partition.clone(),
            "22" => known.model(),
            "23" => known.software(),
            "24" => p.initial_weights.clone(),
            "25" => p.training.clone(),
            "26" => p.selection.clone(),
            "27" => p.ensemble.clone(),
            "28" => known.metrics(),
            "29" => known.uncertainty(),
            "30" => known.groups(),
            "31" => p.explanation.clone(),
            "32" => p.judged_on.clone(),
            "36" => known.prevalence(),
            "37" => Some(known.loss()),
            "38" => known.accuracy(),
            "39" => known.failures(),
            _ => None,
        }
    })
}

const BACKGROUND: &str = "Title, abstract, introduction";
const DESIGN: &str = "Methods: study design";
const DATA: &str = "Methods: data";
const REFERENCE: &str = "Methods: reference standard";
const PARTITIONS: &str = "Methods: data partitions";
const TEST: &str = "Methods: testing data";
const MODEL: &str = "Methods: model";
const TRAINING: &str = "Methods: training";
const EVALUATION: &str = "Methods: evaluation";
const COHORT: &str = "Results: data";
const PERFORMANCE: &str = "Results: model performance";
const DISCUSSION: &str = "Discussion";
const OTHER: &str = "Other information";

const ROWS: [Row; 44] = [
    (
        "1",
        BACKGROUND,
        "Says that it is a study of AI, and of which kind",
    ),
    (
        "2",
        BACKGROUND,
        "Summary of design, methods, results and conclusions",
    ),
    (
        "3",
        BACKGROUND,
        "Scientific and clinical background, intended use and role",
    ),
    ("4", BACKGROUND, "Aims, objectives and hypotheses"),
    ("5", DESIGN, "Prospective or retrospective"),
    ("6", DESIGN, "Goal of the study"),
    ("7", DATA, "Sources of the data"),
    ("8", DATA, "Criteria of inclusion and exclusion"),
    ("9", DATA, "Preprocessing"),
    ("10", DATA, "Choice of parts of the data"),
    ("11", DATA, "De-identification"),
    ("12", DATA, "Missing data"),
    ("13", DATA, "How images were acquired"),
    ("14", REFERENCE, "How the reference standard was obtained"),
    ("15", REFERENCE, "Why this reference standard"),
    ("16", REFERENCE, "Who annotated"),
    ("17", REFERENCE, "How the test set was annotated"),
    ("18", REFERENCE, "Agreement between and within annotators"),
    ("19", PARTITIONS, "How cases were assigned to parts"),
    ("20", PARTITIONS, "At which level parts are disjoint"),
    ("21", TEST, "Intended sample size"),
    ("22", MODEL, "Description of the model"),
    ("23", MODEL, "Software and its versions"),
    ("24", MODEL, "Initial weights"),
    ("25", TRAINING, "Details of training"),
    ("26", TRAINING, "How the final model was chosen"),
    ("27", TRAINING, "Ensembles"),
    ("28", EVALUATION, "Measures of performance"),
    ("29", EVALUATION, "Measures of uncertainty and significance"),
    ("30", EVALUATION, "Robustness or sensitivity"),
    ("31", EVALUATION, "Explanation of predictions"),
    ("32", EVALUATION, "Testing on internal data"),
    ("33", EVALUATION, "Testing on external data"),
    ("34", EVALUATION, "Registration as a trial"),
    ("35", COHORT, "Numbers included and excluded"),
    ("36", COHORT, "Characteristics of the cases in each part"),
    ("37", PERFORMANCE, "Performance of the final model"),
    (
        "38",
        PERFORMANCE,
        "Diagnostic performance and its precision",
    ),
    ("39", PERFORMANCE, "Analysis of wrong answers"),
    ("40", DISCUSSION, "Limitations"),
    ("41", DISCUSSION, "Implications for practice"),
    ("42", OTHER, "Full protocol or technical details"),
    ("43", OTHER, "Availability of software, model and data"),
    ("44", OTHER, "Funding and the role of funders"),
];
