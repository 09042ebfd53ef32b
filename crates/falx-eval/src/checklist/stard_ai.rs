//! STARD-AI, the standard for reporting studies of diagnostic accuracy that use artificial intelligence.

use super::answers::{Answers, REFERENCE_CATEGORIES};
use super::{Item, Row, items};
use crate::{Evaluation, Provenance};

/// STARD-AI for one evaluation: 40 numbered items in 48 rows, for items 15, 16, 17, 26 and 40 have parts.
///
/// # Source
/// Sounderajah, Guni, Liu et al., "The STARD-AI reporting guideline for diagnostic accuracy studies using artificial
/// intelligence", Nature Medicine 31, 2025, 3283–3289. Numbers are the guideline's; topics are said in our words.
pub fn stard_ai(provenance: &Provenance, evaluation: &Evaluation) -> Vec<Item> {
    let known = Answers::new(provenance, evaluation);
    items(&ROWS, |number| {
        let p = provenance;
        match number {
            "7" => known.included(),
            "11" => known.data(),
            "13" => known.software(),
            "14" => p.input.clone(),
            "15a" => known.model(),
            "15b" => known.parts(),
            "15c" => known.cut_offs(),
            "16c" => Some(REFERENCE_CATEGORIES.to_owned()),
            "18" => known.metrics(),
            "19" => Some(known.indeterminate()),
            "20" => known.missing(),
            "21" | "23" => known.groups(),
            "25" => known.prevalence(),
            "30" => known.cross_tabulation(),
            "31" => known.accuracy(),
            _ => None,
        }
    })
}

const BACKGROUND: &str = "Title, abstract, introduction";
const DESIGN: &str = "Methods: study design and ethics";
const PARTICIPANTS: &str = "Methods: participants";
const DATA: &str = "Methods: data set";
const TESTS: &str = "Methods: test methods";
const ANALYSIS: &str = "Methods: analysis";
const COHORT: &str = "Results: participants and data set";
const RESULTS: &str = "Results: test results";
const DISCUSSION: &str = "Discussion";
const OTHER: &str = "Other information";

const ROWS: [Row; 48] = [
    (
        "1",
        BACKGROUND,
        "Says that it is a study of an AI's diagnostic accuracy, with a measure of it",
    ),
    ("2", BACKGROUND, "Structured summary"),
    (
        "3",
        BACKGROUND,
        "Background, intended use, novelty, place in the workflow",
    ),
    ("4", BACKGROUND, "Objectives and hypotheses"),
    ("5", DESIGN, "Prospective or retrospective"),
    (
        "6",
        DESIGN,
        "Approval by an ethics committee, or why none was needed",
    ),
    (
        "7",
        PARTICIPANTS,
        "Eligibility of participants and of data, in the order applied",
    ),
    (
        "8",
        PARTICIPANTS,
        "On what basis participants were identified",
    ),
    (
        "9",
        PARTICIPANTS,
        "Where and when participants were identified",
    ),
    (
        "10",
        PARTICIPANTS,
        "Consecutive, random or convenience series",
    ),
    (
        "11",
        DATA,
        "Source of the data: routine, collected for the study, or open",
    ),
    ("12", DATA, "Who annotated the data, and how"),
    (
        "13",
        DATA,
        "Devices that captured the data; software and its versions",
    ),
    ("14", DATA, "Acquisition and preprocessing"),
    ("15a", TESTS, "Index test, so that it can be repeated"),
    (
        "15b",
        TESTS,
        "How the index test was developed, with sample sizes",
    ),
    (
        "15c",
        TESTS,
        "Cut-offs of the index test, fixed beforehand or explored",
    ),
    ("15d", TESTS, "Who is to use it, with which expertise"),
    (
        "16a",
        TESTS,
        "Reference standard, so that it can be repeated",
    ),
    ("16b", TESTS, "Why this reference standard"),
    (
        "16c",
        TESTS,
        "Cut-offs or categories of the reference standard",
    ),
    (
        "17a",
        TESTS,
        "What those who ran or read the index test knew",
    ),
    (
        "17b",
        TESTS,
        "What those who set the reference standard knew",
    ),
    ("18", ANALYSIS, "How accuracy was estimated or compared"),
    ("19", ANALYSIS, "Indeterminate results"),
    ("20", ANALYSIS, "Missing data"),
    (
        "21",
        ANALYSIS,
        "Variability of accuracy, planned or explored",
    ),
    ("22", ANALYSIS, "Intended sample size"),
    ("23", ANALYSIS, "Analysis of errors, bias and fairness"),
    ("24", COHORT, "Flow of participants, as a diagram"),
    (
        "25",
        COHORT,
        "Characteristics of training, validation and test sets",
    ),
    ("26a", COHORT, "Severity of disease in those with it"),
    ("26b", COHORT, "Other diagnoses in those without it"),
    (
        "27",
        COHORT,
        "Time and treatment between index test and reference standard",
    ),
    (
        "28",
        COHORT,
        "Whether the data represent those whom it is meant for",
    ),
    ("29", COHORT, "How external test data differ from the rest"),
    (
        "30",
        RESULTS,
        "Index test against reference standard, cross-tabulated",
    ),
    ("31", RESULTS, "Accuracy and its precision"),
    ("32", RESULTS, "Adverse events"),
    (
        "33",
        DISCUSSION,
        "Limitations: bias, uncertainty, generalisability",
    ),
    ("34", DISCUSSION, "Implications for practice"),
    ("35", DISCUSSION, "Ethics and fairness of use"),
    ("36", OTHER, "Registration"),
    ("37", OTHER, "Where the protocol is"),
    ("38", OTHER, "Funding and the role of funders"),
    ("39", OTHER, "Commercial interests"),
    ("40a", OTHER, "Availability of data and code"),
    (
        "40b",
        OTHER,
        "Whether outputs are stored and can be audited",
    ),
];
