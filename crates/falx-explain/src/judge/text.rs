//! A judgement in words and tables.

use std::fmt::Write as _;

use falx_eval::Estimate;

use super::{
    ALIKE, FOUND, JudgeOptions, Judgement, LabelJudgement, Likeness, MapScores, Sanity, THRESHOLD,
    TOLERANCE_MM,
};
use crate::Method;

/// How maps were judged.
pub(super) fn rules(options: &JudgeOptions) -> Vec<String> {
    let mut rules = vec![
        "Every map lies on the slice's own pixels and is judged by the mask of its label, on the slices whose mask marks it; \
         where a mask does not tell subtypes apart, it is that of the slice's only subtype, and of any."
            .to_owned(),
        format!(
            "Pointing: the share of slices whose largest value lies in the mask or within {TOLERANCE_MM} mm of it."
        ),
        format!(
            "IoU: the mean intersection over union of the mask and of what is at least {:.0} % of the map's largest value.",
            100.0 * THRESHOLD
        ),
        "AP: the mean average precision of the values as scores of the pixels; chance is the share that is marked.".to_owned(),
        "Brightest blob: what is brighter in the brain window than the median inside of the skull, smoothed over 2 mm. Centre \
         prior: a Gaussian around the middle of the head. Neither knows the network."
            .to_owned(),
        format!(
            "Intervals are of 95 %, over {} resamples of whole patients; differences are those of two maps of the same slices.",
            options.replicates
        ),
        format!(
            "Sanity check: the network's parameters are drawn anew from the logits downwards (Adebayo et al. 2018); a method fails \
             where its maps are then still ordered alike, with a mean rank correlation of {ALIKE} or more when nothing learnt is \
             left."
        ),
    ];
    if options.shuffled.is_some() {
        rules.push(format!(
            "Shuffled labels: the same recipe learnt from labels that were dealt out anew among the slices; a method fails where its \
             maps of that network are ordered like the model's, with a mean rank correlation of {ALIKE} or more."
        ));
    }
    rules
}

/// What must be known before the maps are believed.
pub(super) fn warnings(judgement: &Judgement) -> Vec<String> {
    let mut warnings = Vec::new();
    if judgement.trained_on_these {
        warnings.push(
            "The model was trained with these very data: judge its maps on patients that it did not learn from.".to_owned(),
        );
    }
    for sanity in judgement.sanity.iter().filter(|sanity| !sanity.passed) {
        let failed = [
            (
                sanity.unlearnt(),
                "without anything that the network learnt",
            ),
            (
                sanity.shuffled,
                "with a network that learnt from shuffled labels",
            ),
        ];
        for (likeness, how) in failed {
            let Some(alike) = likeness
                .map(|likeness| likeness.spearman)
                .filter(|&rank| rank >= ALIKE)
            else {
                continue;
            };
            warnings.push(format!(
                "{} fails the sanity check: {how}, its maps are still ordered alike (rank correlation {alike:.2}). They show the \
                 picture more than what the network knows of haemorrhages.",
                titled(sanity.method)
            ));
        }
    }
    for label in &judgement.labels {
        let found = label.auc.is_some_and(|auc| auc >= FOUND);
        for map in label.scores.iter().filter(|map| !map.more_than.is_empty()) {
            for difference in &map.more_than {
                let gain = difference.scores.average_precision;
                let is_more = gain.and_then(|gain| gain.low).is_some_and(|low| low > 0.0);
                if found && !is_more {
                    warnings.push(format!(
                        "{} does not find {} better than the {}: the difference of average precision is {}.",
                        titled(map.name),
                        label.label,
                        difference.baseline,
                        signed(gain)
                    ));
                }
            }
        }
    }
    let unfound: Vec<String> = judgement
        .labels
        .iter()
        .filter(|label| label.auc.is_some_and(|auc| auc < FOUND))
        .map(|label| format!("{} ({:.2})", label.label, label.auc.unwrap_or(0.0)))
        .collect();
    if !unfound.is_empty() {
        warnings.push(format!(
            "The model itself does not find these well (AUC below {FOUND}); a map cannot show what is not found: {}.",
            unfound.join(", ")
        ));
    }
    warnings
}

/// A method's name in a sentence; a baseline's is so already.
pub(super) fn titled(name: &str) -> &str {
    match name.parse::<Method>() {
        Ok(method) => method.title(),
        Err(_) => name,
    }
}

