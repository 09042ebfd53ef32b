//! Abstention in a few short lines.

use falx_core::Label;

use super::LevelAbstention;
use crate::Estimate;
use crate::text::{interval, percent};

/// What abstaining on `any` does, a line each; `unit` is what is counted, in the plural.
pub(crate) fn lines(level: &LevelAbstention, unit: &str) -> Vec<String> {
    let sets = level.sets(Label::Any).map(|found| {
        let c = &found.coverage;
        let classes = [(&c.positives, "positive"), (&c.negatives, "negative")];
        let held: Vec<String> = classes
            .into_iter()
            .filter_map(|(of, class)| {
                let held = of.by_patient.as_ref()?;
                Some(format!("{} of {class}", share(Some(held))))
            })
            .collect();
        format!(
            "Prediction sets that promise {} hold the truth in {} {unit};\n{} get no answer.",
            percent(c.promised, 0),
            held.join(" and "),
            share(c.abstained.as_ref())
        )
    });
    let missed = level.missed.as_ref().map(|found| {
        let r = &found.realised;
        format!(
            "A threshold that promises to miss at most {} misses {}, with alarms in {} of negative {unit}.",
            percent(r.alpha, 0),
            share(r.risk.as_ref()),
            share(r.false_alarms.as_ref())
        )
    });
    let selective = level.selective.as_ref().and_then(|found| {
        let kept = found.risk.at.first()?;
        Some(format!(
            "The least sure {} left to a reader, {} of the rest are wrong, instead of {}.",
            percent(1.0 - kept.coverage, 0),
            share(kept.risk.as_ref()),
            share(found.risk.full_risk.as_ref())
        ))
    });
    [sets, missed, selective].into_iter().flatten().collect()
}

/// "91.2 % (88.0 to 94.1)".
fn share(e: Option<&Estimate>) -> String {
    e.map_or_else(
        || "–".to_owned(),
        |e| match range(e) {
            Some(range) => format!("{} ({range})", percent(e.value, 1)),
            None => percent(e.value, 1),
        },
    )
}

/// "88.0 to 94.1", in per cent. Where no resample differs from the whole, say because all of a few patients fare alike, an
/// interval would look like certainty: there is none then.
pub(crate) fn range(e: &Estimate) -> Option<String> {
    let (low, high) = (e.low?, e.high?);
    let of_hundred = Estimate {
        value: 100.0 * e.value,
        low: Some(100.0 * low),
        high: Some(100.0 * high),
    };
    (low < high).then(|| interval(&of_hundred, 1, false))
}
