//! Heat maps of studies: pictures, montages, pages, and what they say as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use falx_core::{ImageId, Interrupt, LABELS, Label, Prediction, Progress, RESEARCH_USE};
use falx_data::index::Index;
use falx_infer::{Bundle, PredictOptions, Unreadable, predict, samples};
use serde::Serialize;

use crate::batches::Loading;
use crate::draw::{Tile, montage};
use crate::explainer::{Explainer, MapOptions};
use crate::files::{make_folder, save};
use crate::series::{Series, Shown, probability, show};
use crate::{ExplainError, study};

/// What is explained, and how.
#[derive(Clone, Debug)]
pub struct ExplainOptions {
    /// How maps are made.
    pub maps: MapOptions,
    /// The labels that get a map.
    pub labels: Vec<Label>,
    /// A label gets a map on slices where its probability is at least this.
    pub at_least: f64,
    /// The slices that may have a map; left out = all.
    pub slices: Option<BTreeSet<ImageId>>,
    /// Keep each map's numbers: a megabyte a map of 512 x 512.
    pub keep_values: bool,
    /// Slices in a batch; the result does not depend on it.
    pub batch: usize,
    /// The most memory that batches may take, in MiB.
    pub memory_mib: usize,
    /// What runs the network for its predictions.
    pub predict: PredictOptions,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        Self {
            maps: MapOptions::default(),
            labels: LABELS.to_vec(),
            at_least: 0.5,
            slices: None,
            keep_values: false,
            batch: 8,
            memory_mib: 256,
            predict: PredictOptions::default(),
        }
    }
}

/// What was explained. Files are named from the output folder on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The page that leads to all studies.
    pub page: PathBuf,
    /// The model's networks.
    pub network: String,
    /// Networks whose maps were averaged.
    pub members: usize,
    /// The method.
    pub method: &'static str,
    /// The layer that it looked at, where it looks at one.
    pub layer: Option<String>,
    /// A label got a map on slices where its probability was at least this.
    pub at_least: f64,
    /// Whether the answers also rest on a network over series, which the maps do not explain.
    pub has_network_over_series: bool,
    /// Slices that were predicted.
    pub slices: usize,
    /// Maps that were drawn.
    pub maps: usize,
    /// Series by series.
    pub series: Vec<ExplainedSeries>,
    /// Files that are no slices.
    pub unreadable: Vec<Unreadable>,
}

/// A series with its maps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedSeries {
    /// Study Instance UID.
    pub study_uid: Option<String>,
    /// Series Instance UID.
    pub series_uid: Option<String>,
    /// The study's page.
    pub page: PathBuf,
    /// All slices at a glance.
    pub montage: PathBuf,
    /// The slices, from the feet upwards.
    pub slices: Vec<ExplainedSlice>,
}

/// A slice with its maps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedSlice {
    /// The slice.
    pub image_id: ImageId,
    /// Its number in the series from the feet upwards, from 1.
    pub number: usize,
    /// The six probabilities, in the labels' order.
    pub probabilities: Option<[f64; 6]>,
    /// Its maps.
    pub maps: Vec<ExplainedMap>,
}

/// A map that was drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedMap {
    /// The label.
    pub label: Label,
    /// The picture.
    pub file: String,
    /// Row and column of the largest value on the slice, from 0; none where no place speaks for the label.
    pub peak: Option<[usize; 2]>,
    /// The area of what is at least half of the largest value, in mm².
    pub area_mm2: f64,
    /// The map's numbers, from 0 to 1, for each pixel of the slice, where they were asked for; not in `explain.json`.
    #[serde(skip)]
    pub values: Vec<f32>,
}

/// A slice's answer, and the labels whose map is wanted.
pub(crate) struct Wanted<'a> {
    pub number: usize,
    pub prediction: Option<&'a Prediction>,
    pub labels: Vec<Label>,
}

