//! How the figures were computed, with the sources.

use maud::html;

use super::Section;
use crate::text::{count, thousands};
use crate::{Development, Evaluation};

/// (what, how, source).
type Method = (&'static str, String, &'static str);

pub(super) fn section(e: &Evaluation) -> Section {
    let body = html! {
        dl class="methods" {
            @for (what, how, source) in methods(e) {
                dt { (what) }
                dd { (how) " " cite { (source) } }
            }
        }
    };
    Section {
        id: "methods",
        title: "Methods",
        body,
    }
}

fn methods(e: &Evaluation) -> Vec<Method> {
    let mut found = vec![
        (
            "Loss",
            "Mean of six binary log losses with any counted twice; probabilities clipped to 10⁻¹⁵ from 0 and 1.".to_owned(),
            "RSNA Intracranial Hemorrhage Detection, Kaggle 2019, evaluation page.",
        ),
        (
            "No skill",
            "The same loss for constant predictions on the same cases. Skill = 1 − loss / baseline.".to_owned(),
            "",
        ),
        (
            "Ranking",
            "Area under the ROC curve with ties counted half; average precision without interpolation; the area over specificities of at least 90 %.".to_owned(),
            "Hanley and McNeil, Radiology 143, 1982; McClish, Medical Decision Making 9, 1989.",
        ),
    ];
    if e.replicates > 0 {
        found.push((
            "Uncertainty",
            format!(
                "95 % intervals, bias-corrected and accelerated, from {} resamples of whole patients with replacement (seed {}); slices of \
                 one patient stay together. Areas also by formula for clustered cases; shares of cases that are patients by Wilson's; bands of ROC curves by percentiles of the \
                 sensitivity at each fixed specificity.",
                thousands(u64::from(e.replicates)),
                e.seed
            ),
            "Efron, JASA 82, 1987; DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; Obuchowski, Biometrics 53, 1997; Wilson, JASA 22, 1927; Platt, Hanley and Yang, Statistics in Medicine 19, 2000.",
        ));
    }
    found.push((
        "Calibration",
        "Reliability over bins of equal size; consistency bands by resampling outcomes as if the predictions were right; slope and \
         intercept by logistic regression on the logit; Brier score with its parts."
            .to_owned(),
        "Bröcker and Smith, Weather and Forecasting 22, 2007; Van Calster et al., BMC Medicine 17, 2019; Murphy, J. Applied \
         Meteorology 12, 1973.",
    ));
    found.push((
        "Decision curves",
        "Net benefit: true positives a case, less false positives at the odds of the threshold."
            .to_owned(),
        "Vickers and Elkin, Medical Decision Making 26, 2006.",
    ));
    found.extend(population(e));
    if let Some(development) = &e.development {
        found.push(("Thresholds and corrections", developed(development), ""));
    }
    found.extend(super::abstention::methods(e));
    found.push((
        "Several comparisons",
        format!(
            "Six labels, several levels and several thresholds are shown. No interval is adjusted for their number: of many, one in \
             twenty misses by chance. The weighted log loss over {} is the one headline; all else is description.",
            e.unit.many()
        ),
        "",
    ));
    found
}

/// How groups and readers were compared, where they were.
fn population(e: &Evaluation) -> Vec<Method> {
    let groups = e.subgroups.as_ref().map(|s| {
        (
            "Parts of the population",
            format!(
                "Gaps between the extreme groups, tested by dealing the groups to the patients at random ({} times) and \
                 corrected by Holm over all axes and measures; intervals from {} resamples of patients.",
                thousands(u64::from(s.permutations)),
                thousands(u64::from(s.replicates))
            ),
            "Holm, Scandinavian Journal of Statistics 6, 1979.",
        )
    });
    let readers = e.readers.as_ref().map(|_| {
        (
            "Readers",
            "Cohen’s kappa of pairs, Fleiss’ kappa over cases that all read, Krippendorff’s alpha over all with two reads.".to_owned(),
            "Cohen, Educational and Psychological Measurement 20, 1960; Fleiss, Psychological Bulletin 76, 1971; Krippendorff, \
             Content Analysis, 2004.",
        )
    });
    groups.into_iter().chain(readers).collect()
}

fn developed(development: &Development) -> String {
    match development {
        Development::Given { cases, patients } => format!(
            "Found on {} of {} that are not judged here, then locked.",
            count(*cases, "case"),
            count(*patients, "patient")
        ),
        Development::CrossFitted { folds } => format!(
            "Cross-fitted: each patient is judged with what the other {} of {folds} folds of patients gave.",
            folds.saturating_sub(1)
        ),
    }
}
