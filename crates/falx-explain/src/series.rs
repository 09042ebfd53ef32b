//! The slices of a series as a page and a montage show them, with the maps of those that are called.

use std::collections::BTreeMap;
use std::path::Path;

use falx_core::{Interrupt, Label, Prediction, Progress, SEED_WINDOWS, Window};
use falx_data::source::SliceReader;
use falx_dicom::inspect::grey_png;
use rayon::prelude::*;

use crate::batches::{Loading, Pictures, each, slice_at};
use crate::draw::{Caption, SliceView, Tile, heat_layer, overlay};
use crate::explain::{ExplainedMap, Wanted};
use crate::explainer::Explainer;
use crate::judge::THRESHOLD;
use crate::region::pixel_mm;
use crate::{ExplainError, HeatMap, peak};

/// The side of a picture with its map, in pixels.
const OVERLAY: usize = 512;
/// The side of a page's pictures, and of the maps on them.
const PAGE: usize = 384;
const LAYER: usize = 192;
/// The side of a montage's tile.
const TILE: usize = 152;
/// The windows of a page: brain, and the wider one for what lies along bone.
pub(crate) const WINDOWS: [(&str, Window); 2] =
    [("brain", SEED_WINDOWS[0]), ("subdural", SEED_WINDOWS[1])];

/// A series' slices, from the feet upwards.
pub(crate) struct Series<'a> {
    /// Their places among the samples.
    pub places: &'a [u32],
    /// Of each its answer and the labels whose map is wanted.
    pub wanted: &'a BTreeMap<u32, Wanted<'a>>,
    /// The folder for pictures, and what their names begin with.
    pub folder: &'a Path,
    /// What the names of its pictures begin with.
    pub prefix: String,
    /// Whether each map's numbers are kept.
    pub keep_values: bool,
}

