//! A bundle made ready to be given away: with smaller files, and with probabilities for the prevalence where it will be used.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use falx_core::{Label, Probability};
use falx_nn::onnx::{self, OnnxError, Precision, ReadError, ReadOptions};

use crate::parts::PartBytes;
use crate::{
    Bundle, BundleError, BundleManifest, BundleMetrics, CalibrationLine, Decisions, InvalidPrior,
    MODEL_CARD, PriorShift, model_card,
};

/// What a bundle becomes.
#[derive(Clone, Debug, Default)]
pub struct Packing {
    /// How exactly its networks of slices hold their weights.
    pub precision: Precision,
    /// The share of slices with haemorrhage that its probabilities are to be for; left out = as they are.
    pub prevalence: Option<Probability>,
    /// The standard deviation in mm of the Gaussian that smooths predictions along a series; left out = as it is.
    pub smooth_mm: Option<f64>,
    /// What patients say of it that its networks did not learn from; left out = what the bundle says itself.
    pub judged: Option<Judgement>,
    /// Terms under which the weights may be used; left out = as they are.
    pub licence: Option<String>,
    /// What to say besides, as Markdown at the end of its card.
    pub card: Option<String>,
}

/// What was measured of a model on patients that it did not learn from.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// What it reached, with the calibration.
    pub metrics: BundleMetrics,
    /// What the probabilities of each of its networks are to become, before the correction of its prior; none = as they are.
    pub calibration: Vec<CalibrationLine>,
    /// The rules of presence, on the scale of the probabilities of [`Packing::prevalence`].
    pub decisions: Option<Decisions>,
    /// What the change of the prevalence is worth, where it changes and slices with and without haemorrhage were judged.
    pub restated: Option<Restated>,
}

/// Weighted log losses on the judged slices, weighted so that haemorrhages are as frequent as at some prevalence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Restated {
    /// The share of slices with haemorrhage.
    pub prevalence: f64,
    /// Of the probabilities as they were.
    pub before: f64,
    /// Of those for this prevalence.
    pub after: f64,
    /// Of predicting the prevalence for every slice.
    pub no_skill: f64,
}

/// Why a bundle cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A bundle cannot be read or written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// There is something in the place of the new bundle.
    #[error("{0}: there is a bundle here already; choose another --out")]
    Exists(PathBuf),
    /// A network that falx cannot read cannot be stored otherwise.
    #[error("{path}: {source}; keep its weights as they are with fp32")]
    Network {
        /// The ONNX file.
        path: PathBuf,
        /// What keeps it from being read.
        source: Box<ReadError>,
    },
    /// A weight that cannot be stored so.
    #[error("{path}: {source}")]
    Weights {
        /// The ONNX file.
        path: PathBuf,
        /// Which weight, and why.
        source: OnnxError,
    },
    /// A prevalence that nothing can be shifted to.
    #[error(transparent)]
    Prevalence(#[from] InvalidPrior),
}

/// Writes `bundle` to `out` as `packing` says: one file where the name ends in `.falx`.
///
/// Rules of presence hold for one scale of probabilities: where the prevalence or the smoothing changes and nobody judged the model
/// anew, they are left out.
///
/// # Errors
/// [`PackError`]: a bundle in the place, networks that cannot be stored so, a file that cannot be written.
pub fn pack(bundle: &Bundle, out: &Path, packing: &Packing) -> Result<Bundle, PackError> {
    if Bundle::is_at(out) {
        return Err(PackError::Exists(out.to_owned()));
    }
    let manifest = manifest(bundle.manifest(), packing)?;
    let mut card = if manifest == *bundle.manifest() {
        // Somebody may have written more into it.
        String::from_utf8_lossy(&bundle.read(MODEL_CARD)?).into_owned()
    } else {
        model_card(&manifest)
    };
    if let Some(restated) = packing.judged.as_ref().and_then(|judged| judged.restated) {
        card.push_str(&restated.text());
    }
    if let Some(more) = &packing.card {
        card.push('\n');
        card.push_str(more);
    }
    let mut networks: Vec<Vec<u8>> = Vec::new();
    for network in bundle.networks() {
        networks.push(stored(bundle, &network.model, packing.precision)?);
        if let Some((file, _)) = network.sequence {
            networks.push(bundle.read(&file)?);
        }
    }
    let networks = networks
        .into_iter()
        .map(|bytes| -> PartBytes<'_> { Ok(Cow::Owned(bytes)) });
    Ok(Bundle::write_networks(out, manifest, networks, &card)?)
}

impl Restated {
    fn text(self) -> String {
        format!(
            "\n## At the prevalence of {:.2} %\n\n\
             The same slices, weighted so that this share of them shows a haemorrhage:\n\n\
             | weighted log loss | of |\n|---|---|\n\
             | {:.4} | the probabilities as training left them |\n\
             | {:.4} | these probabilities, which are for this prevalence |\n\
             | {:.4} | this prevalence for every slice |\n",
            100.0 * self.prevalence,
            self.before,
            self.after,
            self.no_skill
        )
    }
}

/// A network's file with weights of another precision.
fn stored(bundle: &Bundle, file: &str, precision: Precision) -> Result<Vec<u8>, PackError> {
    let bytes = bundle.read(file)?;
    if precision == Precision::Fp32 {
        return Ok(bytes);
    }
    let path = || bundle.place(file);
    let read = onnx::read_bytes(bytes, &ReadOptions::default());
    let read = read.map_err(|source| PackError::Network {
        path: path(),
        source: Box::new(source),
    })?;
    let written = onnx::to_bytes_with(&read.graph, &read.parameters, precision);
    written.map_err(|source| PackError::Weights {
        path: path(),
        source,
    })
}

fn manifest(own: &BundleManifest, packing: &Packing) -> Result<BundleManifest, InvalidPrior> {
    let mut manifest = own.clone();
    if let Some(prevalence) = packing.prevalence {
        let at = Label::Any.index();
        let shift = PriorShift::new(own.prevalence[at], prevalence.get())?;
        manifest.training_prevalence = Some(own.training_prevalence.unwrap_or(own.prevalence));
        // Subtypes keep their shares of the slices with haemorrhage.
        let factor = shift.data_any.get() / shift.shown_any.get();
        manifest.prevalence = own.prevalence.map(|share| (share * factor).clamp(0.0, 1.0));
        // Of one network or of each member: what their means are of.
        if manifest.members.is_empty() {
            manifest.prior = Some(shift.after(own.prior));
        }
        for member in &mut manifest.members {
            member.prior = Some(shift.after(member.prior));
        }
        manifest.decisions = None;
    }
    if packing.smooth_mm.is_some() && packing.smooth_mm != manifest.smooth_mm {
        manifest.smooth_mm = packing.smooth_mm;
        manifest.decisions = None;
        manifest.metrics.measured_on += ", before predictions were smoothed along the series";
    }
    if let Some(judged) = &packing.judged {
        manifest.metrics = judged.metrics.clone();
        if !judged.calibration.is_empty() {
            if manifest.members.is_empty() {
                manifest.calibration.clone_from(&judged.calibration);
            }
            for member in &mut manifest.members {
                member.calibration.clone_from(&judged.calibration);
            }
        }
        manifest.decisions.clone_from(&judged.decisions);
    }
    if let Some(licence) = &packing.licence {
        manifest.licence.clone_from(licence);
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests;
