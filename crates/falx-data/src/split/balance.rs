//! Dealing groups to parts so that each part has its share of everything.
//!
//! # Source
//! Sechidis, Tsoumakas, Vlahavas: On the stratification of multi-label data, ECML PKDD 2011; here for groups instead of
//! single slices, and then refined by moves and swaps.

use falx_core::random;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::group::{SLICES, Traits};

/// Rounds of refinement, each through all groups.
const MOST_ROUNDS: usize = 40;
/// A round that gains less than this share of what is left to gain is the last one.
const LEAST_GAIN: f64 = 0.01;
/// Swaps that are tried in one round.
const SWAPS: usize = 200_000;

/// The part of each group; every part gets at least one (there are at least as many groups as parts).
pub(super) fn deal(traits: &Traits, shares: &[f64], seed: u64) -> Vec<usize> {
    let mut random = random::stream(seed, "split", &[]);
    let mut order: Vec<usize> = (0..traits.groups()).collect();
    order.shuffle(&mut random);
    let mut parts = Parts::new(traits, shares);
    // Few groups have few best ways to deal them; what counts how much is drawn, so that another seed is another split.
    for weight in &mut parts.weights {
        *weight *= random.random_range(0.5..1.5);
    }
    parts.stratify(&order, &mut random);
    parts.fill_empty();
    parts.refine(&order, &mut random);
    parts.part_of
}

struct Parts<'a> {
    traits: &'a Traits,
    /// By part and trait: how much there should be.
    wanted: Vec<Vec<f64>>,
    /// By part and trait: how much there is.
    have: Vec<Vec<f64>>,
    /// By trait: how much it matters to refinement.
    weights: Vec<f64>,
    /// By part: how many groups.
    groups: Vec<usize>,
    part_of: Vec<usize>,
}

impl<'a> Parts<'a> {
    fn new(traits: &'a Traits, shares: &[f64]) -> Self {
        let mut totals = vec![0.0; traits.count];
        for group in 0..traits.groups() {
            for (at, amount) in traits.get(group) {
                totals[at] += amount;
            }
        }
        let share_of = |share: &f64| totals.iter().map(|total| total * share).collect();
        Self {
            traits,
            wanted: shares.iter().map(share_of).collect(),
            have: vec![vec![0.0; traits.count]; shares.len()],
            weights: (0..traits.count).map(Traits::weight).collect(),
            groups: vec![0; shares.len()],
            part_of: vec![usize::MAX; traits.groups()],
        }
    }

    /// The rarest label first, its richest groups first, each to the part that lacks most of that label; then the other
    /// traits in the same way.
    fn stratify(&mut self, order: &[usize], random: &mut impl Rng) {
        let mut left: Vec<f64> = (0..self.traits.count)
            .map(|at| self.wanted.iter().map(|wanted| wanted[at]).sum())
            .collect();
        let mut dealt = vec![false; order.len()];
        for stage in [0..SLICES, SLICES..self.traits.count] {
            loop {
                let open = stage.clone().filter(|&at| left[at] > 0.5);
                let Some(rarest) = open.min_by(|&a, &b| left[a].total_cmp(&left[b])) else {
                    break;
                };
                let amount = |group: usize| {
                    let mut traits = self.traits.get(group);
                    traits
                        .find(|&(at, _)| at == rarest)
                        .map(|(_, amount)| amount)
                };
                let undealt = order.iter().filter(|&&group| !dealt[group]);
                let mut next: Vec<(usize, f64)> = undealt
                    .filter_map(|&group| Some((group, amount(group)?)))
                    .collect();
                next.sort_by(|a, b| b.1.total_cmp(&a.1));
                for (group, _) in next {
                    let part = self.neediest(rarest, random);
                    self.place(group, part);
                    dealt[group] = true;
                    for (at, amount) in self.traits.get(group) {
                        left[at] -= amount;
                    }
                }
                left[rarest] = 0.0;
            }
        }
    }

