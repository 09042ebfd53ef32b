//! What a submission must contain: the sample's rows and their order.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use falx_core::Label;

use super::LintError;
use crate::kaggle::for_each_row;
use crate::kaggle::lines::Ending;

/// A place that no row has.
pub(super) const NOWHERE: u32 = u32::MAX;

/// The sample: each image's number, and the place of each of its six rows.
pub(super) struct Sample {
    images: HashMap<Box<str>, u32>,
    /// For each image, where its rows stand among the sample's rows; [`NOWHERE`] where it has none.
    pub(super) places: Vec<[u32; 6]>,
    pub(super) rows: u64,
    pub(super) ending: Ending,
    /// Rows that the sample has again (RSNA's label files do, for four images).
    pub(super) repeated: Vec<Repeat>,
}

/// A row that stood in the sample before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Repeat {
    pub(super) image: u32,
    pub(super) label: Label,
    pub(super) line: u64,
}

impl Sample {
    /// The number of an image.
    pub(super) fn number(&self, image: &str) -> Option<u32> {
        self.images.get(image).copied()
    }

    /// The names of a few images.
    pub(super) fn names(&self, wanted: &[u32]) -> HashMap<u32, &str> {
        self.images
            .iter()
            .filter(|(_, number)| wanted.contains(number))
            .map(|(name, &number)| (number, &**name))
            .collect()
    }

    pub(super) fn place(&self, image: u32, label: Label) -> u32 {
        self.places
            .get(image as usize)
            .map_or(NOWHERE, |places| places[label.index()])
    }
}

/// Reads a sample submission; its values do not matter.
pub(super) fn read(input: impl BufRead, path: &Path) -> Result<Sample, LintError> {
    let mut ending = None;
    let mut images: HashMap<Box<str>, u32> = HashMap::new();
    let mut places: Vec<[u32; 6]> = Vec::new();
    let mut repeated = Vec::new();
    let mut last: (String, u32) = (String::new(), 0);
    let mut row_number = 0_u32;
    let mut too_large = false;
    let rows = for_each_row(input, path, |row| {
        ending.get_or_insert(row.ending);
        if places.is_empty() || last.0 != row.image {
            let next = places.len() as u32;
            let number = *images.entry(Box::from(row.image)).or_insert(next);
            if number == next {
                places.push([NOWHERE; 6]);
            }
            last.0.clear();
            last.0.push_str(row.image);
            last.1 = number;
        }
        let image = last.1;
        if let Some(places) = places.get_mut(image as usize) {
            let place = &mut places[row.label.index()];
            if *place == NOWHERE {
                *place = row_number;
            } else {
                repeated.push(Repeat {
                    image,
                    label: row.label,
                    line: row.line,
                });
            }
        }
        row_number = row_number.saturating_add(1);
        too_large |= row_number == NOWHERE;
        Ok(())
    })?;
    if too_large {
        return Err(LintError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(Sample {
        images,
        places,
        rows,
        ending: ending.unwrap_or(Ending::File),
        repeated,
    })
}
