//! One label's scores in each group of an axis.

use falx_core::{Label, Silent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SubgroupError;
use super::axes::Axis;
use super::gap::{Gap, GapMetric};
use super::permutation::Dealing;
use crate::conformal::{Share, covering};
use crate::ranked::{Ranked, Walk};
use crate::resampling::{LANES, Weights};
use crate::{Estimate, Outcomes, Resampling};

/// A score needs at least this many patients of each class that it is about.
pub const FEW_PATIENTS: u64 = 10;

/// One label's scores in one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupScore {
    /// The group.
    pub group: String,
    /// Cases that know the label.
    pub cases: u64,
    /// Patients they belong to.
    pub patients: u64,
    /// Positive cases.
    pub positives: u64,
    /// Patients with a positive case.
    pub positive_patients: u64,
    /// Patients with a negative case.
    pub negative_patients: u64,
    /// Area under the ROC curve among the group's cases.
    pub auc: Option<Estimate>,
    /// Sensitivity at the locked threshold.
    pub sensitivity: Option<Estimate>,
    /// Specificity at the locked threshold.
    pub specificity: Option<Estimate>,
    /// Calibration in the large: the share of positives minus the mean prediction; above 0 the model says too little.
    pub calibration_in_the_large: Option<Estimate>,
    /// Which scores are withheld for want of patients, in words.
    pub withheld: Option<String>,
}

/// One label's scores in each group of an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ByGroup {
    /// The label.
    #[schemars(with = "String")]
    pub label: Label,
    /// The locked threshold, where one was given.
    pub threshold: Option<f64>,
    /// Each group, in the axis's order.
    pub groups: Vec<GroupScore>,
}

/// Everything of one group that a resample needs.
struct Group {
    /// The area on the cases as they are, and the ranks by which draws give theirs.
    area: Option<(f64, Walk)>,
    sensitivity: Share,
    specificity: Share,
    calibration: Share,
    positives: u64,
    cases: u64,
    patients: u64,
    thresholded: bool,
}

impl Group {
    fn new(cases: &[(bool, f64, u32)], clusters: usize, threshold: Option<f64>) -> Self {
        let of = |class: bool| {
            let cases = cases.iter().filter(move |c| c.0 == class);
            let right = cases.map(|&(truth, p, cluster)| {
                let called = threshold.is_some_and(|t| p >= t);
                (cluster, f64::from(u8::from(called == truth)), 1.0)
            });
            Share::of(clusters, right)
        };
        let distance = cases
            .iter()
            .map(|&(truth, p, cluster)| (cluster, f64::from(u8::from(truth)) - p, 1.0));
        let mut group = Self {
            area: None,
            sensitivity: of(true),
            specificity: of(false),
            calibration: Share::of(clusters, distance),
            positives: cases.iter().filter(|c| c.0).count() as u64,
            cases: cases.len() as u64,
            patients: 0,
            thresholded: threshold.is_some(),
        };
        group.patients = group.calibration.patients();
        if group.both_classes() {
            let ranked = Ranked::new(cases.iter().map(|c| (c.0, c.1)));
            let cluster = |case: u32| cases.get(case as usize).map_or(0, |c| c.2);
            let walk = Walk::new(&ranked, cluster, std::iter::empty());
            group.area = ranked.auc(|_| 1).ok().zip(walk);
        }
        group
    }

    fn enough(&self, class: bool) -> bool {
        let of = if class {
            &self.sensitivity
        } else {
            &self.specificity
        };
        of.patients() >= FEW_PATIENTS
    }

    fn both_classes(&self) -> bool {
        self.enough(true) && self.enough(false)
    }

    /// The area in every draw.
    fn areas(&self, weights: &Weights) -> [Option<f64>; LANES] {
        let Some((_, walk)) = &self.area else {
            return [None; LANES];
        };
        let total = walk.totals(weights);
        walk.areas(weights, &total, 1.0).auc
    }

    /// AUC (here the one on the cases as they are), sensitivity, specificity: the order of [`GapMetric::ALL`]; then
    /// calibration in the large.
    fn values(&self, weights: &[u32]) -> [Option<f64>; 4] {
        let [auc, sensitivity, specificity] = self.allowed();
        [
            self.area.as_ref().map(|(area, _)| *area),
            self.sensitivity.under(weights).filter(|_| sensitivity),
            self.specificity.under(weights).filter(|_| specificity),
            self.calibration.under(weights).filter(|_| auc),
        ]
    }

