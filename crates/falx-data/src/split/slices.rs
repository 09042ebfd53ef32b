//! What a split depends on, of each slice, and which slices have something in common.

use std::collections::HashMap;
use std::path::Path;

use arrow_array::{Array, BooleanArray, Float32Array, StringArray, UInt8Array};
use falx_core::{LABELS, LabelRow, PatientId};
use rayon::prelude::*;

use crate::index::Index;
use crate::table::{Opened, TableError};

/// What a split depends on, of one slice.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    /// The slice.
    pub image_id: &'a str,
    /// The patient's pseudonym.
    pub patient: Option<&'a str>,
    /// Study Instance UID.
    pub study: Option<&'a str>,
    /// Series Instance UID.
    pub series: Option<&'a str>,
    /// Where the slice comes from.
    pub dataset: &'a str,
    /// Equal for equal pictures.
    pub pixel_hash: Option<&'a str>,
    /// True where all of the picture has one value.
    pub is_blank: bool,
    /// True where the slice may be used.
    pub usable: bool,
    /// What is known of the labels.
    pub labels: LabelRow,
}

/// Whatever knows of each slice what a split depends on.
pub trait Slices {
    /// All slices, usable or not.
    fn slices(&self) -> Vec<Slice<'_>>;
}

impl Slices for Index {
    fn slices(&self) -> Vec<Slice<'_>> {
        self.rows
            .iter()
            .map(|row| Slice {
                image_id: row.image_id.as_str(),
                patient: row.patient.as_ref().map(PatientId::as_str),
                study: row.study_uid.as_deref(),
                series: row.series_uid.as_deref(),
                dataset: &row.dataset,
                pixel_hash: row.pixel_hash.as_deref(),
                is_blank: row.hu_min == row.hu_max,
                usable: row.usable,
                labels: row.labels,
            })
            .collect()
    }
}

/// Those columns of an index file that a split depends on: a fraction of the whole [`Index`].
pub struct IndexColumns(Vec<Batch>);

struct Batch {
    /// Image id, patient, study, series, data set, pixel hash.
    texts: [StringArray; TEXTS.len()],
    hu: [Float32Array; HU.len()],
    usable: BooleanArray,
    labels: [UInt8Array; LABELS.len()],
}

const TEXTS: [&str; 6] = [
    "image_id",
    "patient",
    "study_uid",
    "series_uid",
    "dataset",
    "pixel_hash",
];
const HU: [&str; 2] = ["hu_min", "hu_max"];
const USABLE: &str = "usable";

impl IndexColumns {
    /// Reads an index.
    ///
    /// # Errors
    /// [`TableError`] for a file that cannot be read or is no index.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TableError> {
        let labels = LABELS.map(falx_core::Label::name);
        let mut names: Vec<&str> = TEXTS.into_iter().chain(HU).chain(labels).collect();
        names.push(USABLE);
        let (opened, batches) = Opened::open_columns(path.as_ref(), "index", Some(&names))?;
        let batches = batches.map(|batch| {
            let batch = batch?;
            Ok(Batch {
                texts: opened.columns(&batch, TEXTS)?,
                hu: opened.columns(&batch, HU)?,
                usable: opened.column::<BooleanArray>(&batch, USABLE)?.clone(),
                labels: opened.columns(&batch, labels)?,
            })
        });
        batches.collect::<Result<_, _>>().map(Self)
    }
}

impl Slices for IndexColumns {
    fn slices(&self) -> Vec<Slice<'_>> {
        let mut slices = Vec::with_capacity(self.0.iter().map(|batch| batch.usable.len()).sum());
        for batch in &self.0 {
            slices.extend(batch.slices());
        }
        slices
    }
}

impl Batch {
    fn slices(&self) -> impl Iterator<Item = Slice<'_>> {
        (0..self.usable.len()).map(|at| {
            let [id, patient, study, series, dataset, hash] = self
                .texts
                .each_ref()
                .map(|texts| texts.is_valid(at).then(|| texts.value(at)));
            let [low, high] = self
                .hu
                .each_ref()
                .map(|values| values.is_valid(at).then(|| values.value(at)));
            let labels = self
                .labels
                .each_ref()
                .map(|values| values.is_valid(at).then(|| values.value(at) != 0));
            Slice {
                image_id: id.unwrap_or_default(),
                patient,
                study,
                series,
                dataset: dataset.unwrap_or_default(),
                pixel_hash: hash,
                is_blank: low == high,
                usable: self.usable.value(at),
                labels: LabelRow(labels),
            }
        })
    }
}

/// [`Index::data_hash`] of the index that the slices are of.
pub(super) fn data_hash(slices: &[Slice<'_>]) -> String {
    crate::lock::data_hash(
        slices
            .iter()
            .map(|slice| (slice.image_id, slice.pixel_hash.unwrap_or(""), slice.labels)),
    )
}

/// What ties slices together, and must not be on two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tie {
    /// The same patient.
    Patient,
    /// The same study.
    Study,
    /// The same series.
    Series,
    /// The same picture, unless it is blank: all blank pictures are equal.
    Picture,
    /// The same id.
    Image,
}

impl Tie {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Patient,
        Self::Study,
        Self::Series,
        Self::Picture,
        Self::Image,
    ];

    /// What a slice has of it.
    fn of<'a>(self, slice: &Slice<'a>) -> Option<&'a str> {
        match self {
            Self::Patient => slice.patient,
            Self::Study => slice.study,
            Self::Series => slice.series,
            Self::Picture => slice.pixel_hash.filter(|_| !slice.is_blank),
            Self::Image => Some(slice.image_id),
        }
    }
}

/// By kind of tie, of each slice the first one that has the same; nothing where it has none.
pub(super) struct Ties([Vec<Option<u32>>; Tie::ALL.len()]);

impl Ties {
    pub(super) fn of(slices: &[&Slice<'_>]) -> Self {
        let mut ties = Tie::ALL.map(|tie| (tie, Vec::new()));
        ties.par_iter_mut()
            .for_each(|(tie, same)| *same = first_same(*tie, slices));
        Self(ties.map(|(_, same)| same))
    }

    pub(super) fn get(&self, tie: Tie) -> &[Option<u32>] {
        &self.0[tie as usize]
    }

    /// The ties of all kinds, of each slice in turn.
    pub(super) fn iter(&self, tie: Tie) -> impl Iterator<Item = (usize, u32)> {
        let same = self.get(tie).iter().enumerate();
        same.filter_map(|(at, first)| Some((at, (*first)?)))
    }
}

fn first_same(tie: Tie, slices: &[&Slice<'_>]) -> Vec<Option<u32>> {
    let mut first = HashMap::new();
    let same = slices.iter().enumerate().map(|(at, slice)| {
        let value = tie.of(slice)?;
        Some(*first.entry(value).or_insert(at as u32))
    });
    same.collect()
}
