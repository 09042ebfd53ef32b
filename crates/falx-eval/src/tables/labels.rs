//! Tables with a row or several for each label of each level.

use super::{Level, Table, number, scored};
use crate::LabelScore;
use crate::operating::Performance;

/// The rows that `rows` makes of every label, each after its level and name.
fn of_each(
    levels: &[Level<'_>],
    rows: impl Fn(&LabelScore) -> Vec<Vec<String>>,
) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for (level, labels, _) in levels {
        for s in *labels {
            for row in rows(s) {
                let mut named = vec![(*level).to_owned(), s.label.name().to_owned()];
                named.extend(row);
                all.push(named);
            }
        }
    }
    all
}

/// One row a label.
pub(super) fn scores(levels: &[Level<'_>]) -> Table {
    let rows = of_each(levels, |s| {
        let mut row: Vec<String> = [s.known, s.positives, s.positive_patients]
            .map(|n| n.to_string())
            .to_vec();
        row.extend(scored(s.log_loss.as_ref()));
        row.push(number(s.baseline_log_loss));
        row.extend(scored(s.auc.as_ref()));
        row.extend(scored(s.auc_delong.as_ref()));
        row.extend(scored(s.partial_auc.as_ref()));
        row.extend(scored(s.average_precision.as_ref()));
        row.extend(scored(s.brier.as_ref()));
        let c = &s.calibration;
        row.extend(
            [
                Some(c.expected_error),
                c.expected_error_debiased,
                c.maximum_error,
            ]
            .map(number),
        );
        row.extend(scored(c.slope.as_ref()));
        row.extend(scored(c.intercept.as_ref()));
        row.extend(scored(c.in_the_large.as_ref()));
        row.push(s.few.to_string());
        vec![row]
    });
    Table {
        name: "labels",
        columns: vec![
            "level",
            "label",
            "known",
            "positives",
            "positive_patients",
            "log_loss",
            "log_loss_low",
            "log_loss_high",
            "baseline_log_loss",
            "auc",
            "auc_low",
            "auc_high",
            "auc_delong",
            "auc_delong_low",
            "auc_delong_high",
            "partial_auc",
            "partial_auc_low",
            "partial_auc_high",
            "average_precision",
            "average_precision_low",
            "average_precision_high",
            "brier_score",
            "brier_score_low",
            "brier_score_high",
            "expected_calibration_error",
            "expected_calibration_error_debiased",
            "largest_calibration_error",
            "calibration_slope",
            "calibration_slope_low",
            "calibration_slope_high",
            "calibration_intercept",
            "calibration_intercept_low",
            "calibration_intercept_high",
            "calibration_in_the_large",
            "calibration_in_the_large_low",
            "calibration_in_the_large_high",
            "few",
        ],
        rows,
    }
}

/// Thresholds, most of them chosen on the cases themselves.
pub(super) fn operating_points(levels: &[Level<'_>]) -> Table {
    let rows = of_each(levels, |s| {
        let points = s.operating_points.iter();
        points
            .map(|p| {
                let mut row = vec![p.rule.clone(), number(p.threshold)];
                row.extend(
                    [
                        p.true_positives,
                        p.false_positives,
                        p.true_negatives,
                        p.false_negatives,
                    ]
                    .map(|n| n.to_string()),
                );
                row.extend([p.sensitivity, p.specificity].map(number));
                row.extend(
                    [
                        p.positive_predictive_value,
                        p.negative_predictive_value,
                        p.f1,
                        p.positive_likelihood_ratio,
                        p.negative_likelihood_ratio,
                    ]
                    .map(number),
                );
                row.push(p.chosen_on.words().to_owned());
                row
            })
            .collect()
    });
    Table {
        name: "operating_points",
        columns: vec![
            "level",
            "label",
            "rule",
            "threshold",
            "true_positives",
            "false_positives",
            "true_negatives",
            "false_negatives",
            "sensitivity",
            "specificity",
            "positive_predictive_value",
            "negative_predictive_value",
            "f_score",
            "positive_likelihood_ratio",
            "negative_likelihood_ratio",
            "threshold_chosen",
        ],
        rows,
    }
}

fn performance(p: &Performance) -> Vec<String> {
    let c = &p.confusion;
    let counts = [
        c.true_positives,
        c.false_positives,
        c.true_negatives,
        c.false_negatives,
    ];
    let measures = [
        &p.sensitivity,
        &p.specificity,
        &p.positive_predictive_value,
        &p.negative_predictive_value,
        &p.f1,
        &p.accuracy,
        &p.balanced_accuracy,
        &p.youden,
        &p.positive_likelihood_ratio,
        &p.negative_likelihood_ratio,
        &p.diagnostic_odds_ratio,
        &p.alarm_rate,
        &p.matthews,
    ];
    let counted = counts.map(|n| n.to_string()).into_iter();
    let measured = measures.into_iter().flat_map(|e| scored(e.as_ref()));
    counted.chain(measured).collect()
}

/// Locked thresholds: what each does on the judged cases, and on those that chose it (`judged` is `test` or `development`).
pub(super) fn locked_points(levels: &[Level<'_>]) -> Table {
    let rows = of_each(levels, |s| {
        let points = s.locked_points.iter().flat_map(|points| &points.points);
        points
            .flat_map(|p| {
                let judged = [
                    ("test", Some(&p.test)),
                    ("development", p.development.as_ref()),
                ];
                judged.into_iter().filter_map(|(name, performed)| {
                    let mut row = vec![
                        p.name.clone(),
                        number(p.threshold),
                        p.chosen_on.words().to_owned(),
                        name.to_owned(),
                    ];
                    row.extend(performance(performed?));
                    Some(row)
                })
            })
            .collect()
    });
    Table {
        name: "locked_points",
        columns: vec![
            "level",
            "label",
            "rule",
            "threshold",
            "threshold_chosen",
            "judged",
            "true_positives",
            "false_positives",
            "true_negatives",
            "false_negatives",
            "sensitivity",
            "sensitivity_low",
            "sensitivity_high",
            "specificity",
            "specificity_low",
            "specificity_high",
            "positive_predictive_value",
            "positive_predictive_value_low",
            "positive_predictive_value_high",
            "negative_predictive_value",
            "negative_predictive_value_low",
            "negative_predictive_value_high",
            "f_score",
            "f_score_low",
            "f_score_high",
            "accuracy",
            "accuracy_low",
            "accuracy_high",
            "balanced_accuracy",
            "balanced_accuracy_low",
            "balanced_accuracy_high",
            "youden",
            "youden_low",
            "youden_high",
            "positive_likelihood_ratio",
            "positive_likelihood_ratio_low",
            "positive_likelihood_ratio_high",
            "negative_likelihood_ratio",
            "negative_likelihood_ratio_low",
            "negative_likelihood_ratio_high",
            "diagnostic_odds_ratio",
            "diagnostic_odds_ratio_low",
            "diagnostic_odds_ratio_high",
            "alarm_rate",
            "alarm_rate_low",
            "alarm_rate_high",
            "matthews",
            "matthews_low",
            "matthews_high",
        ],
        rows,
    }
}

/// One row a bin.
pub(super) fn calibration(levels: &[Level<'_>]) -> Table {
    let rows = of_each(levels, |s| {
        let bins = s.calibration.bins.iter();
        bins.map(|b| {
            let mut row = [b.low, b.high, b.predicted].map(number).to_vec();
            row.extend(scored(Some(&b.observed)));
            row.extend([b.consistency_low, b.consistency_high].map(number));
            row.push(b.count.to_string());
            row
        })
        .collect()
    });
    Table {
        name: "calibration",
        columns: vec![
            "level",
            "label",
            "lowest_prediction",
            "highest_prediction",
            "mean_prediction",
            "observed",
            "observed_low",
            "observed_high",
            "consistency_low",
            "consistency_high",
            "cases",
        ],
        rows,
    }
}

/// The quality of predictions as they are, and after each way of repair.
pub(super) fn recalibration(levels: &[Level<'_>]) -> Table {
    let rows = of_each(levels, |s| {
        let Some(r) = &s.recalibration else {
            return Vec::new();
        };
        let before = [("none", Some(&r.before))].into_iter();
        let after = r
            .methods
            .iter()
            .map(|m| (m.method.name(), m.after.as_ref()));
        before
            .chain(after)
            .map(|(name, quality)| {
                let mut row = vec![name.to_owned()];
                row.push(number(quality.map(|q| q.log_loss)));
                row.push(number(quality.map(|q| q.brier)));
                row.push(number(quality.map(|q| q.expected_error)));
                row.push(number(quality.and_then(|q| q.slope).map(|e| e.value)));
                row.push(number(
                    quality.and_then(|q| q.in_the_large).map(|e| e.value),
                ));
                row
            })
            .collect()
    });
    Table {
        name: "recalibration",
        columns: vec![
            "level",
            "label",
            "method",
            "log_loss",
            "brier_score",
            "expected_calibration_error",
            "calibration_slope",
            "calibration_in_the_large",
        ],
        rows,
    }
}

/// One row a point of a curve.
pub(super) fn roc(levels: &[Level<'_>]) -> Table {
    let rows = of_each(levels, |s| {
        let points = s.roc.iter();
        points.map(|(x, y)| vec![number(*x), number(*y)]).collect()
    });
    Table {
        name: "roc",
        columns: vec!["level", "label", "false_positive_rate", "sensitivity"],
        rows,
    }
}

/// One row a specificity at which a curve is read.
pub(super) fn roc_band(levels: &[Level<'_>]) -> Table {
    let rows = of_each(levels, |s| {
        let points = s.roc_band.iter();
        points
            .map(|p| {
                let mut row = vec![number(p.specificity)];
                row.extend(scored(Some(&p.sensitivity)));
                row
            })
            .collect()
    });
    Table {
        name: "roc_band",
        columns: vec![
            "level",
            "label",
            "specificity",
            "sensitivity",
            "sensitivity_low",
            "sensitivity_high",
        ],
        rows,
    }
}

/// One row a threshold of a decision curve.
pub(super) fn decision_curves(levels: &[Level<'_>]) -> Table {
    let rows = of_each(levels, |s| {
        let points = s.decision_curve.iter().flat_map(|curve| &curve.points);
        points
            .map(|p| {
                let mut row = vec![number(p.threshold)];
                row.extend(scored(Some(&p.net_benefit)));
                row.push(number(p.treat_all));
                row.extend(scored(Some(&p.advantage)));
                row.push(number(p.spared_per_100));
                row
            })
            .collect()
    });
    Table {
        name: "decision_curves",
        columns: vec![
            "level",
            "label",
            "threshold",
            "net_benefit",
            "net_benefit_low",
            "net_benefit_high",
            "net_benefit_of_acting_on_all",
            "advantage",
            "advantage_low",
            "advantage_high",
            "spared_per_100",
        ],
        rows,
    }
}
