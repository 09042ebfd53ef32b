//! Tables of parts of the population and of readers.

use super::{Table, number, scored};
use crate::Evaluation;
use crate::readers::{AgainstReference, Readers};
use crate::subgroup::Subgroups;

/// All of them; those without rows are the caller's to drop.
pub(super) fn of(e: &Evaluation) -> Vec<Table> {
    let mut tables = Vec::new();
    if let Some(s) = &e.subgroups {
        tables.extend([subgroups(s), gaps(s)]);
    }
    if let Some(r) = &e.readers {
        tables.extend([readers(r), pairs(r), agreement(r), model(r)]);
    }
    tables
}

fn subgroups(s: &Subgroups) -> Table {
    let mut rows = Vec::new();
    for axis in &s.axes {
        for scores in &axis.labels {
            for (g, loss) in scores.groups.iter().zip(&axis.groups) {
                let mut row = vec![
                    axis.axis.clone(),
                    g.group.clone(),
                    scores.label.name().to_owned(),
                ];
                row.extend(
                    [
                        g.cases,
                        g.patients,
                        g.positives,
                        g.positive_patients,
                        g.negative_patients,
                    ]
                    .map(|n| n.to_string()),
                );
                row.extend(scored(g.auc.as_ref()));
                row.push(number(scores.threshold));
                row.extend(scored(g.sensitivity.as_ref()));
                row.extend(scored(g.specificity.as_ref()));
                row.extend(scored(g.calibration_in_the_large.as_ref()));
                row.extend(scored(loss.weighted_log_loss.as_ref()));
                row.push(g.withheld.clone().unwrap_or_default());
                rows.push(row);
            }
        }
    }
    Table {
        name: "subgroups",
        columns: vec![
            "axis",
            "group",
            "label",
            "cases",
            "patients",
            "positives",
            "positive_patients",
            "negative_patients",
            "auc",
            "auc_low",
            "auc_high",
            "threshold",
            "sensitivity",
            "sensitivity_low",
            "sensitivity_high",
            "specificity",
            "specificity_low",
            "specificity_high",
            "in_the_large",
            "in_the_large_low",
            "in_the_large_high",
            "weighted_log_loss",
            "weighted_log_loss_low",
            "weighted_log_loss_high",
            "withheld",
        ],
        rows,
    }
}

fn gaps(s: &Subgroups) -> Table {
    let rows = s.gaps.iter().map(|g| {
        let mut row = vec![
            g.axis.clone(),
            g.label.name().to_owned(),
            g.metric.to_string(),
            g.groups.to_string(),
            g.lowest.clone(),
            number(g.lowest_value),
            g.highest.clone(),
            number(g.highest_value),
        ];
        row.extend(scored(Some(&g.gap)));
        row.extend([number(g.p), number(g.p_corrected)]);
        row
    });
    Table {
        name: "gaps",
        columns: vec![
            "axis",
            "label",
            "metric",
            "groups",
            "lowest",
            "lowest_value",
            "highest",
            "highest_value",
            "gap",
            "gap_low",
            "gap_high",
            "p",
            "p_holm",
        ],
        rows: rows.collect(),
    }
}

fn readers(r: &Readers) -> Table {
    let mut rows = Vec::new();
    for l in &r.labels {
        for reader in &l.readers {
            let mut row = vec![
                l.label.name().to_owned(),
                reader.reader.clone(),
                reader.reads.to_string(),
                reader.positives.to_string(),
            ];
            row.extend(scored(reader.prevalence.as_ref()));
            rows.push(row);
        }
    }
    Table {
        name: "readers",
        columns: vec![
            "label",
            "reader",
            "reads",
            "positives",
            "prevalence",
            "prevalence_low",
            "prevalence_high",
        ],
        rows,
    }
}

fn pairs(r: &Readers) -> Table {
    let mut rows = Vec::new();
    for l in &r.labels {
        for p in &l.pairs {
            let t = p.table;
            let mut row = vec![l.label.name().to_owned(), p.first.clone(), p.second.clone()];
            row.extend([t.both, t.first, t.second, t.neither].map(number));
            row.extend(scored(p.agreement.as_ref()));
            row.extend(scored(p.kappa.as_ref()));
            row.extend([p.kappa_standard_error, p.adjusted_kappa].map(number));
            rows.push(row);
        }
    }
    Table {
        name: "reader_pairs",
        columns: vec![
            "label",
            "first",
            "second",
            "both_positive",
            "only_first",
            "only_second",
            "both_negative",
            "agreement",
            "agreement_low",
            "agreement_high",
            "kappa",
            "kappa_low",
            "kappa_high",
            "kappa_standard_error",
            "adjusted_kappa",
        ],
        rows,
    }
}

fn agreement(r: &Readers) -> Table {
    let rows = r.labels.iter().map(|l| {
        let (v, m) = (l.votes, l.model.as_ref());
        let mut row = vec![l.label.name().to_owned()];
        row.extend([v.all_negative, v.all_positive, v.split, v.tied].map(|n| n.to_string()));
        row.extend(scored(l.all.fleiss_kappa.as_ref()));
        row.extend(scored(l.all.krippendorff_alpha.as_ref()));
        row.extend(scored(l.mean_kappa.as_ref()));
        row.extend(scored(m.and_then(|m| m.mean_kappa_with_readers.as_ref())));
        row.extend(scored(m.and_then(|m| m.difference.as_ref())));
        row
    });
    Table {
        name: "reader_agreement",
        columns: vec![
            "label",
            "all_negative",
            "all_positive",
            "split",
            "tied",
            "fleiss_kappa",
            "fleiss_kappa_low",
            "fleiss_kappa_high",
            "krippendorff_alpha",
            "krippendorff_alpha_low",
            "krippendorff_alpha_high",
            "mean_kappa",
            "mean_kappa_low",
            "mean_kappa_high",
            "model_mean_kappa",
            "model_mean_kappa_low",
            "model_mean_kappa_high",
            "model_less_readers",
            "model_less_readers_low",
            "model_less_readers_high",
        ],
        rows: rows.collect(),
    }
}

fn model(r: &Readers) -> Table {
    let mut rows = Vec::new();
    for l in &r.labels {
        if let Some(m) = &l.model {
            let against = |a: &AgainstReference| {
                let mut row = vec![
                    l.label.name().to_owned(),
                    a.reference.clone(),
                    number(m.threshold),
                    a.cases.to_string(),
                    a.positives.to_string(),
                ];
                row.extend(scored(a.auc.as_ref()));
                row.extend(scored(a.kappa.as_ref()));
                row.extend(scored(a.agreement.as_ref()));
                row.extend(scored(a.sensitivity.as_ref()));
                row.extend(scored(a.specificity.as_ref()));
                row
            };
            rows.extend(m.readers.iter().chain([&m.majority]).map(against));
        }
    }
    Table {
        name: "model_against_readers",
        columns: vec![
            "label",
            "reference",
            "threshold",
            "cases",
            "positives",
            "auc",
            "auc_low",
            "auc_high",
            "kappa",
            "kappa_low",
            "kappa_high",
            "agreement",
            "agreement_low",
            "agreement_high",
            "sensitivity",
            "sensitivity_low",
            "sensitivity_high",
            "specificity",
            "specificity_low",
            "specificity_high",
        ],
        rows,
    }
}
