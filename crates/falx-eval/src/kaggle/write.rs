//! Writing submissions.

use std::collections::{HashMap, HashSet};
use std::io::{BufWriter, Write};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;
use falx_core::{ImageId, LABELS, Label, Prediction};

use super::lines::{Ending, Lines};
use super::row::HEADER;
use super::{KaggleError, Written, for_each_row, open};

/// Writes a submission: the sample's rows in the sample's order where a sample is given, else the predictions' order.
///
/// Probabilities are written with all their digits; lines end as the sample's do, else with `\n`.
///
/// # Errors
/// [`KaggleError`] when the sample cannot be read, asks for an image that is not predicted, or `out` cannot be written.
pub fn write_submission(
    predictions: &[Prediction],
    sample: Option<&Path>,
    out: &Path,
) -> Result<Written, KaggleError> {
    let mut index: HashMap<&str, &Prediction> = HashMap::with_capacity(predictions.len());
    for prediction in predictions {
        if index
            .insert(prediction.image_id.as_str(), prediction)
            .is_some()
        {
            return Err(KaggleError::PredictedTwice {
                image: prediction.image_id.clone(),
            });
        }
    }
    let end = sample.map_or(Ok("\n"), line_end)?;
    let failed = |source| KaggleError::Write {
        path: out.to_owned(),
        source,
    };
    let file = AtomicWriteFile::open(out).map_err(failed)?;
    let mut writer = BufWriter::new(file);
    let written = write!(writer, "{HEADER}{end}")
        .map_err(failed)
        .and_then(|()| {
            let mut row = |prediction: &Prediction, label: Label| {
                let p = prediction.get(label).get();
                write!(writer, "{}_{label},{p}{end}", prediction.image_id).map_err(failed)
            };
            match sample {
                Some(sample) => as_sampled(&index, sample, &mut row),
                None => in_order(predictions, &mut row),
            }
        })?;
    let file = writer.into_inner().map_err(|e| failed(e.into_error()))?;
    file.commit().map_err(failed)?;
    Ok(written)
}

fn in_order(
    predictions: &[Prediction],
    row: &mut impl FnMut(&Prediction, Label) -> Result<(), KaggleError>,
) -> Result<Written, KaggleError> {
    for prediction in predictions {
        for label in LABELS {
            row(prediction, label)?;
        }
    }
    Ok(Written {
        rows: 6 * predictions.len() as u64,
        left_out: 0,
    })
}

fn as_sampled(
    index: &HashMap<&str, &Prediction>,
    sample: &Path,
    row: &mut impl FnMut(&Prediction, Label) -> Result<(), KaggleError>,
) -> Result<Written, KaggleError> {
    let mut asked: HashSet<&str> = HashSet::with_capacity(index.len());
    let mut missing: HashSet<String> = HashSet::new();
    let mut example: Option<ImageId> = None;
    let rows = for_each_row(open(sample)?, sample, |place| {
        if let Some((&image, &prediction)) = index.get_key_value(place.image) {
            asked.insert(image);
            return row(prediction, place.label);
        }
        if !missing.contains(place.image) {
            example.get_or_insert_with(|| ImageId::from(place.image));
            missing.insert(place.image.to_owned());
        }
        Ok(())
    })?;
    if let Some(example) = example {
        return Err(KaggleError::NotPredicted {
            path: sample.to_owned(),
            count: missing.len() as u64,
            example,
        });
    }
    Ok(Written {
        rows,
        left_out: (index.len() - asked.len()) as u64,
    })
}

fn line_end(sample: &Path) -> Result<&'static str, KaggleError> {
    let mut lines = Lines::new(open(sample)?);
    let first = lines.next().map_err(|source| KaggleError::Read {
        path: sample.to_owned(),
        source,
    })?;
    Ok(match first.map(|line| line.ending) {
        Some(Ending::CrLf) => "\r\n",
        _ => "\n",
    })
}