/// A slice as it is shown.
pub(crate) struct Shown {
    /// Its place among the samples.
    pub place: u32,
    /// Its picture in each of [`WINDOWS`], as PNG files.
    pub windows: Vec<Vec<u8>>,
    /// Its maps by label, transparent, as PNG files.
    pub layers: Vec<(Label, Vec<u8>)>,
    /// The marks of the patient's sides on its left and right, where they are known.
    pub sides: Option<[&'static str; 2]>,
    /// How many mm of the patient its picture's width is, where the file says so.
    pub width_mm: Option<f64>,
    pub tile: Tile,
    pub maps: Vec<ExplainedMap>,
}

/// Draws every slice of a series, and writes a picture for each map.
pub(crate) fn show(
    series: &Series<'_>,
    explainer: &mut Explainer,
    loading: Loading<'_>,
    (progress, interrupt): (&dyn Progress, &Interrupt),
) -> Result<Vec<Shown>, ExplainError> {
    let is_wanted = |place: &u32| {
        let wanted = series.wanted.get(place);
        wanted.is_some_and(|wanted| !wanted.labels.is_empty())
    };
    let (with_maps, others): (Vec<u32>, Vec<u32>) =
        series.places.iter().partition(|p| is_wanted(p));
    let mut shown = Vec::with_capacity(series.places.len());
    if !with_maps.is_empty() {
        each(loading, with_maps, (progress, interrupt), |pictures| {
            shown.extend(of_batch(series, pictures, explainer, loading)?);
            Ok(())
        })?;
    }
    let about = about(explainer);
    let rest: Result<Vec<Option<Shown>>, ExplainError> = others
        .par_iter()
        .map_init(SliceReader::new, |reader, &place| {
            if interrupt.is_requested() {
                return Err(ExplainError::Interrupted);
            }
            progress.advance(1);
            one(series, place, &[], &about, loading, reader)
        })
        .collect();
    shown.extend(rest?.into_iter().flatten());
    shown.sort_by_key(|slice| slice.place);
    Ok(shown)
}

fn of_batch(
    series: &Series<'_>,
    pictures: &Pictures<'_>,
    explainer: &mut Explainer,
    loading: Loading<'_>,
) -> Result<Vec<Shown>, ExplainError> {
    let labels = |place: &u32| {
        let wanted = series.wanted.get(place);
        wanted
            .map(|wanted| wanted.labels.clone())
            .unwrap_or_default()
    };
    let labels: Vec<Vec<Label>> = pictures.places.iter().map(labels).collect();
    let maps = explainer.maps(pictures.images, pictures.shape, &labels)?;
    let about = about(explainer);
    let drawn: Result<Vec<Option<Shown>>, ExplainError> = pictures
        .places
        .par_iter()
        .zip(&maps)
        .map_init(SliceReader::new, |reader, (&place, maps)| {
            one(series, place, maps, &about, loading, reader)
        })
        .collect();
    Ok(drawn?.into_iter().flatten().collect())
}

/// The method in the words of a caption.
fn about(explainer: &Explainer) -> String {
    let method = explainer.method().title();
    match explainer.layer() {
        Some(layer) => format!("{method} at {layer}"),
        None => method.to_owned(),
    }
}

/// Draws a slice with its maps; `None` where it can no longer be read.
fn one(
    series: &Series<'_>,
    place: u32,
    maps: &[HeatMap],
    about: &str,
    loading: Loading<'_>,
    reader: &mut SliceReader,
) -> Result<Option<Shown>, ExplainError> {
    let read = slice_at(loading.samples, loading.input, place as usize, reader)?;
    let (Some((slice, grid)), Some(wanted)) = (read, series.wanted.get(&place)) else {
        return Ok(None);
    };
    let number = wanted.number;
    let draw_error = |name: &str| {
        let path = series.folder.join(name);
        move |source| ExplainError::Draw { path, source }
    };
    let page = SliceView::new(&slice, PAGE);
    let mut windows = Vec::with_capacity(WINDOWS.len());
    for (name, window) in WINDOWS {
        let png = grey_png(&page.grey(window), PAGE, PAGE).map_err(draw_error(name))?;
        windows.push(png);
    }
    let (mut layers, mut explained) = (Vec::new(), Vec::new());
    let (small, large) = (
        SliceView::new(&slice, LAYER),
        SliceView::new(&slice, OVERLAY),
    );
    let tile_view = SliceView::new(&slice, TILE);
    let mut tile_heat = Vec::new();
    let mut strongest = 0.0;
    for (map, &label) in maps.iter().zip(&wanted.labels) {
        let p = probability(wanted.prediction, label);
        let layer = heat_layer(&small.heat(map, &grid), LAYER).map_err(draw_error("layer"))?;
        layers.push((label, layer.png));
        if label == Label::Any && strongest == 0.0 || label != Label::Any && p > strongest {
            tile_heat = tile_view.heat(map, &grid);
            strongest = if label == Label::Any { 0.0 } else { p };
        }
        let name = format!("{}-{number:03}-{label}.png", series.prefix);
        let (window_name, window) = window_of(label);
        let caption = Caption {
            first: format!("slice {number}  {label} {p:.3}{}", blank_words(map)),
            second: format!("{about}  {window_name} window  research use"),
        };
        overlay(&large, window, &large.heat(map, &grid), &caption)
            .save(&series.folder.join(&name))?;
        let mut drawn = of_map(label, name, map, &slice, &grid);
        if !series.keep_values {
            drawn.values = Vec::new();
        }
        explained.push(drawn);
    }
    let best = wanted
        .prediction
        .map(|p| p.probabilities[Label::Any.index()].get());
    Ok(Some(Shown {
        place,
        windows,
        layers,
        sides: page.left().map(|left| match left {
            crate::draw::Side::Right => ["R", "L"],
            crate::draw::Side::Left => ["L", "R"],
        }),
        width_mm: page.pixels(1.0).map(|per_mm| PAGE as f64 / per_mm),
        tile: Tile {
            view: tile_view,
            window: SEED_WINDOWS[0],
            heat: tile_heat,
            words: match best {
                Some(p) => format!("{number}  any {p:.2}"),
                None => number.to_string(),
            },
            called: !wanted.labels.is_empty(),
        },
        maps: explained,
    }))
}

fn blank_words(map: &HeatMap) -> &'static str {
    if map.is_blank() {
        "  (no place speaks for it)"
    } else {
        ""
    }
}

pub(crate) fn probability(prediction: Option<&Prediction>, label: Label) -> f64 {
    prediction.map_or(f64::NAN, |p| p.probabilities[label.index()].get())
}

/// The window that shows a label best.
fn window_of(label: Label) -> (&'static str, Window) {
    match label {
        Label::Subdural => WINDOWS[1],
        _ => WINDOWS[0],
    }
}

/// Where a map says "here", in the slice's pixels.
fn of_map(
    label: Label,
    file: String,
    map: &HeatMap,
    slice: &falx_dicom::CtSlice,
    grid: &falx_dicom::picture::PictureGrid,
) -> ExplainedMap {
    let cols = slice.header.cols;
    let values = map.on_slice(grid, [slice.header.rows, cols]);
    let peak = peak(&values);
    let most = peak.and_then(|at| values.get(at)).copied();
    let above = most.map_or(0, |most| {
        let here = values.iter().filter(|value| **value >= THRESHOLD * most);
        here.count()
    });
    let [down, across] = pixel_mm(slice);
    ExplainedMap {
        label,
        file,
        peak: peak.map(|at| [at / cols.max(1), at % cols.max(1)]),
        area_mm2: above as f64 * down * across,
        values,
    }
}