    /// The part that lacks most of a trait; of equals the one that lacks most slices; of equals any.
    fn neediest(&self, at: usize, random: &mut impl Rng) -> usize {
        let lacks = |part: usize, at: usize| self.wanted[part][at] - self.have[part][at];
        let mut best = 0;
        let mut equals = 1;
        for part in 1..self.have.len() {
            let by_trait = lacks(part, at).total_cmp(&lacks(best, at));
            match by_trait.then(lacks(part, SLICES).total_cmp(&lacks(best, SLICES))) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Greater => (best, equals) = (part, 1),
                std::cmp::Ordering::Equal => {
                    equals += 1;
                    if random.random_range(0..equals) == 0 {
                        best = part;
                    }
                }
            }
        }
        best
    }

    fn place(&mut self, group: usize, part: usize) {
        let before = std::mem::replace(&mut self.part_of[group], part);
        for (at, amount) in self.traits.get(group) {
            self.have[part][at] += amount;
            if let Some(have) = self.have.get_mut(before) {
                have[at] -= amount;
            }
        }
        self.groups[part] += 1;
        if let Some(groups) = self.groups.get_mut(before) {
            *groups -= 1;
        }
    }

    /// Moves the smallest group of the part with the most groups into each part that got none.
    fn fill_empty(&mut self) {
        for empty in 0..self.groups.len() {
            if self.groups[empty] > 0 {
                continue;
            }
            let richest = (0..self.groups.len()).max_by_key(|&part| self.groups[part]);
            let smallest = (0..self.part_of.len())
                .filter(|&group| Some(self.part_of[group]) == richest)
                .min_by(|&a, &b| self.traits.slices(a).total_cmp(&self.traits.slices(b)));
            if let Some(group) = smallest {
                self.place(group, empty);
            }
        }
    }

    /// Moves and swaps groups as long as that brings the parts nearer to their shares.
    fn refine(&mut self, order: &[usize], random: &mut impl Rng) {
        let parts = self.have.len();
        let mut left: f64 = (0..parts)
            .flat_map(|part| (0..self.traits.count).map(move |at| (part, at)))
            .map(|(part, at)| self.error(part, at, 0.0))
            .sum();
        let swaps = (SWAPS / order.len().max(1)).min(64);
        let mut change = vec![0.0; self.traits.count];
        for _ in 0..MOST_ROUNDS {
            let mut gain = 0.0;
            for &group in order {
                let from = self.part_of[group];
                if self.groups[from] > 1 {
                    self.difference(None, group, &mut change);
                    let others = (0..parts).filter(|&to| to != from);
                    let gains = others.map(|to| (to, self.gain(from, to, &change)));
                    if let Some((to, better)) = gains.max_by(|a, b| a.1.total_cmp(&b.1))
                        && better > f64::EPSILON
                    {
                        self.place(group, to);
                        gain += better;
                    }
                }
                for _ in 0..swaps {
                    let (from, other) = (self.part_of[group], random.random_range(0..order.len()));
                    let to = self.part_of[other];
                    if from == to {
                        continue;
                    }
                    self.difference(Some(other), group, &mut change);
                    let better = self.gain(from, to, &change);
                    if better > f64::EPSILON {
                        self.place(group, to);
                        self.place(other, from);
                        gain += better;
                    }
                }
            }
            left -= gain;
            if gain <= LEAST_GAIN * left {
                break;
            }
        }
    }

    /// What a part gets that receives one group (if any) and gives another.
    fn difference(&self, receives: Option<usize>, gives: usize, change: &mut [f64]) {
        change.fill(0.0);
        for (at, amount) in receives
            .into_iter()
            .flat_map(|group| self.traits.get(group))
        {
            change[at] += amount;
        }
        for (at, amount) in self.traits.get(gives) {
            change[at] -= amount;
        }
    }

    /// How much nearer to their shares two parts come when one gets `change` and the other loses it.
    fn gain(&self, one: usize, other: usize, change: &[f64]) -> f64 {
        let changed = change
            .iter()
            .enumerate()
            .filter(|(_, change)| **change != 0.0);
        changed
            .map(|(at, &change)| {
                self.error(one, at, 0.0) + self.error(other, at, 0.0)
                    - self.error(one, at, change)
                    - self.error(other, at, -change)
            })
            .sum()
    }

    /// How far a part is from its share of a trait: relative for common traits, milder for very rare ones.
    fn error(&self, part: usize, at: usize, change: f64) -> f64 {
        let wanted = self.wanted[part][at];
        let off = self.have[part][at] + change - wanted;
        self.weights[at] * off * off / (wanted * wanted + wanted).max(f64::MIN_POSITIVE)
    }
}
