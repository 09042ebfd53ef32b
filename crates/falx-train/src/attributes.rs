//! What is known of a slice beside its picture and truth, in words: scores are broken down by it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use falx_core::{ImageId, PatientId};
use falx_data::index::{Index, IndexRow};
use falx_eval::Attributes;

use crate::groups::Groups;
use crate::sizes::sizes;

/// A gantry that leans less than this stands upright.
const UPRIGHT_DEG: f64 = 0.5;

/// What and value, as [`Attributes`] holds them.
type Pairs = Vec<(Arc<str>, Arc<str>)>;

/// Makes attributes, one copy of those that are alike.
#[derive(Default)]
pub(crate) struct AttributeTable {
    given: Option<Groups>,
    /// The sizes of haemorrhages.
    sizes: HashMap<ImageId, String>,
    words: HashSet<Arc<str>>,
    known: HashMap<Pairs, Arc<Attributes>>,
}

impl AttributeTable {
    /// Besides what the index's rows say, what its masks and a table say.
    pub(crate) fn new(index: Option<&Index>, given: Option<Groups>) -> Self {
        let rows = index.into_iter().flat_map(|index| &index.rows);
        Self {
            given,
            sizes: sizes(rows),
            ..Self::default()
        }
    }

    /// What is known of a slice; `None` where that is nothing.
    pub(crate) fn of(
        &mut self,
        image: &ImageId,
        patient: &PatientId,
        row: Option<&IndexRow>,
    ) -> Option<Arc<Attributes>> {
        let mut found: Vec<(String, String)> = row.map(of_row).unwrap_or_default();
        if let Some(size) = self.sizes.get(image) {
            found.push(("haemorrhage size".to_owned(), size.clone()));
        }
        if let Some(given) = &self.given {
            let study = row.and_then(|row| row.study_uid.as_deref());
            found.extend(given.of(image, patient, study));
        }
        if found.is_empty() {
            return None;
        }
        let shared: Pairs = found
            .into_iter()
            .map(|(axis, value)| (self.share(&axis), self.share(&value)))
            .collect();
        let new = || Arc::new(Attributes(shared.clone()));
        Some(self.known.entry(shared.clone()).or_insert_with(new).clone())
    }

    fn share(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.words.get(word) {
            return Arc::clone(known);
        }
        let new: Arc<str> = word.into();
        self.words.insert(Arc::clone(&new));
        new
    }
}

/// What an index knows of a slice.
fn of_row(row: &IndexRow) -> Vec<(String, String)> {
    let taken = row.acquisition.as_deref();
    let scanner = taken.and_then(|a| {
        let words: Vec<&str> = [a.manufacturer.as_deref(), a.model.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        (!words.is_empty()).then(|| words.join(" "))
    });
    let facts = [
        ("data set", Some(row.dataset.to_string())),
        ("scanner", scanner),
        ("kernel", taken.and_then(|a| a.kernel.clone())),
        (
            "slice thickness",
            taken.and_then(|a| Some(thickness(a.thickness_mm?).to_owned())),
        ),
        (
            "tube voltage",
            taken.and_then(|a| Some(format!("{:.0} kV", a.kvp?))),
        ),
        (
            "gantry tilt",
            row.tilt_deg.map(|tilt| {
                let is_tilted = tilt.abs() >= UPRIGHT_DEG;
                if is_tilted { "tilted" } else { "upright" }.to_owned()
            }),
        ),
        ("age", row.age_years.map(|years| age(years).to_owned())),
        (
            "sex",
            row.sex.as_deref().map(|sex| sex_word(sex).to_owned()),
        ),
    ];
    facts
        .into_iter()
        .filter_map(|(axis, value)| Some((axis.to_owned(), value?)))
        .collect()
}

const fn thickness(mm: f64) -> &'static str {
    match mm {
        ..=1.5 => "up to 1.5 mm",
        ..=3.5 => "over 1.5 to 3.5 mm",
        ..=5.5 => "over 3.5 to 5.5 mm",
        _ => "over 5.5 mm",
    }
}

const fn age(years: f32) -> &'static str {
    match years {
        ..18.0 => "under 18",
        ..40.0 => "18 to 39",
        ..60.0 => "40 to 59",
        ..80.0 => "60 to 79",
        _ => "80 and over",
    }
}

fn sex_word(sex: &str) -> &str {
    match sex {
        "M" => "male",
        "F" => "female",
        other => other,
    }
}
