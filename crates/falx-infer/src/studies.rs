//! The studies of an index, and the series that answers for each.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use falx_data::index::{Index, IndexRow};
use falx_data::source::WINDOWED_PICTURE;
use falx_dicom::Plane;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::KernelKind;

/// The slice thickness that networks for head CT learn from, in mm.
///
/// # Source
/// RSNA 2019: the median thickness of its series.
const USUAL_THICKNESS_MM: f64 = 5.0;
/// A series that covers less of the head than this share of the widest one's is a part of it.
const WHOLE: f64 = 0.7;
/// The least extent in mm of a brain from the skull's base to its top.
const BRAIN_MM: f64 = 100.0;
/// A step between neighbours that is so many times the usual one is a gap.
const GAP: f64 = 1.5;
/// Slices that are closer than this lie in one place: positions are written to a hundredth of a mm or better.
const ONE_PLACE_MM: f64 = 0.01;
/// The least bone (from 300 HU) for each pixel of soft tissue (0 to 80 HU) that a head shows. Whole heads of RSNA 2019 and
/// phantoms have .22 or more, single slices at the top of a head .1 or more; slices of bellies and pelves .05 to .08.
const LEAST_BONE: f32 = 0.1;
/// Of fewer slices nothing is said from their pixels: above the skull there is no bone.
const FEW: usize = 5;

/// Which series are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SeriesChoice {
    /// The one of each study that suits a network for head CT best.
    #[default]
    Best,
    /// All, whatever they show.
    All,
    /// Those of these Series Instance UIDs, whatever they show.
    These(Vec<String>),
}

/// Why a series is no head CT that a network for haemorrhages may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// None of its files is a usable slice.
    NoUsableSlice,
    /// Body Part Examined names another part of the body.
    OtherBodyPart,
    /// Contrast/Bolus Agent says that vessels were filled: they look like blood.
    ContrastAgent,
    /// Its slices are coronal or sagittal.
    NotAxial,
    /// Its slices show too little bone for a skull.
    NoSkull,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoUsableSlice => "none of its files is a usable slice",
            Self::OtherBodyPart => "it is of another part of the body",
            Self::ContrastAgent => "it was taken with a contrast agent, which looks like blood",
            Self::NotAxial => "its slices are not axial",
            Self::NoSkull => "its slices show too little bone for a skull",
        })
    }
}

/// What is worth knowing about a series that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Caveat {
    /// Some of its files could not be read.
    UnreadableSlices,
    /// Neighbours lie further apart than they should: slices are missing.
    Gap,
    /// Several slices lie in one place: two series under one UID, or copies.
    SamePlace,
    /// It covers less than a brain.
    Part,
    /// A sharp kernel's noise hides blood.
    SharpKernel,
    /// It was asked for, and would have been refused otherwise.
    Refused,
    /// Pictures with a window of their own: what lies outside it is lost.
    WindowedPicture,
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnreadableSlices => "some of its slices could not be read",
            Self::Gap => "slices are missing in its middle",
            Self::SamePlace => {
                "several of its slices lie in one place: two series under one UID, or copies"
            }
            Self::Part => "it covers a part of the brain only",
            Self::SharpKernel => "its kernel is sharp, which hides blood in noise",
            Self::Refused => "it would not have been answered if it had not been asked for",
            Self::WindowedPicture => "its slices are pictures, which hold one window only",
        })
    }
}

/// What is known of a series before it is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesFacts {
    /// Series Instance UID.
    pub series_uid: Option<Arc<str>>,
    /// Its rows in the index.
    pub rows: Range<usize>,
    /// How many of them are usable slices.
    pub slices: usize,
    /// The plane of its slices.
    pub plane: Option<Plane>,
    /// Convolution Kernel.
    pub kernel: Option<String>,
    /// What that name says.
    pub kernel_kind: Option<KernelKind>,
    /// Slice Thickness in mm.
    pub thickness_mm: Option<f64>,
    /// From the first slice to the last along the slice normal, in mm.
    pub extent_mm: Option<f64>,
    /// The first reason to refuse it.
    pub refused: Option<Refused>,
    /// What is worth knowing of it.
    pub caveats: Vec<Caveat>,
}

