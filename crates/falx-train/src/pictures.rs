//! Example slices for the report: where the model was surest, right and wrong.

use std::collections::HashMap;

use falx_core::{ImageId, LABELS, Label, SEED_WINDOWS};
use falx_data::index::{Index, IndexRow};
use falx_data::input::InputSpec;
use falx_data::source::SliceReader;
use falx_dicom::CtSlice;
use falx_dicom::inspect::grey_png;
use falx_eval::Case;
use falx_eval::report::Picture;

/// The side of a picture in pixels.
const SIDE: usize = 224;
/// Pictures in a group.
const EACH: usize = 4;

/// Pictures in four groups: found, missed, false alarms, rightly passed.
///
/// A slice that can no longer be read has no picture; its score stands all the same.
pub(crate) fn examples(cases: &[Case], index: &Index) -> Vec<Picture> {
    let rows: HashMap<&ImageId, &IndexRow> =
        index.rows.iter().map(|row| (&row.image_id, row)).collect();
    let any = Label::Any;
    let of = |truth: bool, descending: bool| {
        let mut chosen: Vec<&Case> = cases
            .iter()
            .filter(|case| case.truth.get(any) == Some(truth))
            .collect();
        chosen.sort_by(|a, b| {
            let order = a.prediction[any.index()]
                .get()
                .total_cmp(&b.prediction[any.index()].get())
                .then_with(|| a.image_id.cmp(&b.image_id));
            if descending { order.reverse() } else { order }
        });
        one_a_patient(chosen)
    };
    let groups = [
        ("Haemorrhage the model was surest of", of(true, true)),
        ("Haemorrhage it came nearest to missing", of(true, false)),
        (
            "No haemorrhage, yet the highest predictions",
            of(false, true),
        ),
        ("No haemorrhage, lowest predictions", of(false, false)),
    ];
    groups
        .into_iter()
        .flat_map(|(group, cases)| {
            cases
                .into_iter()
                .filter_map(|case| picture(case, rows.get(&case.image_id)?, group))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Neighbouring slices look alike: the first of each patient says more.
fn one_a_patient(cases: Vec<&Case>) -> Vec<&Case> {
    let mut seen = std::collections::HashSet::new();
    cases
        .into_iter()
        .filter(|case| seen.insert(&case.patient))
        .take(EACH)
        .collect()
}

fn picture(case: &Case, row: &IndexRow, group: &str) -> Option<Picture> {
    let slice = SliceReader::new().read(row.place()).ok()?;
    let png = brain_window_png(&slice)?;
    Some(Picture {
        png,
        caption: caption(case),
        group: group.to_owned(),
    })
}

/// The slice in the brain window as an 8-bit grey PNG.
fn brain_window_png(slice: &CtSlice) -> Option<Vec<u8>> {
    let view = InputSpec {
        size: SIDE,
        windows: SEED_WINDOWS[..1].to_vec(),
        ..InputSpec::default()
    };
    let mut pixels = vec![0.0; view.len()];
    view.render(slice, None, &mut pixels);
    let grey: Vec<u8> = pixels.iter().map(|p| (p * 255.0 + 0.5) as u8).collect();
    grey_png(&grey, SIDE, SIDE).ok()
}

fn caption(case: &Case) -> String {
    let present: Vec<&str> = LABELS
        .into_iter()
        .filter(|&label| label != Label::Any && case.truth.get(label) == Some(true))
        .map(Label::name)
        .collect();
    let truth = if present.is_empty() {
        "no haemorrhage".to_owned()
    } else {
        present.join(", ")
    };
    let p = case.prediction[Label::Any.index()].get();
    format!("truth: {truth}; predicted any: {:.1} %", 100.0 * p)
}
