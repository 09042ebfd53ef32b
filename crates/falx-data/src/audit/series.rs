//! What is odd about whole series: a body part that is not the head, a tilted gantry.

use super::Severity::{Note, Warning};
use super::findings::{Findings, Kind};
use super::survey::Survey;

/// A series of fewer slices is not judged: the vertex has no bone to speak of, the base hardly any brain.
const FEWEST_SLICES: usize = 5;

/// What the medians of a head's series keep to, as shares of the picture's pixels.
///
/// Measured medians of whole head series: bone 0.029 to 0.103, brain 0.132 to 0.325, bone by brain 0.18 to 0.50
/// (4 clinical and 40 phantom series at pictures of 200 to 250 mm). A head in a picture of 500 mm has a quarter of
/// each share, and still keeps to these.
mod head {
    /// Less bone than this is no skull.
    pub(super) const LEAST_BONE: f32 = 0.007;
    /// More bone than this is no head.
    pub(super) const MOST_BONE: f32 = 0.30;
    /// Less brain than this is no brain.
    pub(super) const LEAST_BRAIN: f32 = 0.03;
    /// Trunks have much soft tissue beside little bone.
    pub(super) const LEAST_BONE_BY_BRAIN: f32 = 0.06;
}

/// Series that probably show no head.
pub(super) fn body_part(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    let mut suspects = Vec::new();
    for rows in survey.series() {
        let of = |share: fn(&crate::index::IndexRow) -> Option<f32>| {
            median(
                rows.iter()
                    .filter_map(|&at| share(survey.row(at)?))
                    .collect(),
            )
        };
        let (bone, brain) = (of(|row| row.bone_fraction), of(|row| row.brain_fraction));
        if let (Some(bone), Some(brain)) = (bone, brain)
            && !is_head(bone, brain)
        {
            suspects.push((bone, brain, rows));
        }
    }
    let (Some(first), least, most) = (
        suspects.first(),
        suspects.iter().map(|s| s.0.min(s.1)).fold(1.0, f32::min),
        suspects.iter().map(|s| s.0.max(s.1)).fold(0.0, f32::max),
    ) else {
        return;
    };
    let shares = if suspects.len() == 1 {
        format!(
            "bone {:.1} %, brain {:.1} %",
            100.0 * first.0,
            100.0 * first.1
        )
    } else {
        format!(
            "medians of bone and brain from {:.1} to {:.1} %",
            100.0 * least,
            100.0 * most
        )
    };
    let what = format!(
        "The series probably shows no head: the shares of bone and brain in its pictures are not a head's ({shares})."
    );
    let kind = Kind {
        name: "series.not_a_head",
        severity: Warning,
        what: &what,
        remedy: "look at these series, and leave them out if they show another part of the body",
    };
    for (_, _, rows) in suspects {
        // From the middle outwards: the middle slice shows best what it is.
        let (below, above) = rows.split_at(rows.len() / 2);
        for &at in above.iter().chain(below) {
            findings.add(&kind, at);
        }
    }
}

fn is_head(bone: f32, brain: f32) -> bool {
    (head::LEAST_BONE..=head::MOST_BONE).contains(&bone)
        && brain >= head::LEAST_BRAIN
        && bone >= head::LEAST_BONE_BY_BRAIN * brain
}

/// The middle of at least [`FEWEST_SLICES`] values.
fn median(mut values: Vec<f32>) -> Option<f32> {
    if values.len() < FEWEST_SLICES {
        return None;
    }
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Tilted series.
pub(super) fn tilt(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    let kind = Kind {
        name: "series.gantry_tilt",
        severity: Note,
        what: "The gantry was tilted: slices are shifted against each other.",
        remedy: "nothing for single slices; volumes must be sheared back",
    };
    for rows in survey.units() {
        let (below, above) = rows.split_at(rows.len() / 2);
        for &at in above.iter().chain(below) {
            let tilt = survey.row(at).and_then(|row| row.tilt_deg);
            if tilt.is_some_and(|tilt| tilt > falx_dicom::series::TILT_TOLERANCE_DEG) {
                findings.add(&kind, at);
            }
        }
    }
}
