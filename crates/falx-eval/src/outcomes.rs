//! One label's cases, checked once: what every statistic of this crate takes.

/// One label's cases: what is true, what was predicted, and whose they are.
///
/// # Shape
/// Three slices of equal length. Clusters (patients) are numbered from 0; numbers may be left out.
///
/// # Units
/// Predictions are finite; whether they must be probabilities is the statistic's to say.
#[derive(Clone, Copy, Debug)]
pub struct Outcomes<'a> {
    truth: &'a [bool],
    prediction: &'a [f64],
    cluster: &'a [u32],
}

/// Why three slices are no outcomes.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum OutcomesError {
    /// The slices have different lengths.
    #[error(
        "{truths} truths, {predictions} predictions and {clusters} clusters; give one of each for every case"
    )]
    Lengths {
        /// Truths given.
        truths: usize,
        /// Predictions given.
        predictions: usize,
        /// Clusters given.
        clusters: usize,
    },
    /// A prediction is NaN or infinite.
    #[error("the prediction of case {case} is {value}; it must be a finite number")]
    NotFinite {
        /// Which case, from 0.
        case: usize,
        /// What was given.
        value: f64,
    },
}

impl<'a> Outcomes<'a> {
    /// Checked outcomes.
    ///
    /// # Errors
    /// [`OutcomesError`] for slices of different lengths or a prediction that is no finite number.
    pub fn new(
        truth: &'a [bool],
        prediction: &'a [f64],
        cluster: &'a [u32],
    ) -> Result<Self, OutcomesError> {
        if truth.len() != prediction.len() || truth.len() != cluster.len() {
            return Err(OutcomesError::Lengths {
                truths: truth.len(),
                predictions: prediction.len(),
                clusters: cluster.len(),
            });
        }
        if let Some((case, &value)) = (0..).zip(prediction).find(|(_, p)| !p.is_finite()) {
            return Err(OutcomesError::NotFinite { case, value });
        }
        Ok(Self {
            truth,
            prediction,
            cluster,
        })
    }

    /// What is true of each case.
    pub const fn truth(&self) -> &'a [bool] {
        self.truth
    }

    /// What was predicted for each case.
    pub const fn prediction(&self) -> &'a [f64] {
        self.prediction
    }

    /// The cluster (patient) of each case.
    pub const fn cluster(&self) -> &'a [u32] {
        self.cluster
    }

    /// How many cases.
    pub const fn len(&self) -> usize {
        self.truth.len()
    }

    /// True when there is no case.
    pub const fn is_empty(&self) -> bool {
        self.truth.is_empty()
    }

    /// One more than the highest cluster's number.
    pub fn clusters(&self) -> usize {
        self.cluster.iter().max().map_or(0, |&c| c as usize + 1)
    }

    /// Positive cases.
    pub fn positives(&self) -> u64 {
        self.truth.iter().filter(|&&t| t).count() as u64
    }

    /// Each case's truth, prediction and cluster.
    pub fn iter(&self) -> impl Iterator<Item = (bool, f64, u32)> + 'a {
        let cases = self.truth.iter().zip(self.prediction).zip(self.cluster);
        cases.map(|((&truth, &prediction), &cluster)| (truth, prediction, cluster))
    }
}
