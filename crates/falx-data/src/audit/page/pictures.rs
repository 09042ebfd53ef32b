//! Pictures of slices that findings concern.

use std::collections::BTreeMap;

use falx_core::{LABELS, Label, SEED_WINDOWS};
use falx_dicom::inspect::grey_png;
use falx_eval::report::png_data_uri;
use rayon::prelude::*;

use super::super::{Audit, Finding};
use crate::index::{Index, IndexRow};
use crate::input::InputSpec;
use crate::source::SliceReader;

/// The side of a picture in pixels.
const SIDE: usize = 160;

/// A slice on the page.
pub(super) struct Card {
    pub(super) image_id: String,
    /// What is known of it besides.
    pub(super) label: String,
    /// The picture as a `data:` address, or why there is none.
    pub(super) png: Result<String, String>,
}

/// The cards of every finding, in the findings' order.
pub(super) fn of(audit: &Audit, index: &Index) -> Vec<Vec<Card>> {
    let mut places: Vec<usize> = audit
        .findings
        .iter()
        .flat_map(|finding| shown(finding).iter().copied())
        .collect();
    places.sort_unstable();
    places.dedup();
    // A slice of several findings is read once.
    let drawn: BTreeMap<usize, Result<String, String>> = places
        .into_par_iter()
        .map_init(SliceReader::new, |reader, at| {
            let row = index.rows.get(at);
            (
                at,
                row.map_or_else(|| Err(GONE.to_owned()), |row| draw(row, reader)),
            )
        })
        .collect();
    let card = |at: &usize| {
        let row = index.rows.get(*at)?;
        Some(Card {
            image_id: row.image_id.0.clone(),
            label: label(row),
            png: drawn.get(at)?.clone(),
        })
    };
    audit
        .findings
        .iter()
        .map(|finding| shown(finding).iter().filter_map(card).collect())
        .collect()
}

const GONE: &str = "The file cannot be opened any more.";

/// The slices to show: none where the finding is about nothing that can be seen.
fn shown(finding: &Finding) -> &[usize] {
    const UNSEEN: [&str; 4] = [
        "patient.unknown",
        "scanner.several_voltages",
        "labels.incomplete",
        "defect.meta_group_length_wrong",
    ];
    if UNSEEN.contains(&finding.name.as_str()) {
        return &[];
    }
    &finding.cases
}

/// The slice in the brain window.
fn draw(row: &IndexRow, reader: &mut SliceReader) -> Result<String, String> {
    if !row.usable {
        let reason = row.defects.first().map_or("unusable", String::as_str);
        return Err(format!("refused: {}", reason.replace('_', " ")));
    }
    let view = InputSpec {
        size: SIDE,
        windows: SEED_WINDOWS[..1].to_vec(),
        ..InputSpec::default()
    };
    let slice = reader.read(row.place()).map_err(|_| GONE.to_owned())?;
    let mut pixels = vec![0.0; view.len()];
    view.render(&slice, None, &mut pixels);
    let grey: Vec<u8> = pixels.iter().map(|p| (p * 255.0 + 0.5) as u8).collect();
    let png = grey_png(&grey, SIDE, SIDE).map_err(|_| "The slice cannot be drawn.".to_owned())?;
    Ok(png_data_uri(&png))
}

/// The labels and the geometry of a slice in a few words.
fn label(row: &IndexRow) -> String {
    if !row.usable {
        return row.dataset.to_string();
    }
    let mut words = Vec::new();
    let present: Vec<&str> = LABELS
        .into_iter()
        .filter(|&label| label != Label::Any && row.labels.get(label) == Some(true))
        .map(Label::name)
        .collect();
    words.push(match (row.labels.get(Label::Any), present.is_empty()) {
        (Some(false), true) => "no haemorrhage".to_owned(),
        (Some(true), true) => "any".to_owned(),
        (None, true) => "no label".to_owned(),
        (_, false) => present.join(", "),
    });
    if let Some(z) = row.z_mm {
        words.push(format!("z\u{a0}{:.1}\u{a0}mm", z.0).replace('-', "−"));
    }
    words.join("; ")
}