/// All of it.
pub(super) fn of(judgement: &Judgement) -> String {
    let mut text = format!(
        "Heat maps of {} judged on {} of {} whose mask marks a label{}\n",
        judgement.network,
        counted(judgement.slices, "slice"),
        counted(judgement.patients, "patient"),
        match judgement.without_mask {
            0 => String::new(),
            count => format!(" ({} without a mask)", counted(count, "slice")),
        }
    );
    let row = |text: &mut String, cells: [&str; 4]| {
        let [name, pointing, iou, precision] = cells;
        let _ = writeln!(text, "  {name:<38}{pointing:<28}{iou:<28}{precision}");
    };
    for label in &judgement.labels {
        let _ = writeln!(text, "\n{}", heading(label));
        row(&mut text, ["", "pointing", "IoU", "AP"]);
        for map in &label.scores {
            let scores = &map.scores;
            row(
                &mut text,
                [
                    titled(map.name),
                    &plain(scores.pointing),
                    &plain(scores.iou),
                    &plain(scores.average_precision),
                ],
            );
        }
        for map in &label.scores {
            for difference in &map.more_than {
                let scores = &difference.scores;
                row(
                    &mut text,
                    [
                        &against(map, difference.baseline),
                        &signed(scores.pointing),
                        &signed(scores.iou),
                        &signed(scores.average_precision),
                    ],
                );
            }
        }
    }
    text.push('\n');
    for sanity in &judgement.sanity {
        let _ = writeln!(text, "{}", sentence(sanity));
    }
    for warning in &judgement.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text.push('\n');
    for rule in &judgement.rules {
        let _ = writeln!(text, "{rule}");
    }
    text.push_str(falx_core::RESEARCH_USE);
    text
}

/// What a difference is of.
pub(super) fn against(map: &MapScores, baseline: &str) -> String {
    format!("{} − {baseline}", titled(map.name))
}

/// A label with what it rests on.
pub(super) fn heading(label: &LabelJudgement) -> String {
    let auc = label
        .auc
        .map_or_else(|| "unknown".to_owned(), |auc| format!("{auc:.3}"));
    format!(
        "{}: {} of {}, {:.2} % of the pixels marked; AUC of the model {auc}",
        label.label,
        counted(label.slices, "slice"),
        counted(label.patients, "patient"),
        100.0 * label.marked
    )
}

/// A number of things, one or several.
fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// A method's sanity check in a sentence.
pub(super) fn sentence(sanity: &Sanity) -> String {
    let part = |share: f64| match share {
        0.0 => "the last layer".to_owned(),
        1.0 => "all layers".to_owned(),
        share => format!("{:.0} %", 100.0 * share),
    };
    let number =
        |Likeness { spearman, ssim }| format!("{spearman:.2} (SSIM {ssim:.2})").replace('-', "−");
    let stages: Vec<String> = sanity
        .stages
        .iter()
        .map(|stage| format!("{} {}", part(stage.share), number(stage.likeness)))
        .collect();
    let shuffled = sanity.shuffled.map(|likeness| {
        format!(
            "; with maps of a network that learnt from shuffled labels: {}",
            number(likeness)
        )
    });
    format!(
        "sanity check of {} {}: rank correlation with maps of the network with layers drawn anew on {} slices: {}{}",
        titled(sanity.method),
        if sanity.passed { "passed" } else { "FAILED" },
        sanity.slices,
        stages.join(", "),
        shuffled.unwrap_or_default()
    )
}

/// A value with its interval.
pub(super) fn plain(estimate: Option<Estimate>) -> String {
    shown(estimate, |value| format!("{value:.3}"))
}

/// A difference with its interval.
pub(super) fn signed(estimate: Option<Estimate>) -> String {
    shown(estimate, |value| format!("{value:+.3}").replace('-', "−"))
}

fn shown(estimate: Option<Estimate>, number: impl Fn(f64) -> String) -> String {
    let Some(Estimate { value, low, high }) = estimate else {
        return "undefined".to_owned();
    };
    match (low, high) {
        (Some(low), Some(high)) => {
            format!("{} ({} to {})", number(value), number(low), number(high))
        }
        _ => format!("{} (no interval)", number(value)),
    }
}
