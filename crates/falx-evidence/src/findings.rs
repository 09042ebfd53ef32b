//! What a detector says of a study: the input of this crate.

use std::collections::BTreeMap;

use dicom_core::chrono::{DateTime, TimeDelta};
use falx_core::{Label, Probability};

use crate::code::{self, Fixed};
use crate::{EvidenceError, SourceSlice};

/// What a detector says of one study, with the images that it is said of.
#[derive(Clone, Debug)]
pub struct StudyFindings {
    /// The slices that were looked at, of one study, in their order along the head.
    pub sources: Vec<SourceSlice>,
    /// One for each label that the detector speaks of.
    pub findings: Vec<Finding>,
    /// What found it.
    pub algorithm: AlgorithmIdentification,
    /// The share of haemorrhages that the probabilities were made for, where it is known.
    pub prevalence: Option<Probability>,
    /// When the objects are written; it becomes their date and time, and nothing else tells the clock.
    pub written_at: WrittenAt,
    /// Pictures to show beside the slices, such as heat maps laid over them.
    pub pictures: Vec<KeyPicture>,
    /// Heat maps as numbers.
    pub heat_maps: Vec<HeatMap>,
}

/// What is said of one label.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The label.
    pub label: Label,
    /// How probable it is that the study shows it.
    pub probability: Probability,
    /// Whether it is called present; `None` where the detector has no rule for that.
    pub presence: Option<Presence>,
    /// The lower and the upper end of the probability's interval, where there is one.
    pub interval: Option<[Probability; 2]>,
    /// What is predicted at least this is called present, where there is such a threshold.
    pub threshold: Option<Probability>,
    /// The slices that speak most for it, as places in [`StudyFindings::sources`], the most telling first.
    pub key_slices: Vec<usize>,
}

/// Whether a finding is called present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// The detector abstains.
    Undetermined,
}

impl Presence {
    pub(crate) const fn concept(self) -> Fixed {
        match self {
            Self::Present => code::PRESENT,
            Self::Absent => code::ABSENT,
            Self::Undetermined => code::UNDETERMINED,
        }
    }

    /// As a table says it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Undetermined => "abstains",
        }
    }
}

/// What found it (TID 4019).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlgorithmIdentification {
    /// The detector's name: `falx resnet18`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What tells its weights from all others, such as the SHA-256 of the network's file.
    pub model_hash: String,
    /// What else its answer depends on: names and values.
    pub parameters: Vec<(String, String)>,
}

/// An instant with the offset of the local time that it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenAt {
    unix_seconds: i64,
    offset_minutes: i32,
}

/// Minutes of a day's 14 hours: no place on earth is further from UTC.
const MOST_OFFSET: i32 = 14 * 60;

impl WrittenAt {
    /// An instant in seconds since 1970 (UTC), written as the time of a place that is `offset_minutes` ahead of UTC.
    ///
    /// # Errors
    /// [`EvidenceError::Instant`] outside the years 1 to 9999, or more than 14 hours from UTC.
    pub fn new(unix_seconds: i64, offset_minutes: i32) -> Result<Self, EvidenceError> {
        let instant = Self {
            unix_seconds,
            offset_minutes,
        };
        let in_range = (-MOST_OFFSET..=MOST_OFFSET).contains(&offset_minutes);
        let year = instant.format("%Y");
        if in_range && year.len() == 4 && year != "0000" {
            Ok(instant)
        } else {
            Err(EvidenceError::Instant {
                unix_seconds,
                offset_minutes,
            })
        }
    }

    /// The same instant in another local time; the same where that would lead out of the calendar.
    pub(crate) fn at_offset(self, offset_minutes: i32) -> Self {
        Self::new(self.unix_seconds, offset_minutes).unwrap_or(self)
    }

    /// As DICOM's DA.
    pub(crate) fn date(self) -> String {
        self.format("%Y%m%d")
    }

    /// As DICOM's TM.
    pub(crate) fn time(self) -> String {
        self.format("%H%M%S")
    }

    /// As people write it.
    pub(crate) fn to_text(self) -> String {
        self.format("%Y-%m-%d %H:%M")
    }