    /// Which of [`GapMetric::ALL`] enough patients carry.
    fn allowed(&self) -> [bool; 3] {
        [
            self.both_classes(),
            self.thresholded && self.enough(true),
            self.thresholded && self.enough(false),
        ]
    }

    fn withheld(&self) -> Option<String> {
        let few = |class: bool, name: &str| {
            let of = if class {
                &self.sensitivity
            } else {
                &self.specificity
            };
            (!self.enough(class))
                .then(|| crate::text::count(of.patients(), &format!("{name} patient")))
        };
        let found: Vec<String> = few(true, "positive")
            .into_iter()
            .chain(few(false, "negative"))
            .collect();
        let missing = match (self.enough(true), self.enough(false), self.thresholded) {
            (true, true, _) => return None,
            (false, false, true) => "no AUC, sensitivity, specificity or calibration",
            (false, true, true) => "no AUC, sensitivity or calibration",
            (true, false, true) => "no AUC, specificity or calibration",
            (_, _, false) => "no AUC or calibration",
        };
        Some(format!("only {}: {missing}", found.join(" and ")))
    }
}

/// The scores of one label's cases in each group, and the gaps between groups. `p_corrected` is left open.
///
/// Intervals resample patients; all groups and gaps share the resamples. See [`Gap`] for the interval and the test.
///
/// # Errors
/// [`SubgroupError::Axis`] where the axis has another number of cases.
pub fn by_group(
    outcomes: &Outcomes<'_>,
    axis: &Axis,
    label: Label,
    threshold: Option<f64>,
    permutations: u32,
    resampling: &Resampling,
) -> Result<(ByGroup, Vec<Gap>), SubgroupError> {
    axis.check(outcomes.len())?;
    let resampling = covering(resampling, outcomes);
    let mut cases: Vec<Vec<(bool, f64, u32)>> = vec![Vec::new(); axis.groups.len()];
    for (case, &group) in outcomes.iter().zip(&axis.group) {
        if let Some(of) = cases.get_mut(group as usize) {
            of.push(case);
        }
    }
    let groups: Vec<Group> = cases
        .iter()
        .map(|cases| Group::new(cases, resampling.clusters(), threshold))
        .collect();
    let everyone = vec![1; resampling.clusters()];
    let values_under = |weights: &[u32]| -> Vec<[Option<f64>; 4]> {
        groups.iter().map(|g| g.values(weights)).collect()
    };
    let values = values_under(&everyone);
    let extremes = GapMetric::ALL.map(|metric| Extremes::of(metric, axis, &values));
    let found = resampling.estimates(|weights| {
        let values = values_under(weights);
        let gaps = extremes.iter().map(|e| e.as_ref()?.gap(&values));
        values.iter().flatten().copied().chain(gaps).collect()
    });
    let areas = Areas::new(&groups, &resampling);
    let estimate = |i: usize| found.get(i).copied().flatten();
    let scores = ByGroup {
        label,
        threshold,
        groups: groups
            .iter()
            .zip(&axis.groups)
            .enumerate()
            .map(|(i, (group, name))| GroupScore {
                group: name.clone(),
                cases: group.cases,
                patients: group.patients,
                positives: group.positives,
                positive_patients: group.sensitivity.patients(),
                negative_patients: group.specificity.patients(),
                auc: values
                    .get(i)
                    .and_then(|v| Some(areas.of(i, v[0]?, &resampling))),
                sensitivity: estimate(4 * i + 1),
                specificity: estimate(4 * i + 2),
                calibration_in_the_large: estimate(4 * i + 3),
                withheld: group.withheld(),
            })
            .collect(),
    };
    let p = (permutations > 0 && extremes.iter().any(Option::is_some)).then(|| {
        let compared = GapMetric::ALL.map(|metric| compared(metric, axis, &values));
        let counts = |group: usize| compared.iter().any(|c| c.get(group) == Some(&true));
        let dealing = Dealing::new(outcomes, &axis.group, axis.groups.len(), threshold, counts);
        let purpose = format!("subgroups of {label} by {}", axis.name);
        dealing.p_values(&compared, permutations, resampling.seed(), &purpose)
    });
    let gaps = extremes.iter().flatten().filter_map(|e| {
        Some(Gap {
            axis: axis.name.clone(),
            label,
            metric: e.metric,
            groups: e.groups,
            highest: axis.groups.get(e.highest.0)?.clone(),
            highest_value: e.highest.1,
            lowest: axis.groups.get(e.lowest.0)?.clone(),
            lowest_value: e.lowest.1,
            gap: match e.metric {
                GapMetric::Auc => areas.difference(e, &resampling),
                _ => estimate(4 * groups.len() + e.metric.index())?,
            },
            p: p.and_then(|p| p.get(e.metric.index()).copied()),
            p_corrected: None,
        })
    });
    Ok((scores, gaps.collect()))
}

