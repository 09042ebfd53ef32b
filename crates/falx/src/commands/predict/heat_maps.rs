//! Heat maps of the slices that speak most for a finding, as pictures beside a study's report.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::path::Path;

use anyhow::Context as _;
use falx_core::{ImageId, Label};
use falx_data::index::{Index, IndexRow};
use falx_evidence::{
    Finding, HeatMap, KeyPicture, MapFrame, MapQuantity, Presence, RgbPicture, SourceSlice,
};
use falx_explain::{ExplainOptions, MapOptions, Method, explain};
use falx_infer::{Detector, SliceAnswer, StudyAnswer};

use crate::commands::Context;

/// The folder of pages and pictures beside a study's objects.
const FOLDER: &str = "heat-maps";
/// A finding that is neither called present nor absent has maps from this probability on.
const LIKELY: f64 = 0.5;

/// Draws heat maps of answered studies.
pub(super) struct Drawing<'a> {
    detector: &'a Detector,
    index: &'a Index,
    context: &'a Context,
    studies: HashMap<&'a str, Range<usize>>,
}

impl<'a> Drawing<'a> {
    /// What is needed to draw the studies of an index.
    pub fn new(detector: &'a Detector, index: &'a Index, context: &'a Context) -> Self {
        let mut studies = HashMap::new();
        let mut first = 0;
        for rows in index.rows.chunk_by(|a, b| a.study_uid == b.study_uid) {
            let study = rows.first().and_then(|row| row.study_uid.as_deref());
            studies.extend(study.map(|study| (study, first..first + rows.len())));
            first += rows.len();
        }
        Self {
            detector,
            index,
            context,
            studies,
        }
    }

    /// The maps of a study's findings, as pictures and as numbers; the pages that belong to them lie in the folder's
    /// `heat-maps`.
    pub fn maps(
        &self,
        study: &StudyAnswer,
        slices: &[&SliceAnswer],
        sources: &[SourceSlice],
        findings: &[Finding],
        folder: &Path,
    ) -> anyhow::Result<(Vec<KeyPicture>, Vec<HeatMap>)> {
        let mut wanted: BTreeSet<(usize, Label)> = BTreeSet::new();
        for finding in findings.iter().filter(|finding| has_maps(finding)) {
            wanted.extend(
                finding
                    .key_slices
                    .iter()
                    .map(|&slice| (slice, finding.label)),
            );
        }
        if wanted.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let id_of = |slice: usize| slices.get(slice).map(|slice| slice.image_id.as_str());
        let ids = wanted
            .iter()
            .filter_map(|(slice, _)| id_of(*slice))
            .map(ImageId::from);
        let labels: BTreeSet<Label> = wanted.iter().map(|(_, label)| *label).collect();
        let predict = self.detector.options().clone();
        let options = ExplainOptions {
            maps: MapOptions {
                runtime: predict.runtime,
                threads: predict.threads,
                ..MapOptions::default()
            },
            labels: labels.into_iter().collect(),
            at_least: 0.0,
            slices: Some(ids.collect()),
            keep_values: true,
            predict,
            ..ExplainOptions::default()
        };
        let out = folder.join(FOLDER);
        let rows = self.rows(study);
        let index = Index {
            summary: self.index.summary.clone(),
            study_labels: Vec::new(),
            rows,
        };
        let (progress, interrupt) = (self.context.progress.as_ref(), &self.context.interrupt);
        let bundle = self.detector.bundle();
        let mut explained = explain(bundle, &index, &out, &options, progress, interrupt)?;
        let mut pictures = Vec::new();
        let mut frames: BTreeMap<Label, Vec<MapFrame>> = BTreeMap::new();
        for (slice, label) in wanted {
            let id = id_of(slice);
            let drawn = explained.series.iter_mut().find_map(|series| {
                let mut of_series = series.slices.iter_mut();
                let drawn = of_series.find(|drawn| Some(drawn.image_id.as_str()) == id)?;
                let map = drawn.maps.iter_mut().find(|map| map.label == label)?;
                let file = series.page.with_file_name(&map.file);
                Some((file, std::mem::take(&mut map.values)))
            });
            let Some((file, values)) = drawn else {
                continue;
            };
            let of_label = frames.entry(label).or_default();
            of_label.push(MapFrame { slice, values });
            pictures.push(KeyPicture {
                slice,
                label,
                description: format!(
                    "Left: the slice. Right: where the network looked, by {}; no outline of a haemorrhage",
                    explained.method
                ),
                picture: rgb(&out.join(file))?,
            });
        }
        let quantity = quantity(options.maps.method);
        let maps = frames
            .into_iter()
            .flat_map(|(label, frames)| HeatMap::of_frames(label, quantity, frames, sources));
        Ok((pictures, maps.collect()))
    }

    /// The rows of the series that answer.
    fn rows(&self, study: &StudyAnswer) -> Vec<IndexRow> {
        let range = study
            .study_uid
            .as_deref()
            .and_then(|uid| self.studies.get(uid));
        let rows = range.and_then(|range| self.index.rows.get(range.clone()));
        let answered: BTreeSet<Option<&str>> = study
            .series
            .iter()
            .filter(|series| !series.slices.is_empty())
            .map(|series| series.series_uid.as_deref())
            .collect();
        let is_of = |row: &&IndexRow| answered.contains(&row.series_uid.as_deref());
        rows.unwrap_or_default()
            .iter()
            .filter(is_of)
            .cloned()
            .collect()
    }
}

/// What a method's numbers are.
const fn quantity(method: Method) -> MapQuantity {
    match method {
        Method::Cam => MapQuantity::ClassActivation,
        Method::GradCam | Method::GradCamPlusPlus | Method::LayerCam => {
            MapQuantity::GradientWeighted
        }
        Method::IntegratedGradients | Method::Xrai | Method::Occlusion => MapQuantity::Saliency,
    }
}

/// Whether a finding is worth a look.
fn has_maps(finding: &Finding) -> bool {
    match finding.presence {
        Some(Presence::Present) => true,
        Some(Presence::Undetermined) | None => finding.probability.get() >= LIKELY,
        Some(Presence::Absent) => false,
    }
}

/// A picture that was just written.
fn rgb(path: &Path) -> anyhow::Result<RgbPicture> {
    let cannot_read = || format!("cannot read {}, which was written just now", path.display());
    let file = File::open(path).with_context(cannot_read)?;
    let mut reader = png::Decoder::new(BufReader::new(file))
        .read_info()
        .with_context(cannot_read)?;
    let mut pixels = vec![0; reader.output_buffer_size().unwrap_or_default()];
    let frame = reader.next_frame(&mut pixels).with_context(cannot_read)?;
    anyhow::ensure!(
        frame.color_type == png::ColorType::Rgb && frame.bit_depth == png::BitDepth::Eight,
        "{} is no picture in colours of 8 bits",
        path.display()
    );
    pixels.truncate(frame.buffer_size());
    Ok(RgbPicture {
        rows: frame.height as usize,
        cols: frame.width as usize,
        pixels,
    })
}