    fn format(self, form: &str) -> String {
        let offset = TimeDelta::minutes(i64::from(self.offset_minutes));
        DateTime::from_timestamp(self.unix_seconds, 0)
            .and_then(|instant| instant.checked_add_signed(offset))
            .map(|local| local.format(form).to_string())
            .unwrap_or_default()
    }
}

/// A colour picture of 8 bits a channel. It must not show who the patient is: no object of this crate does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbPicture {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Red, green and blue of each pixel, row by row.
    ///
    /// # Shape
    /// rows × cols × 3
    pub pixels: Vec<u8>,
}

/// A picture that is made of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPicture {
    /// The slice, as a place in [`StudyFindings::sources`].
    pub slice: usize,
    /// What the picture is about.
    pub label: Label,
    /// How it was made of the slice, in a sentence.
    pub description: String,
    /// The picture.
    pub picture: RgbPicture,
}

/// How much each place of some slices contributed to a label's probability.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// The label.
    pub label: Label,
    /// What its numbers are.
    pub quantity: MapQuantity,
    /// The slices that it covers, in their order along the head.
    pub frames: Vec<MapFrame>,
}

impl HeatMap {
    /// A label's maps from parts on slices of a study: one for all slices of a size and frame of reference (of a series, where
    /// it names none). Slices that do not say where they lie are left out, since no viewer could lay a map over them.
    pub fn of_frames(
        label: Label,
        quantity: MapQuantity,
        frames: Vec<MapFrame>,
        sources: &[SourceSlice],
    ) -> Vec<Self> {
        let mut maps = BTreeMap::new();
        for frame in frames {
            let source = sources.get(frame.slice);
            let shared = source.and_then(|slice| Some((slice.matrix()?, slice.placed_in()?)));
            if let Some(shared) = shared {
                let frames: &mut Vec<MapFrame> = maps.entry(shared).or_default();
                frames.push(frame);
            }
        }
        let maps = maps.into_values();
        maps.map(|frames| Self {
            label,
            quantity,
            frames,
        })
        .collect()
    }
}

/// A heat map's part on one slice.
#[derive(Clone, Debug, PartialEq)]
pub struct MapFrame {
    /// The slice, as a place in [`StudyFindings::sources`].
    pub slice: usize,
    /// A number for each pixel of the slice.
    ///
    /// # Shape
    /// the slice's rows × columns
    ///
    /// # Units
    /// none; from 0 (nothing) to 1 (most)
    pub values: Vec<f32>,
}

/// What a heat map's numbers are.
///
/// # Source
/// DICOM PS3.16, CID 217, Visual Explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapQuantity {
    /// Class activation (CAM).
    ClassActivation,
    /// Gradient-weighted class activation (Grad-CAM).
    GradientWeighted,
    /// Saliency: how much the answer changes with the pixel.
    Saliency,
}

impl MapQuantity {
    pub(crate) const fn concept(self) -> Fixed {
        match self {
            Self::ClassActivation => code::CLASS_ACTIVATION,
            Self::GradientWeighted => code::GRADIENT_WEIGHTED,
            Self::Saliency => code::SALIENCY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::WrittenAt;

    #[test]
    fn an_instant_is_written_in_local_time() {
        let instant = WrittenAt::new(951_782_400, 330).unwrap();
        assert_eq!(
            (instant.date(), instant.time()),
            ("20000229".into(), "053000".into())
        );
        let west = instant.at_offset(-60);
        assert_eq!(
            (west.date(), west.time()),
            ("20000228".into(), "230000".into())
        );
        assert_eq!(WrittenAt::new(0, 0).unwrap().to_text(), "1970-01-01 00:00");
    }

    #[test]
    fn what_no_calendar_of_dicom_holds_is_refused() {
        for (seconds, minutes) in [
            (i64::MAX, 0),
            (i64::MIN, 0),
            (253_402_300_800, 0),
            (-62_167_219_200, 0),
            (0, 841),
        ] {
            assert!(
                WrittenAt::new(seconds, minutes).is_err(),
                "{seconds} {minutes}"
            );
        }
    }
}