/// A study, and what its series are good for.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Study Instance UID.
    pub study_uid: Option<Arc<str>>,
    /// Its series in the index's order.
    pub series: Vec<SeriesFacts>,
    /// Which of them answer, by their places in `series`, the best first.
    pub answering: Vec<usize>,
    /// Why these, or none, in a sentence.
    pub choice: String,
}

impl Study {
    /// Its rows in the index.
    pub fn rows(&self) -> Range<usize> {
        let first = self.series.first().map_or(0, |series| series.rows.start);
        let end = self.series.last().map_or(first, |series| series.rows.end);
        first..end
    }

    /// Whether a row of the index is of a series that answers.
    pub fn answers_with(&self, row: usize) -> bool {
        let mut answering = self.answering.iter().filter_map(|&at| self.series.get(at));
        answering.any(|series| series.rows.contains(&row))
    }
}

/// A series that was asked for and is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no series {0} was found; `--series all` answers whatever series there are")]
pub struct NoSuchSeries(pub String);

/// The studies of an index, in its order, with the series that answer: all studies, or those of the series that were asked
/// for. A slice of no known study is a study by itself.
///
/// # Errors
/// [`NoSuchSeries`] where one was asked for that is not there.
pub fn studies(index: &Index, choice: &SeriesChoice) -> Result<Vec<Study>, NoSuchSeries> {
    let rows = &index.rows;
    if let SeriesChoice::These(wanted) = choice {
        let is_there = |uid: &&String| {
            let mut of_rows = rows.iter().filter_map(|row| row.series_uid.as_deref());
            !of_rows.any(|known| known == uid.as_str())
        };
        if let Some(missing) = wanted.iter().find(is_there) {
            return Err(NoSuchSeries(missing.clone()));
        }
    }
    let same_study =
        |a: &IndexRow, b: &IndexRow| a.study_uid.is_some() && a.study_uid == b.study_uid;
    let same_series = |a: &IndexRow, b: &IndexRow| a.series_uid == b.series_uid;
    let mut studies = Vec::new();
    let mut at = 0;
    for of_study in rows.chunk_by(same_study) {
        let mut series = Vec::new();
        for of_series in of_study.chunk_by(same_series) {
            series.push(SeriesFacts::of(of_series, at));
            at += of_series.len();
        }
        let answering = answering(&series, choice);
        let uid = of_study.first().and_then(|row| row.study_uid.clone());
        // A file that is no slice and of no study is told as a file.
        let is_a_file = uid.is_none() && series.iter().all(|series| series.slices == 0);
        let is_asked = !answering.is_empty() || !matches!(choice, SeriesChoice::These(_));
        if is_a_file || !is_asked {
            continue;
        }
        studies.push(Study {
            study_uid: uid,
            choice: words(&series, &answering, choice),
            series,
            answering,
        });
    }
    Ok(studies)
}

/// The places of the series that answer, the best first.
fn answering(series: &[SeriesFacts], choice: &SeriesChoice) -> Vec<usize> {
    let has_slices = |at: &usize| series[*at].slices > 0;
    let mut places: Vec<usize> = (0..series.len()).filter(has_slices).collect();
    let widest = places.iter().filter_map(|&at| series[at].extent_mm);
    let widest = widest.fold(0.0, f64::max);
    places.sort_by_key(|&at| series[at].rank(widest));
    match choice {
        SeriesChoice::All => places,
        SeriesChoice::These(wanted) => {
            let is_wanted = |at: &usize| {
                let uid = series[*at].series_uid.as_deref();
                wanted.iter().any(|wanted| Some(wanted.as_str()) == uid)
            };
            places.retain(is_wanted);
            places
        }
        SeriesChoice::Best => {
            places.retain(|&at| series[at].refused.is_none());
            places.truncate(1);
            places
        }
    }
}

