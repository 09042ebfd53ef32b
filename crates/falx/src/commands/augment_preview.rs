//! `falx augment-preview`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use falx_core::Window;
use falx_data::augment::AugmentConfig;
use falx_data::augment::preview::{Panel, PreviewOptions, Subject, panels, sheet};
use falx_data::index::Index;
use falx_data::source::{Place, SliceReader};
use falx_dicom::inspect::grey_png;
use falx_dicom::{CtSlice, SliceHeader};
use falx_phantom::Head;
use falx_train::Recipe;
use serde::Serialize;

use crate::cli::AugmentPreview;
use crate::commands::dicom::save;
use crate::output::Outcome;

/// The phantom that is drawn without a source: two patients of a collection in which everybody bleeds.
const PHANTOM_SEED: u64 = 7;
/// Rows and columns of its slices.
const PHANTOM_MATRIX: u16 = 512;

/// What was drawn, in the sheet's order.
#[derive(Serialize)]
struct Drawn {
    out: Option<PathBuf>,
    docs: Vec<PathBuf>,
    augment: AugmentConfig,
    panels: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    key: &'static str,
    caption: String,
}

pub fn run(arguments: &AugmentPreview) -> anyhow::Result<Outcome> {
    let options = PreviewOptions {
        config: config(&arguments.augment)?,
        seed: arguments.seed,
        size: arguments.size,
        window: arguments.window.unwrap_or(falx_core::SEED_WINDOWS[0]),
        draws: arguments.draws,
    };
    let panels = panels(&subject(&arguments.sources)?, &options);
    let mut docs = Vec::new();
    if let Some(folder) = &arguments.docs {
        docs = save_pages(&panels, options.size, folder)?;
    }
    if let Some(out) = &arguments.out {
        let sheet = sheet(&panels, options.size, arguments.columns.get());
        save(out, &grey_png(&sheet.grey, sheet.height, sheet.width)?)?;
    }
    let written = arguments.out.as_ref().or(arguments.docs.as_ref());
    let mut text = format!("{} panels", panels.len());
    if let Some(path) = written {
        text = format!("{text} in {}", path.display());
    }
    for panel in &panels {
        text = format!("{text}\n{:<16}{}", panel.key, panel.caption);
    }
    let listed = panels.into_iter().map(|panel| Listed {
        key: panel.key,
        caption: panel.caption,
    });
    let drawn = Drawn {
        out: arguments.out.clone(),
        docs,
        augment: options.config,
        panels: listed.collect(),
    };
    Outcome::done(text, &drawn)
}

fn config(asked: &str) -> anyhow::Result<AugmentConfig> {
    let path = Path::new(asked);
    if path.extension().is_some_and(|e| e == "toml") || path.is_file() {
        return Recipe::read(path)?.augment.context(
            "the recipe asks for no augmentation; add `augment = \"full\"` to it, or give `--augment full`",
        );
    }
    let names: Vec<&str> = asked.split(',').map(str::trim).collect();
    Ok(AugmentConfig::named(&names)?)
}

fn subject(sources: &[PathBuf]) -> anyhow::Result<Subject> {
    let mut reader = SliceReader::new();
    let mut read = |path: &Path, window: Option<Window>| reader.read(Place { path, window });
    match sources {
        [] => Ok(phantom()),
        [index] if index.extension().is_some_and(|e| e == "parquet") => {
            let rows = Index::read(index)?.rows;
            let mut usable: Vec<_> = rows.iter().filter(|row| row.usable).collect();
            // A positive slice shows best what a change does to blood.
            usable.sort_by_key(|row| row.labels.0[5] != Some(true));
            let (Some(first), last) = (usable.first(), usable.last()) else {
                bail!("{} has no usable slice", index.display());
            };
            let partner = last.filter(|last| last.image_id != first.image_id);
            let partner = partner.map(|row| read(&row.path, row.picture_window()));
            Ok(Subject {
                slice: read(&first.path, first.picture_window())?,
                neighbours: None,
                partner: partner.transpose()?,
            })
        }
        [slice, partner @ ..] => Ok(Subject {
            slice: read(slice, None)?,
            neighbours: None,
            partner: partner.first().map(|path| read(path, None)).transpose()?,
        }),
    }
}

/// Two bleeding phantoms: the slice with most blood of the one, between its neighbours, and of the other.
fn phantom() -> Subject {
    let [first, second] = [0, 1].map(|patient| falx_phantom::head(PHANTOM_SEED, patient, 0.41));
    let middle = fullest(&first);
    let slice = |head: &Head, number: usize| slice_of(head, number);
    Subject {
        slice: slice(&first, middle),
        neighbours: Some([slice(&first, middle - 1), slice(&first, middle + 1)]),
        partner: Some(slice(&second, fullest(&second))),
    }
}

/// The inner slice with most blood, looked for on coarse renderings.
fn fullest(head: &Head) -> usize {
    let blood = |number: &usize| {
        let area: f64 = head.render(*number, 64).area_mm2.iter().sum();
        area as u64
    };
    let last = head.slices().saturating_sub(1);
    (1..last).max_by_key(blood).unwrap_or(1)
}

fn slice_of(head: &Head, number: usize) -> CtSlice {
    let rendered = head.render(number, PHANTOM_MATRIX);
    CtSlice {
        header: SliceHeader {
            rows: rendered.matrix,
            cols: rendered.matrix,
            ..SliceHeader::default()
        },
        hu: rendered.hu,
        padding: None,
        defects: Vec::new(),
    }
}

/// Grey levels of the pages' pictures: enough to see, few enough to be small.
const PAGE_LEVELS: u8 = 32;

/// A picture a change: the original, and the change.
fn save_pages(panels: &[Panel], size: usize, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let Some(original) = panels.first() else {
        return Ok(Vec::new());
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let mut written = Vec::new();
    let mut rest = panels;
    while let Some(first) = rest.first() {
        let count = rest
            .iter()
            .take_while(|panel| panel.key == first.key)
            .count();
        let (same, later) = rest.split_at(count);
        rest = later;
        if first.key == original.key {
            continue;
        }
        let shown: Vec<Panel> = std::iter::once(original)
            .chain(same.iter().take(2))
            .cloned()
            .collect();
        let sheet = sheet(&shown, size, shown.len());
        let step = u8::MAX / (PAGE_LEVELS - 1);
        let coarse = sheet.grey.iter().map(|grey| (grey / step) * step);
        let grey: Vec<u8> = coarse.collect();
        let path = folder.join(format!("{}.png", first.key));
        save(&path, &grey_png(&grey, sheet.height, sheet.width)?)?;
        written.push(path);
    }
    Ok(written)
}
