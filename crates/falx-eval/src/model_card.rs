//! A model card, drafted from an evaluation and its provenance.
//!
//! A bundle's own card (`falx_infer`) says what a model is and what its training measured; this one says what a reviewer
//! needs of one evaluation: on whom, against what, how surely. The two are separate because a bundle knows no
//! evaluation, and an evaluation no bundle.

mod factors;

use std::fmt::Write as _;

use crate::text::{count, interval, percent, skill, thousands, value};
use crate::{Evaluation, LabelScore, Provenance, Verdict, summary};

/// What stands where only the authors can know.
const OPEN: &str = "*To be written by the authors.*";

/// The card as Markdown.
///
/// # Source
/// Headings after Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
pub fn markdown(title: &str, p: &Provenance, e: &Evaluation) -> String {
    let mut card = format!("# Model card: {title}\n\nDraft. Research use; not a medical device.\n");
    let s = summary::of(e);
    if e.verdict == Verdict::WorseThanNoSkill {
        let _ = write!(card, "\n**{}. {}**\n", s.headline, s.comparison);
    }
    let sections = [
        ("Model details", details(p)),
        ("Intended use", open(p.intended_use.clone())),
        ("Factors", factors::factors(e)),
        ("Metrics", metrics(e)),
        ("Evaluation data", evaluation_data(p, e)),
        ("Training data", training_data(p)),
        ("Quantitative analyses", analyses(e, &s)),
        ("Ethical considerations", OPEN.to_owned()),
        ("Caveats and recommendations", caveats(e, &s)),
    ];
    for (heading, body) in sections {
        let _ = write!(card, "\n## {heading}\n\n{}\n", body.trim_end());
    }
    card
}

fn open(words: Option<String>) -> String {
    words.unwrap_or_else(|| OPEN.to_owned())
}

/// A line break would end a list's item, a bar a table's cell.
fn cell(words: &str) -> String {
    words.replace('|', "\\|").replace('\n', " ")
}

fn details(p: &Provenance) -> String {
    let rows: Vec<String> = [
        ("Network", p.network.clone()),
        ("Input", p.input.clone()),
        ("Training", p.training.clone()),
        ("Choice of weights", p.selection.clone()),
        ("Licence", p.licence.clone()),
        ("Recipe", p.recipe_lock.clone()),
        ("Seed", p.seed.map(|seed| seed.to_string())),
        (
            "Software",
            (!p.software.is_empty()).then(|| p.software.join(", ")),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("- {name}: {}\n", cell(&value?))))
    .collect();
    if rows.is_empty() {
        OPEN.to_owned()
    } else {
        rows.concat()
    }
}

fn metrics(e: &Evaluation) -> String {
    let mut words = "The competition's weighted log loss, the log loss of each label, the area under the ROC curve, average \
                     precision, calibration, sensitivity and specificity, each beside predictions without skill."
        .to_owned();
    if e.replicates > 0 && e.patients > 1 {
        let _ = write!(
            words,
            " Brackets: 95 % intervals from {} resamples of whole patients.",
            thousands(u64::from(e.replicates))
        );
    }
    words
}

fn evaluation_data(p: &Provenance, e: &Evaluation) -> String {
    let mut words = format!(
        "- {} of {}",
        count(e.slices, e.predicted().one()),
        count(e.patients, "patient")
    );
    if let Some(study) = &e.study {
        let _ = write!(words, " in {}", count(study.studies, "study"));
    }
    words.push('\n');
    for (name, value) in [
        ("Data", list(&p.data_sets)),
        ("Data lock", p.data_lock.clone()),
        ("Judged on", p.judged_on.clone()),
        ("Left out", p.left_out.clone()),
    ] {
        if let Some(value) = value {
            let _ = writeln!(words, "- {name}: {}", cell(&value));
        }
    }
    words
}

fn list(words: &[String]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(", "))
}

fn training_data(p: &Provenance) -> String {
    let rows: Vec<String> = [
        ("Parts", p.partition.clone()),
        ("Split lock", p.split_lock.clone()),
        ("Learnt from", p.learnt_from.clone()),
        ("Chosen on", p.developed_on.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(format!("- {name}: {}\n", cell(&value?))))
    .collect();
    if rows.is_empty() {
        OPEN.to_owned()
    } else {
        rows.concat()
    }
}

fn analyses(e: &Evaluation, s: &summary::Summary) -> String {
    let mut words = format!("{}. {}\n", s.headline, s.comparison);
    words.push_str(
        "\n| no-skill prediction | weighted log loss | skill of this model |\n|---|---|---|\n",
    );
    for b in &e.baselines {
        let _ = writeln!(
            words,
            "| {} | {} | {} |",
            cell(&b.name),
            value(b.weighted_log_loss, 4, false),
            skill(b.skill.as_ref())
        );
    }
    let _ = write!(
        words,
        "\n| label | positive {} | patients | log loss | no skill | AUC |\n|---|---|---|---|---|---|\n",
        e.unit.many()
    );
    for label in &e.labels {
        words.push_str(&label_row(label));
    }
    if let Some(d) = &s.detection {
        let _ = write!(
            words,
            "\n{} {} {}\n",
            d.found_sentence(),
            d.alarm_sentence(),
            d.threshold_sentence()
        );
    }
    if let Some(calibration) = &s.calibration {
        let _ = write!(words, "\nCalibration: {calibration}\n");
    }
    words
}

fn label_row(s: &LabelScore) -> String {
    let number = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), |x| value(x, 4, s.few));
    let auc = s.auc.map_or_else(
        || "undefined".to_owned(),
        |auc| {
            format!(
                "{} ({})",
                value(auc.value, 3, s.few),
                interval(&auc, 3, s.few)
            )
        },
    );
    format!(
        "| {} | {} ({}) | {} | {} | {} | {auc} |\n",
        s.label,
        thousands(s.positives),
        percent(s.positives as f64 / s.known.max(1) as f64, 2),
        thousands(s.positive_patients),
        number(s.log_loss.map(|l| l.value)),
        number(s.baseline_log_loss),
    )
}

fn caveats(e: &Evaluation, s: &summary::Summary) -> String {
    let mut words = String::new();
    for warning in &e.warnings {
        let _ = writeln!(words, "- {}", cell(warning));
    }
    words.push_str("\nNot to be concluded:\n\n");
    for what in &s.not_to_conclude {
        let _ = writeln!(words, "- {what}");
    }
    words
}

#[cfg(test)]
mod tests;
