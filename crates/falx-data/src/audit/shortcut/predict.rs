//! What metadata alone say of slices: a no-skill baseline that knows how a slice was taken, and nothing of its picture.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use falx_core::{Label, SUBTYPES};

use super::features::{self, Feature};
use super::fit::{self, Learnt};
use super::{FEWEST_GROUPS, FEWEST_SLICES, FOLDS, MOST_SLICES, NoShortcut, group_hash};
use crate::audit::survey::Survey;
use crate::index::Index;

/// The six labels of the rows `judged`, predicted from metadata alone by a regression on the rows `training`.
///
/// `any` comes from a logistic regression on how slices were taken and where they lie, cut into ranges; each subtype is
/// that times its share of the positive slices learnt from. Of more than 20,000 slices to learn from, whole groups
/// (patients, or what stands for them) are drawn by a hash of their names. Labels of `judged` are not looked at.
///
/// # Shape
/// Places in the index; one row of six probabilities for each place of `judged`, in its order.
///
/// # Errors
/// [`NoShortcut`] where there is too little to learn from, or all slices were taken alike.
pub fn predict_from_metadata(
    index: &Index,
    training: &[usize],
    judged: &[usize],
) -> Result<Vec<[f64; 6]>, NoShortcut> {
    let rows: Vec<usize> = training.iter().chain(judged).copied().collect();
    let slices = Slices::new(index, rows)?;
    let learnt_from: Vec<usize> = (0..training.len()).collect();
    let prediction = slices.learn(&learnt_from)?;
    let places = training.len()..slices.rows.len();
    Ok(places.map(|at| prediction.of(&slices, at)).collect())
}

/// As [`predict_from_metadata`], without other slices to learn from: groups are dealt to five folds, and each fold is
/// predicted by a regression on the other four.
///
/// # Errors
/// As [`predict_from_metadata`].
pub fn cross_fit_from_metadata(
    index: &Index,
    judged: &[usize],
) -> Result<Vec<[f64; 6]>, NoShortcut> {
    let slices = Slices::new(index, judged.to_vec())?;
    let folds = slices.folds();
    let mut predicted = vec![[0.5; 6]; judged.len()];
    for fold in 0..FOLDS {
        let (test, train): (Vec<usize>, Vec<usize>) =
            (0..judged.len()).partition(|at| folds.get(*at) == Some(&fold));
        let prediction = slices.learn(&train)?;
        for at in test {
            if let Some(slot) = predicted.get_mut(at) {
                *slot = prediction.of(&slices, at);
            }
        }
    }
    Ok(predicted)
}

/// Rows of an index with their facts in ranges, cut over all of them. A place below is a place among `rows`.
struct Slices<'a> {
    survey: Survey<'a>,
    rows: Vec<usize>,
    features: Vec<Feature>,
}

impl<'a> Slices<'a> {
    fn new(index: &'a Index, rows: Vec<usize>) -> Result<Self, NoShortcut> {
        let survey = Survey::new(index);
        let features = features::of(&survey, &rows);
        if features.is_empty() {
            return Err(NoShortcut::NoFeatures);
        }
        Ok(Self {
            survey,
            rows,
            features,
        })
    }

    fn label(&self, at: usize, label: Label) -> Option<bool> {
        self.survey.row(*self.rows.get(at)?)?.labels.get(label)
    }

    /// Some places by their group, the groups in the order of a hash of their names.
    fn groups(&self, places: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for at in places {
            if let Some(&row) = self.rows.get(at) {
                let group = self.survey.group_of(row);
                groups.entry(group).or_default().push(at);
            }
        }
        let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
        groups.sort_by_cached_key(|places| {
            let row = places.first().and_then(|at| self.rows.get(*at));
            row.and_then(|&row| self.survey.row(row)).map(group_hash)
        });
        groups
    }

    /// Learns from those of `places` whose `any` is known.
    fn learn(&self, places: &[usize]) -> Result<Prediction, NoShortcut> {
        let known = |at: &usize| self.label(*at, Label::Any).is_some();
        let mut drawn = Vec::new();
        let (mut groups, mut with, mut without) = (0, 0, 0);
        for group in self.groups(places.iter().copied().filter(known)) {
            if groups > 0 && drawn.len() + group.len() > MOST_SLICES {
                break;
            }
            let has = |shown| {
                group
                    .iter()
                    .any(|&at| self.label(at, Label::Any) == Some(shown))
            };
            groups += 1;
            with += usize::from(has(true));
            without += usize::from(has(false));
            drawn.extend(group);
        }
        if drawn.len() < FEWEST_SLICES {
            return Err(NoShortcut::FewSlices(drawn.len()));
        }
        if with < FEWEST_GROUPS || without < FEWEST_GROUPS {
            return Err(NoShortcut::FewGroups(with, without));
        }
        let features: Vec<&Feature> = self.features.iter().collect();
        let outcomes: Vec<u32> = drawn
            .iter()
            .map(|&at| u32::from(self.label(at, Label::Any) == Some(true)))
            .collect();
        let any = fit::learn(
            &features,
            &drawn,
            &outcomes,
            fit::ridge(drawn.len(), groups),
        )?;
        let positive: Vec<usize> = places
            .iter()
            .copied()
            .filter(|&at| self.label(at, Label::Any) == Some(true))
            .collect();
        let shares = SUBTYPES.map(|subtype| {
            let known = positive.iter().filter_map(|&at| self.label(at, subtype));
            let (shown, known) = known.fold((0_u32, 0_u32), |(shown, known), is_shown| {
                (shown + u32::from(is_shown), known + 1)
            });
            f64::from(shown) / f64::from(known.max(1))
        });
        Ok(Prediction { any, shares })
    }

    /// Each place's fold: groups with most positive slices first, to and fro, so that folds have about the same
    /// prevalence.
    fn folds(&self) -> Vec<usize> {
        let mut groups = self.groups(0..self.rows.len());
        let positives = |group: &Vec<usize>| {
            let is_positive = |at: &&usize| self.label(**at, Label::Any) == Some(true);
            group.iter().filter(is_positive).count()
        };
        groups.sort_by_cached_key(|group| std::cmp::Reverse(positives(group)));
        let mut folds = vec![0; self.rows.len()];
        for (turn, group) in groups.into_iter().enumerate() {
            let fold = super::fold_of_turn(turn);
            for at in group {
                if let Some(slot) = folds.get_mut(at) {
                    *slot = fold;
                }
            }
        }
        folds
    }
}

/// What was learnt.
struct Prediction {
    any: Learnt,
    /// The subtypes' shares of the positive slices.
    shares: [f64; 5],
}

impl Prediction {
    /// The six labels of a slice.
    fn of(&self, slices: &Slices<'_>, at: usize) -> [f64; 6] {
        let any = self.any.probability(slices.features.iter(), at);
        let mut labels = [any; 6];
        for (label, share) in SUBTYPES.iter().zip(self.shares) {
            labels[label.index()] = any * share;
        }
        labels
    }
}
