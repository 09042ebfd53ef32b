//! All readers at once: Fleiss' kappa, and Krippendorff's alpha where reads are missing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Estimate, Resampling};

/// Fleiss' kappa and its standard error for many independent cases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FleissKappa {
    /// Cases read by all.
    pub cases: u64,
    /// Agreement beyond chance, as a share of what there is beyond chance.
    pub kappa: f64,
    /// Its standard error when cases are independent, whatever the true agreement; `None` for one case.
    pub standard_error: Option<f64>,
}

/// How far all readers agree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AllReaders {
    /// Cases that every reader read: those of Fleiss' kappa.
    pub complete_cases: u64,
    /// Cases that some but not all readers read: left out of Fleiss' kappa.
    pub incomplete_cases: u64,
    /// Fleiss' kappa, the interval by resampling patients; `None` where it has no value.
    pub fleiss_kappa: Option<Estimate>,
    /// Its standard error when cases are independent.
    pub fleiss_standard_error: Option<f64>,
    /// Krippendorff's alpha for two answers: it takes every case with two reads or more, so missing reads lose nothing.
    pub krippendorff_alpha: Option<Estimate>,
    /// Mean over cases of the share of pairs of readers that said the same, over cases with two reads or more.
    pub agreement: Option<Estimate>,
}

/// What Fleiss' kappa and Krippendorff's alpha need of a patient's cases.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    complete: f64,
    complete_yes: f64,
    /// Of complete cases: ordered pairs of readers that said the same.
    complete_pairs: f64,
    yes: f64,
    no: f64,
    /// Ordered pairs (yes, no), each case's divided by its reads less one.
    mixed: f64,
    paired: f64,
    same: f64,
}

impl Sums {
    fn add(&mut self, (yes, all): (u32, u32), readers: u32) {
        if all < 2 {
            return;
        }
        let no = f64::from(all - yes.min(all));
        let (yes, n) = (f64::from(yes), f64::from(all));
        let same = yes * (yes - 1.0) + no * (no - 1.0);
        if all == readers {
            self.complete += 1.0;
            self.complete_yes += yes;
            self.complete_pairs += same;
        }
        self.yes += yes;
        self.no += no;
        self.mixed += yes * no / (n - 1.0);
        self.paired += 1.0;
        self.same += same / (n * (n - 1.0));
    }

    fn add_all(&mut self, other: &Self, weight: f64) {
        self.complete += other.complete * weight;
        self.complete_yes += other.complete_yes * weight;
        self.complete_pairs += other.complete_pairs * weight;
        self.yes += other.yes * weight;
        self.no += other.no * weight;
        self.mixed += other.mixed * weight;
        self.paired += other.paired * weight;
        self.same += other.same * weight;
    }

    fn fleiss(&self, readers: u32) -> Option<f64> {
        let m = f64::from(readers);
        let reads = self.complete * m;
        let yes = self.complete_yes;
        let room = 2.0 * yes * (reads - yes);
        let agreement = self.complete_pairs / (reads * (m - 1.0));
        let chance = 1.0 - room / (reads * reads);
        (room > 0.0).then(|| (agreement - chance) / (1.0 - chance))
    }

    fn alpha(&self) -> Option<f64> {
        let n = self.yes + self.no;
        let expected = self.yes * self.no / (n - 1.0);
        (n > 1.0 && expected > 0.0).then(|| 1.0 - self.mixed / expected)
    }

    fn agreement(&self) -> Option<f64> {
        (self.paired > 0.0).then(|| self.same / self.paired)
    }
}

/// Fleiss' kappa of a yes-or-no question over the cases that all `readers` read; `None` where there is no such case, fewer
/// than two readers, or everybody said the same of everything.
///
/// # Shape
/// (readers who said yes, readers who said anything) for each case.
///
/// # Source
/// Fleiss, "Measuring nominal scale agreement among many raters", Psychological Bulletin 76 (1971); the standard error is
/// Gwet's for any true agreement (Handbook of Inter-Rater Reliability, 2014), since Fleiss' own holds only for none.
pub fn fleiss_kappa(counts: &[(u32, u32)], readers: u32) -> Option<FleissKappa> {
    if readers < 2 {
        return None;
    }
    let mut sums = Sums::default();
    for &count in counts {
        sums.add(count, readers);
    }
    let kappa = sums.fleiss(readers)?;
    let m = f64::from(readers);
    let n = sums.complete;
    let p = sums.complete_yes / (n * m);
    let chance = p * p + (1.0 - p) * (1.0 - p);
    let complete = counts.iter().filter(|(_, all)| *all == readers);
    let squares: f64 = complete
        .map(|&(yes, _)| {
            let yes = f64::from(yes);
            let no = m - yes;
            let agreement = (yes * (yes - 1.0) + no * (no - 1.0)) / (m * (m - 1.0));
            let of_case = (agreement - chance) / (1.0 - chance);
            let chance_of_case = (yes * p + no * (1.0 - p)) / m;
            let turned = of_case - 2.0 * (1.0 - kappa) * (chance_of_case - chance) / (1.0 - chance);
            (turned - kappa).powi(2)
        })
        .sum();
    Some(FleissKappa {
        cases: n as u64,
        kappa,
        standard_error: (n > 1.0).then(|| (squares / (n * (n - 1.0))).sqrt()),
    })
}

/// Krippendorff's alpha of a yes-or-no question, over all cases with two reads or more; `None` where there is none, or
/// everybody said the same of everything.
///
/// # Shape
/// (readers who said yes, readers who said anything) for each case.
///
/// # Source
/// Krippendorff, Content Analysis (2004), chapter 11: nominal data, any number of readers, missing reads.
pub fn krippendorff_alpha(counts: &[(u32, u32)]) -> Option<f64> {
    let mut sums = Sums::default();
    for &count in counts {
        sums.add(count, u32::MAX);
    }
    sums.alpha()
}

/// All of it, with intervals over resamples of patients.
pub(crate) fn all_readers(
    counts: &[(u32, u32)],
    clusters: &[u32],
    readers: u32,
    resampling: &Resampling,
) -> AllReaders {
    let mut by_cluster = vec![Sums::default(); resampling.clusters()];
    for (&count, &cluster) in counts.iter().zip(clusters) {
        if let Some(sums) = by_cluster.get_mut(cluster as usize) {
            sums.add(count, readers);
        }
    }
    let found = resampling.estimates(|weights| {
        let mut sums = Sums::default();
        for (of_cluster, &weight) in by_cluster.iter().zip(weights) {
            sums.add_all(of_cluster, f64::from(weight));
        }
        let fleiss = if readers < 2 {
            None
        } else {
            sums.fleiss(readers)
        };
        vec![fleiss, sums.alpha(), sums.agreement()]
    });
    let estimate = |i: usize| found.get(i).copied().flatten();
    let number = |is: &dyn Fn(u32) -> bool| counts.iter().filter(|c| is(c.1)).count() as u64;
    AllReaders {
        complete_cases: number(&|all| all == readers),
        incomplete_cases: number(&|all| all > 0 && all < readers),
        fleiss_kappa: estimate(0),
        fleiss_standard_error: fleiss_kappa(counts, readers).and_then(|f| f.standard_error),
        krippendorff_alpha: estimate(1),
        agreement: estimate(2),
    }
}