/// The areas of all groups in all draws, block by block.
struct Areas {
    blocks: Vec<Vec<[Option<f64>; LANES]>>,
}

impl Areas {
    fn new(groups: &[Group], resampling: &Resampling) -> Self {
        let areas = |weights: &Weights| groups.iter().map(|g| g.areas(weights)).collect();
        Self {
            blocks: if groups.iter().any(|g| g.area.is_some()) {
                resampling.blocks_of_draws(&Silent, areas)
            } else {
                Vec::new()
            },
        }
    }

    fn of(&self, group: usize, value: f64, resampling: &Resampling) -> Estimate {
        let blocks = self.blocks.iter().filter_map(|block| block.get(group));
        resampling.interval_of(value, blocks)
    }

    /// The difference of the extreme groups' areas, draw by draw.
    fn difference(&self, extremes: &Extremes, resampling: &Resampling) -> Estimate {
        let of_block = |block: &Vec<[Option<f64>; LANES]>| {
            let (high, low) = (
                block.get(extremes.highest.0)?,
                block.get(extremes.lowest.0)?,
            );
            let mut difference = [None; LANES];
            for ((difference, high), low) in difference.iter_mut().zip(high).zip(low) {
                *difference = high.zip(*low).map(|(high, low)| high - low);
            }
            Some(difference)
        };
        let blocks: Vec<[Option<f64>; LANES]> = self.blocks.iter().filter_map(of_block).collect();
        resampling.interval_of(extremes.highest.1 - extremes.lowest.1, blocks.iter())
    }
}

/// Which groups are compared by a metric: those with a value and a name.
fn compared(metric: GapMetric, axis: &Axis, values: &[[Option<f64>; 4]]) -> Vec<bool> {
    let of_group = |(i, values): (usize, &[Option<f64>; 4])| {
        axis.is_known(i) && values.get(metric.index()).is_some_and(Option::is_some)
    };
    values.iter().enumerate().map(of_group).collect()
}

/// The groups with the largest and the smallest value.
struct Extremes {
    metric: GapMetric,
    groups: u64,
    highest: (usize, f64),
    lowest: (usize, f64),
}

impl Extremes {
    /// `None` where fewer than two groups are compared.
    fn of(metric: GapMetric, axis: &Axis, values: &[[Option<f64>; 4]]) -> Option<Self> {
        let known: Vec<(usize, f64)> = compared(metric, axis, values)
            .into_iter()
            .zip(values)
            .enumerate()
            .filter(|(_, (counts, _))| *counts)
            .filter_map(|(i, (_, values))| Some((i, values.get(metric.index()).copied()??)))
            .collect();
        if known.len() < 2 {
            return None;
        }
        // Of equal values the first group's, so that the choice is the same each time.
        let by_value = |a: &&(usize, f64), b: &&(usize, f64)| a.1.total_cmp(&b.1);
        Some(Self {
            metric,
            groups: known.len() as u64,
            highest: *known.iter().rev().max_by(by_value)?,
            lowest: *known.iter().min_by(by_value)?,
        })
    }

    fn gap(&self, values: &[[Option<f64>; 4]]) -> Option<f64> {
        let of = |group: usize| values.get(group)?.get(self.metric.index()).copied()?;
        Some(of(self.highest.0)? - of(self.lowest.0)?)
    }
}