/// Why these series answer, or none.
fn words(series: &[SeriesFacts], answering: &[usize], choice: &SeriesChoice) -> String {
    let Some(best) = answering.first().and_then(|&at| series.get(at)) else {
        let why = |series: &SeriesFacts| Some(series.refused?.to_string());
        let reasons: BTreeSet<String> = series.iter().filter_map(why).collect();
        let reasons: Vec<String> = reasons.into_iter().collect();
        return format!("not answered: {}", reasons.join("; "));
    };
    match choice {
        SeriesChoice::Best if series.len() == 1 => format!("its only series ({})", best.words()),
        SeriesChoice::Best => format!("the best of {} series ({})", series.len(), best.words()),
        _ if answering.len() == 1 => format!("the series that was asked for ({})", best.words()),
        _ => format!("{} series that were asked for", answering.len()),
    }
}

impl SeriesFacts {
    /// Looks at the rows of one series, the first of which is row `first` of the index.
    fn of(rows: &[IndexRow], first: usize) -> Self {
        let usable: Vec<&IndexRow> = rows.iter().filter(|row| row.usable).collect();
        let taken = usable.iter().find_map(|row| row.acquisition.as_deref());
        let kernel = taken.and_then(|taken| taken.kernel.clone());
        let mut facts = Self {
            series_uid: rows.first().and_then(|row| row.series_uid.clone()),
            rows: first..first + rows.len(),
            slices: usable.len(),
            plane: taken.and_then(|taken| taken.plane),
            kernel_kind: kernel.as_deref().and_then(KernelKind::of_name),
            kernel,
            thickness_mm: taken.and_then(|taken| taken.thickness_mm),
            extent_mm: extent_mm(&usable),
            refused: None,
            caveats: Vec::new(),
        };
        facts.refused = facts.refusal(&usable);
        facts.caveats = facts.caveats_of(rows.len(), &usable);
        facts
    }

    fn refusal(&self, usable: &[&IndexRow]) -> Option<Refused> {
        let taken = usable.first().and_then(|row| row.acquisition.as_deref());
        let part = taken.and_then(|taken| taken.body_part.as_deref());
        if usable.is_empty() {
            Some(Refused::NoUsableSlice)
        } else if part.is_some_and(|part| !is_of_the_head(part)) {
            Some(Refused::OtherBodyPart)
        } else if taken.is_some_and(|taken| taken.contrast == Some(true)) {
            Some(Refused::ContrastAgent)
        } else if self.plane.is_some_and(|plane| plane != Plane::Axial) {
            Some(Refused::NotAxial)
        } else if usable.len() >= FEW && !is_of_pictures(usable) && !has_a_skull(usable) {
            Some(Refused::NoSkull)
        } else {
            None
        }
    }

    fn caveats_of(&self, files: usize, usable: &[&IndexRow]) -> Vec<Caveat> {
        let mut caveats = Vec::new();
        let mut add = |is_so: bool, caveat| {
            if is_so {
                caveats.push(caveat);
            }
        };
        add(usable.len() < files, Caveat::UnreadableSlices);
        add(has_gap(usable), Caveat::Gap);
        add(has_same_place(usable), Caveat::SamePlace);
        // A single slice is no attempt at a whole head.
        let is_part = self.extent_mm.is_some_and(|mm| mm < BRAIN_MM);
        add(usable.len() > 1 && is_part, Caveat::Part);
        add(
            self.kernel_kind == Some(KernelKind::Sharp),
            Caveat::SharpKernel,
        );
        add(self.refused.is_some(), Caveat::Refused);
        add(is_of_pictures(usable), Caveat::WindowedPicture);
        caveats
    }