/// Predicts the slices of an index, and draws the heat maps of those that are called into `out`.
///
/// # Errors
/// [`ExplainError`]: the networks cannot be explained, a file cannot be written, or somebody asked to stop.
pub fn explain(
    bundle: &Bundle,
    index: &Index,
    out: &Path,
    options: &ExplainOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Explained, ExplainError> {
    let mut explainer = Explainer::load(bundle, &options.maps)?;
    make_folder(out)?;
    let (samples, mut unreadable) = samples(index)?;
    let all = samples.all();
    let predicted = predict(bundle, &samples, all, &options.predict, progress, interrupt)?;
    unreadable.extend(predicted.unreadable);
    let answers: BTreeMap<&str, &Prediction> = predicted
        .predictions
        .iter()
        .map(|prediction| (prediction.image_id.as_str(), prediction))
        .collect();
    let loading = Loading {
        samples: &samples,
        input: &bundle.manifest().input,
        batch: options.batch,
        threads: options.predict.threads,
        memory_mib: options.memory_mib,
    };
    let mut explained = Explained {
        page: PathBuf::from("index.html"),
        network: bundle.manifest().network.clone(),
        members: bundle.networks().len(),
        method: explainer.method().name(),
        layer: explainer.layer().map(str::to_owned),
        at_least: options.at_least,
        has_network_over_series: bundle.networks().iter().any(|n| n.sequence.is_some()),
        slices: predicted.predictions.len(),
        maps: 0,
        series: Vec::new(),
        unreadable,
    };
    progress.begin("explain", Some(samples.len() as u64));
    let studies = groups(&samples.studies()?);
    let series_of = samples.series()?;
    for (number, places) in studies.iter().enumerate() {
        let folder = PathBuf::from(format!("study-{:03}", number + 1));
        make_folder(&out.join(&folder))?;
        let mut of_study = Vec::new();
        let first = places.first().map_or(0, |place| *place as usize);
        let in_study = series_of.get(first..first + places.len());
        for (at, of_series) in groups(in_study.unwrap_or_default()).iter().enumerate() {
            let of_series: Vec<u32> = of_series.iter().map(|p| p + first as u32).collect();
            let mut wanted = BTreeMap::new();
            for (slice, &place) in of_series.iter().enumerate() {
                let id = samples.get(place as usize)?.image_id;
                let prediction = answers.get(id.as_str()).copied();
                let may = options.slices.as_ref().is_none_or(|s| s.contains(&id));
                let calls =
                    |label: &Label| may && probability(prediction, *label) >= options.at_least;
                let labels = options.labels.iter().copied().filter(calls).collect();
                wanted.insert(
                    place,
                    Wanted {
                        number: slice + 1,
                        prediction,
                        labels,
                    },
                );
            }
            let series = Series {
                places: &of_series,
                wanted: &wanted,
                folder: &out.join(&folder),
                prefix: format!("series-{}", at + 1),
                keep_values: options.keep_values,
            };
            let shown = show(&series, &mut explainer, loading, (progress, interrupt))?;
            let row = samples.row(of_series.first().map_or(0, |place| *place as usize))?;
            let row = index.rows.get(row as usize);
            let drawn = ExplainedSeries {
                study_uid: row.and_then(|row| row.study_uid.as_deref().map(str::to_owned)),
                series_uid: row.and_then(|row| row.series_uid.as_deref().map(str::to_owned)),
                page: folder.join("study.html"),
                montage: folder.join(format!("series-{}-montage.png", at + 1)),
                slices: of_shown(&shown, &wanted, &samples)?,
            };
            write_montage(&drawn, &shown, &explained, &out.join(&drawn.montage))?;
            of_study.push((drawn, shown));
        }
        let page = study::page(number + 1, &of_study, &explained);
        save(&out.join(folder.join("study.html")), page.as_bytes())?;
        let drawn = of_study.into_iter().map(|(drawn, _)| drawn);
        explained.series.extend(drawn);
    }
    progress.finish();
    let maps = explained.series.iter().flat_map(|series| &series.slices);
    explained.maps = maps.map(|slice| slice.maps.len()).sum();
    save(
        &out.join(&explained.page),
        study::contents(&explained).as_bytes(),
    )?;
    let json = serde_json::to_vec_pretty(&explained).unwrap_or_default();
    save(&out.join("explain.json"), &json)?;
    Ok(explained)
}

/// The places of each group, where those of a group lie together.
fn groups(numbers: &[u32]) -> Vec<Vec<u32>> {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut last = None;
    for (place, &number) in (0..).zip(numbers) {
        match groups.last_mut().filter(|_| last == Some(number)) {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
        last = Some(number);
    }
    groups
}

fn of_shown(
    shown: &[Shown],
    wanted: &BTreeMap<u32, Wanted<'_>>,
    samples: &falx_data::samples::Samples,
) -> Result<Vec<ExplainedSlice>, ExplainError> {
    let mut slices = Vec::with_capacity(shown.len());
    for slice in shown {
        let wanted = wanted.get(&slice.place);
        let prediction = wanted.and_then(|wanted| wanted.prediction);
        slices.push(ExplainedSlice {
            image_id: samples.get(slice.place as usize)?.image_id,
            number: wanted.map_or(0, |wanted| wanted.number),
            probabilities: prediction.map(|p| p.probabilities.map(falx_core::Probability::get)),
            maps: slice.maps.clone(),
        });
    }
    Ok(slices)
}

fn write_montage(
    series: &ExplainedSeries,
    shown: &[Shown],
    explained: &Explained,
    path: &Path,
) -> Result<(), ExplainError> {
    let tiles: Vec<Tile> = shown.iter().map(|slice| slice.tile.clone()).collect();
    let with_maps = series.slices.iter().filter(|slice| !slice.maps.is_empty());
    let title = format!(
        "{} slices, {} with a map ({}), research use",
        tiles.len(),
        with_maps.count(),
        explained.method
    );
    montage(&title, &tiles).save(path)
}

impl Explained {
    /// What was drawn, in words.
    pub fn to_text(&self, out: &Path) -> String {
        let of_layer = self
            .layer
            .as_ref()
            .map_or_else(String::new, |layer| format!(" at {layer}"));
        let mut lines = vec![format!(
            "{} slices in {} series, {} heat maps by {}{of_layer}",
            self.slices,
            self.series.len(),
            self.maps,
            self.method
        )];
        if self.maps == 0 {
            lines.push(format!(
                "no label reaches {} on any slice, so there is no map; --at-least 0 draws all of them",
                self.at_least
            ));
        }
        if self.members > 1 {
            lines.push(format!(
                "each map is the mean of those of {} networks",
                self.members
            ));
        }
        if self.has_network_over_series {
            lines.push(
                "the maps explain the network of slices; the answers also rest on a network over series"
                    .to_owned(),
            );
        }
        lines.extend(self.unreadable.iter().map(|slice| {
            format!(
                "not read: {} ({})",
                slice.path.display(),
                slice.reasons.join(", ")
            )
        }));
        lines.push(out.join(&self.page).display().to_string());
        lines.push(RESEARCH_USE.to_owned());
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn groups_are_runs_of_one_number() {
        assert_eq!(groups(&[7, 7, 8, 9, 9]), [vec![0, 1], vec![2], vec![3, 4]]);
        assert!(groups(&[]).is_empty());
    }
}
