//! What parts of the population and several readers answer.

use super::answers::Answers;
use crate::subgroup::Gap;
use crate::text::{count, interval, joined, p_value, value};

impl Answers<'_> {
    /// How far readers agreed on any.
    pub(super) fn agreement(&self) -> Option<String> {
        let readers = self.evaluation.readers.as_ref()?;
        let any = readers.labels.last()?;
        let kappa = any.all.fleiss_kappa.or(any.mean_kappa)?;
        let name = if any.all.fleiss_kappa.is_some() {
            "Fleiss’ kappa"
        } else {
            "Mean of the pairs’ kappas"
        };
        Some(format!(
            "Between {} of {}: {name} for {} {} ({}); each label and pair in the report. Agreement within a reader is not known.",
            count(readers.readers.len() as u64, "reader"),
            count(readers.studies, "study"),
            any.label,
            value(kappa.value, 3, false),
            interval(&kappa, 3, false)
        ))
    }

    /// On which axes groups were compared, and the gap with the smallest p-value.
    pub(super) fn groups(&self) -> Option<String> {
        let s = self.evaluation.subgroups.as_ref()?;
        let axes: Vec<&str> = s.axes.iter().map(|a| a.axis.as_str()).collect();
        let p = |gap: &Gap| gap.p_corrected.unwrap_or(1.0);
        // Of equally sure ones the widest: permutations give few different values.
        let surest = s.gaps.iter().min_by(|a, b| {
            let wider = || b.gap.value.total_cmp(&a.gap.value);
            p(a).total_cmp(&p(b)).then_with(wider)
        });
        let found = surest.map_or_else(
            || "too few patients in a second group of any of them to compare".to_owned(),
            |g| {
                format!(
                    "{} compared, p corrected by {}; the surest: {} by {}, from {} ({}) to {} ({}), p {}",
                    count(s.multiplicity.tests, "gap"),
                    s.multiplicity.corrected,
                    g.metric,
                    g.axis,
                    value(g.lowest_value, 3, false),
                    g.lowest,
                    value(g.highest_value, 3, false),
                    g.highest,
                    p_value(g.p_corrected)
                )
            },
        );
        Some(format!(
            "Explored, for any: groups by {}; {found}.",
            joined(&axes)
        ))
    }
}
