//! Whether maps depend on what a network has learnt: they must change when its parameters are drawn anew, and when it learns from
//! labels that mean nothing.
//!
//! # Source
//! Adebayo et al. 2018, "Sanity Checks for Saliency Maps": the model parameter randomisation test, cascading from the logits
//! downwards, and the data randomisation test.

use std::collections::BTreeSet;

use falx_core::{Interrupt, Label, Progress};
use falx_infer::{Bundle, MANIFEST};
use serde::Serialize;

use super::cases::Case;
use super::similarity::{shrunk, spearman, ssim};
use super::{ALIKE, JudgeOptions};
use crate::batches::{Loading, each};
use crate::explainer::{Explainer, MapOptions};
use crate::{ExplainError, HeatMap};

/// The shares of the nodes with weights, from the logits downwards, whose parameters are drawn anew.
const SHARES: [f64; 4] = [0.0, 0.25, 0.5, 1.0];
/// Maps are compared as pictures of at most this side: finer than any map of a layer.
const SIDE: usize = 64;

/// How much maps depend on what the network has learnt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sanity {
    /// The method.
    pub method: &'static str,
    /// Slices that were compared.
    pub slices: usize,
    /// From the network's last node with weights alone to all of them.
    pub stages: Vec<Stage>,
    /// How alike maps are to those of a network that learnt from shuffled labels, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffled: Option<Likeness>,
    /// Whether maps of a network without anything that it learnt are ordered otherwise, and those of one that learnt from shuffled
    /// labels.
    pub passed: bool,
}

impl Sanity {
    /// How alike maps are to those of a network without anything that it learnt.
    pub fn unlearnt(&self) -> Option<Likeness> {
        self.stages.last().map(|stage| stage.likeness)
    }
}

/// How alike maps are to those of the network with a part of its parameters drawn anew.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// The share of the nodes with weights, from the logits downwards; 0 is the last one alone.
    pub share: f64,
    /// How alike.
    #[serde(flatten)]
    pub likeness: Likeness,
}

/// How alike the maps of two networks are, slice by slice.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Likeness {
    /// The mean rank correlation (Spearman).
    pub spearman: f64,
    /// The mean structural similarity (SSIM).
    pub ssim: f64,
}

/// Compares the maps of every method with those of randomised networks.
pub(super) fn check(
    explainers: &mut [Explainer],
    cases: &[Case],
    loading: Loading<'_>,
    options: &JudgeOptions,
    (progress, interrupt): (&dyn Progress, &Interrupt),
) -> Result<Vec<Sanity>, ExplainError> {
    let chosen = spread(cases, options.sanity_slices);
    let places: Vec<u32> = chosen.iter().map(|case| case.place).collect();
    let rounds = SHARES.len() + 1 + usize::from(options.shuffled.is_some());
    let all = places.len() * rounds * explainers.len();
    progress.begin("sanity check", Some(all as u64));
    let maps_of = |explainer: &mut Explainer| -> Result<Vec<HeatMap>, ExplainError> {
        let mut maps = Vec::with_capacity(places.len());
        each(loading, places.clone(), (progress, interrupt), |pictures| {
            let label = |place: &u32| {
                let case = chosen.iter().find(|case| case.place == *place);
                // The rarest thing that is marked: `any` alone where no subtype is.
                let first = case.and_then(|case| case.labels.first().copied());
                vec![first.unwrap_or(Label::Any)]
            };
            let labels: Vec<Vec<Label>> = pictures.places.iter().map(label).collect();
            let found = explainer.maps(pictures.images, pictures.shape, &labels)?;
            maps.extend(found.into_iter().flatten());
            Ok(())
        })?;
        Ok(maps)
    };
    let mut checked = Vec::new();
    for explainer in explainers {
        let learnt = maps_of(explainer)?;
        let maps = MapOptions {
            method: explainer.method(),
            ..options.maps.clone()
        };
        let mut stages = Vec::with_capacity(SHARES.len());
        for share in SHARES {
            let mut other = explainer.randomised(share, options.seed, loading.input, &maps)?;
            stages.push(Stage {
                share,
                likeness: alike(&learnt, &maps_of(&mut other)?),
            });
        }
        let shuffled = options.shuffled.as_ref().map(|bundle| {
            let mut other = Explainer::load(bundle, &maps)?;
            Ok::<_, ExplainError>(alike(&learnt, &maps_of(&mut other)?))
        });
        let mut sanity = Sanity {
            method: explainer.method().name(),
            slices: learnt.len(),
            stages,
            shuffled: shuffled.transpose()?,
            passed: false,
        };
        let differ = |likeness: Likeness| likeness.spearman < ALIKE;
        sanity.passed = sanity.unlearnt().is_some_and(differ) && sanity.shuffled.is_none_or(differ);
        checked.push(sanity);
    }
    progress.finish();
    Ok(checked)
}

/// Some cases, as many patients among them as possible, in their order.
fn spread(cases: &[Case], most: usize) -> Vec<&Case> {
    let mut patients = BTreeSet::new();
    let (first, others): (Vec<&Case>, Vec<&Case>) =
        cases.iter().partition(|case| patients.insert(case.patient));
    // Evenly among the patients, so that those of every part of the data are there.
    let step = first.len().div_ceil(most.max(1)).max(1);
    let mut chosen: Vec<&Case> = first.iter().step_by(step).copied().collect();
    let missing = most.saturating_sub(chosen.len());
    chosen.extend(others.into_iter().take(missing));
    chosen.truncate(most);
    chosen.sort_by_key(|case| case.place);
    chosen
}

/// Checks that a bundle is the model's recipe with shuffled labels.
///
/// # Errors
/// [`ExplainError::NotShuffled`], [`ExplainError::OtherShuffled`].
pub(super) fn check_shuffled(shuffled: &Bundle, model: &Bundle) -> Result<(), ExplainError> {
    let (theirs, own) = (shuffled.manifest(), model.manifest());
    let place = || shuffled.place(MANIFEST);
    if !theirs.shuffled_labels {
        return Err(ExplainError::NotShuffled(place()));
    }
    if theirs.network != own.network {
        return Err(ExplainError::OtherShuffled(place(), "network"));
    }
    if theirs.input != own.input {
        return Err(ExplainError::OtherShuffled(place(), "input"));
    }
    Ok(())
}

fn alike(learnt: &[HeatMap], random: &[HeatMap]) -> Likeness {
    let (mut ranks, mut structure) = (0.0, 0.0);
    for (a, b) in learnt.iter().zip(random) {
        let (a, side) = shrunk(a.values(), a.size(), SIDE);
        let (b, _) = shrunk(b.values(), b.size(), SIDE);
        ranks += spearman(&a, &b);
        structure += ssim(&a, &b, side);
    }
    let count = learnt.len().min(random.len()).max(1) as f64;
    Likeness {
        spearman: ranks / count,
        ssim: structure / count,
    }
}
