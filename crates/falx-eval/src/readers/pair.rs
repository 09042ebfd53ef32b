//! Two readers: the table of what both said, and Cohen's kappa.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often two readers said what. Counts may be weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairTable {
    /// Both said yes.
    pub both: f64,
    /// Only the first said yes.
    pub first: f64,
    /// Only the second said yes.
    pub second: f64,
    /// Both said no.
    pub neither: f64,
}

impl PairTable {
    /// Counts pairs.
    pub fn of(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut table = Self::default();
        for (first, second) in pairs {
            table.add(first, second, 1.0);
        }
        table
    }

    pub(crate) fn add(&mut self, first: bool, second: bool, weight: f64) {
        *match (first, second) {
            (true, true) => &mut self.both,
            (true, false) => &mut self.first,
            (false, true) => &mut self.second,
            (false, false) => &mut self.neither,
        } += weight;
    }

    pub(crate) fn add_all(&mut self, other: &Self, weight: f64) {
        self.both += other.both * weight;
        self.first += other.first * weight;
        self.second += other.second * weight;
        self.neither += other.neither * weight;
    }

    /// Pairs counted.
    pub fn total(&self) -> f64 {
        self.both + self.first + self.second + self.neither
    }

    fn share(&self, count: f64) -> Option<f64> {
        let total = self.total();
        (total > 0.0).then(|| count / total)
    }

    /// The share of cases on which both said the same.
    pub fn agreement(&self) -> Option<f64> {
        self.share(self.both + self.neither)
    }

    /// Agreement on the positive cases: 2 · both yes ÷ (all yes of the first + all of the second).
    pub fn positive_agreement(&self) -> Option<f64> {
        let yes = 2.0 * self.both + self.first + self.second;
        (yes > 0.0).then(|| 2.0 * self.both / yes)
    }

    /// Agreement on the negative cases, likewise.
    pub fn negative_agreement(&self) -> Option<f64> {
        let no = 2.0 * self.neither + self.first + self.second;
        (no > 0.0).then(|| 2.0 * self.neither / no)
    }

    /// The readers' shares of yes.
    fn margins(&self) -> Option<(f64, f64)> {
        Some((
            self.share(self.both + self.first)?,
            self.share(self.both + self.second)?,
        ))
    }

    /// The agreement that two readers with these shares of yes reach by chance.
    pub fn by_chance(&self) -> Option<f64> {
        let (p, q) = self.margins()?;
        Some(p * q + (1.0 - p) * (1.0 - q))
    }

    /// Cohen's kappa: agreement beyond chance, as a share of what there is beyond chance. `None` for no cases, and where
    /// both readers said the same of everything: chance then explains all agreement.
    ///
    /// # Source
    /// Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960).
    pub fn kappa(&self) -> Option<f64> {
        // In counts: the products stay exact, so that agreement as by chance gives 0 and not some 1e-17.
        let crossed = self.both * self.neither - self.first * self.second;
        let n = self.total();
        let (yes_1, yes_2) = (self.both + self.first, self.both + self.second);
        let room = yes_1 * (n - yes_2) + yes_2 * (n - yes_1);
        (room > 0.0).then(|| 2.0 * crossed / room)
    }

    /// The standard error of kappa for many independent cases. Where cases share patients it is too small: the interval
    /// by resampling patients is the one to report.
    ///
    /// # Source
    /// Fleiss, Cohen and Everitt, "Large sample standard errors of kappa and weighted kappa", Psychological Bulletin 72
    /// (1969).
    pub fn kappa_standard_error(&self) -> Option<f64> {
        let kappa = self.kappa()?;
        let chance = self.by_chance()?;
        let (p, q) = self.margins()?;
        let n = self.total();
        let rest = 1.0 - kappa;
        let agreed = self.both / n * (1.0 - (p + q) * rest).powi(2)
            + self.neither / n * (1.0 - (2.0 - p - q) * rest).powi(2);
        // A disagreement (i, j) weighs the second reader's share of i and the first's of j.
        let disagreed = rest.powi(2)
            * (self.first / n * (q + (1.0 - p)).powi(2)
                + self.second / n * ((1.0 - q) + p).powi(2));
        let centre = (kappa - chance * rest).powi(2);
        let variance = (agreed + disagreed - centre).max(0.0) / ((1.0 - chance).powi(2) * n);
        Some(variance.sqrt())
    }

    /// (both yes − both no) ÷ all: far from 0, kappa is low even for readers who agree well.
    ///
    /// # Source
    /// Byrt, Bishop and Carlin, "Bias, prevalence and kappa", Journal of Clinical Epidemiology 46 (1993).
    pub fn prevalence_index(&self) -> Option<f64> {
        self.share(self.both - self.neither)
    }

    /// (only the first yes − only the second) ÷ all: far from 0, one reader says yes more readily, which raises kappa.
    ///
    /// # Source
    /// Byrt, Bishop and Carlin (1993).
    pub fn bias_index(&self) -> Option<f64> {
        self.share(self.first - self.second)
    }

    /// Kappa adjusted for prevalence and bias: 2 · agreement − 1.
    ///
    /// # Source
    /// Byrt, Bishop and Carlin (1993).
    pub fn adjusted_kappa(&self) -> Option<f64> {
        Some(2.0 * self.agreement()? - 1.0)
    }
}
