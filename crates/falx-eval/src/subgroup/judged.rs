//! The subgroups of what an evaluation judges.

use falx_core::{Label, LabelRow};

use super::{Axis, SubgroupCases, SubgroupOptions, Subgroups, UNKNOWN, axes_of, subgroups};
use crate::operating::{ChosenOn, HEADLINE_RULE, LockedPoint};
use crate::resampling::LARGE;
use crate::units::Units;
use crate::{Attributes, Evaluation, Resampling};

/// Permutations behind each p-value; above [`LARGE`] cases fewer, for each walks over all of them.
const PERMUTATIONS: u32 = 999;
const LARGE_PERMUTATIONS: u32 = 199;

/// `any` in each group that the cases' attributes name, at the threshold that the evaluation has locked; `None` where no
/// attribute makes two groups.
///
/// # Shape
/// One item a judged case, in their order.
pub(crate) fn of<'a>(
    e: &Evaluation,
    judged: &Units,
    attributes: impl IntoIterator<Item = Option<&'a Attributes>>,
) -> Option<Subgroups> {
    let mut axes = axes_of(attributes);
    axes.retain(|axis| known_groups(axis) >= 2);
    if axes.is_empty() {
        return None;
    }
    let any = e.labels.iter().find(|s| s.label == Label::Any);
    let points = any.and_then(|s| s.locked_points.as_ref());
    let point = points.and_then(|points| points.of(&HEADLINE_RULE));
    let mut options = SubgroupOptions {
        permutations: match judged.units.len() {
            _ if e.replicates == 0 => 0,
            cases if cases > LARGE => LARGE_PERMUTATIONS,
            _ => PERMUTATIONS,
        },
        ..SubgroupOptions::default()
    };
    if let Some(threshold) = options.thresholds.get_mut(Label::Any.index()) {
        *threshold = point.map(|point| point.threshold);
    }
    let truth: Vec<LabelRow> = judged.units.iter().map(|u| u.truth).collect();
    let prediction: Vec<[f64; 6]> = judged.units.iter().map(|u| u.prediction).collect();
    let cluster: Vec<u32> = judged.units.iter().map(|u| u.patient).collect();
    let cases = SubgroupCases {
        truth: &truth,
        prediction: &prediction,
        cluster: &cluster,
    };
    let resampling = Resampling::new(judged.patients, e.replicates, e.seed);
    let mut found = subgroups(&cases, &axes, &options, &resampling).ok()?;
    found.notes.extend(point.and_then(on_the_same_cases));
    Some(found)
}

fn known_groups(axis: &Axis) -> usize {
    axis.groups.iter().filter(|name| *name != UNKNOWN).count()
}

/// Groups share one threshold; without a development set no threshold is foreign to all patients.
fn on_the_same_cases(point: &LockedPoint) -> Option<String> {
    (point.chosen_on == ChosenOn::OtherFolds).then(|| {
        format!(
            "Sensitivity and specificity are at {}, which all judged patients together chose ({}): compare groups, but take the \
             level from the operating points.",
            crate::text::threshold(point.threshold),
            point.name
        )
    })
}