    /// The less the better: whole before part, soft kernels before sharp ones, the usual thickness, many slices, and the
    /// index's order where nothing else tells.
    fn rank(&self, widest_mm: f64) -> (bool, u8, u64, Reverse<usize>, usize) {
        let is_part = self.extent_mm.unwrap_or(0.0) < WHOLE * widest_mm;
        let kernel = match self.kernel_kind {
            Some(KernelKind::Soft) => 0,
            None => 1,
            Some(KernelKind::Sharp) => 2,
        };
        let off = self.thickness_mm.map(|mm| (mm - USUAL_THICKNESS_MM).abs());
        // In micrometres, which compare exactly.
        let off = off.map_or(u64::MAX, |mm| (mm * 1000.0).round() as u64);
        (is_part, kernel, off, Reverse(self.slices), self.rows.start)
    }

    /// What a reader wants to know of it, in a few words.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.plane.map(|plane| plane.name().to_owned()));
        words.extend(self.kernel.as_deref().map(|kernel| match self.kernel_kind {
            Some(kind) => format!("{} kernel {kernel}", kind.name()),
            None => format!("kernel {kernel}"),
        }));
        words.extend(self.thickness_mm.map(|mm| format!("{mm} mm")));
        let slices = if self.slices == 1 { "slice" } else { "slices" };
        words.push(format!("{} {slices}", self.slices));
        words.join(", ")
    }
}

/// Whether Body Part Examined names the head, or nothing in particular.
///
/// # Source
/// The defined terms of DICOM PS3.16, Annex L.
fn is_of_the_head(part: &str) -> bool {
    let part = part.trim().to_ascii_uppercase();
    let of_the_head = ["HEAD", "BRAIN", "SKULL", "CEREB", "CRANI", "NEURO"];
    let says_nothing = ["", "UNKNOWN", "OTHER", "NONE"];
    of_the_head.iter().any(|word| part.contains(word)) || says_nothing.contains(&part.as_str())
}

/// Whether the slices together show as much bone as a skull has; slices of which that is not known count for none.
fn has_a_skull(usable: &[&IndexRow]) -> bool {
    let (mut bone, mut soft) = (0.0, 0.0);
    for row in usable {
        let Some(measured) = row.bone_fraction.zip(row.brain_fraction) else {
            return true;
        };
        bone += measured.0;
        soft += measured.1;
    }
    bone >= LEAST_BONE * soft
}

/// Whether slices come from pictures, which hold no bone: one window cuts it off.
fn is_of_pictures(usable: &[&IndexRow]) -> bool {
    let is_picture = |row: &&IndexRow| row.defects.iter().any(|d| d == WINDOWED_PICTURE);
    usable.iter().any(is_picture)
}

fn extent_mm(usable: &[&IndexRow]) -> Option<f64> {
    let mut range: Option<(f64, f64)> = None;
    for z in usable.iter().map(|row| row.z_mm) {
        let z = z?.0;
        let (low, high) = range.unwrap_or((z, z));
        range = Some((low.min(z), high.max(z)));
    }
    range.map(|(low, high)| high - low)
}

/// From each slice to the next: how far it is, and that slice.
///
/// # Units
/// mm
fn steps<'a>(usable: &'a [&IndexRow]) -> impl Iterator<Item = (f64, &'a IndexRow)> {
    usable.windows(2).filter_map(|pair| {
        let [a, b] = pair else { return None };
        let (from, to) = a.z_mm.zip(b.z_mm)?;
        Some(((to.0 - from.0).abs(), *b))
    })
}

fn has_gap(usable: &[&IndexRow]) -> bool {
    steps(usable).any(|(mm, next)| next.spacing_mm.is_some_and(|usual| mm > GAP * usual.0))
}

fn has_same_place(usable: &[&IndexRow]) -> bool {
    steps(usable).any(|(mm, _)| mm < ONE_PLACE_MM)
}

#[cfg(test)]
mod tests;
