//! Names of everything, from the seed: nothing of them tells the order or the labels.

use std::collections::BTreeSet;
use std::path::PathBuf;

use falx_core::random;
use rand::{Rng, RngExt};

use crate::Layout;

/// The names of one series.
#[derive(Clone, Debug)]
pub struct SeriesIds {
    pub patient: String,
    pub study_uid: String,
    pub series_uid: String,
    pub frame_uid: String,
    pub slices: Vec<SliceIds>,
}

/// The names of one slice.
#[derive(Clone, Debug)]
pub struct SliceIds {
    /// The SOP Instance UID.
    pub sop_uid: String,
    /// The id in label tables.
    pub image: String,
    /// The file, from the layout's image folder on.
    pub file: PathBuf,
}

/// A valid UID: `2.25.` and a random UUID as a decimal number.
pub fn uid(rng: &mut impl RngExt) -> String {
    // The bits that mark a UUID of version 4, variant 1 (RFC 9562).
    let bits = rng.random::<u128>() & !(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    format!("2.25.{bits}")
}

/// Gives out names, none twice.
pub struct Names {
    seed: u64,
    layout: Layout,
    given: BTreeSet<String>,
}

impl Names {
    pub fn new(seed: u64, layout: Layout) -> Self {
        Self {
            seed,
            layout,
            given: BTreeSet::new(),
        }
    }

    /// The names of patient number `patient` with `slices` slices.
    pub fn series(&mut self, patient: u64, slices: usize) -> SeriesIds {
        let mut rng = random::stream(self.seed, "names", &[patient]);
        let name = self.fresh(&mut rng, "FP", 8);
        let study_uid = uid(&mut rng);
        let series_uid = uid(&mut rng);
        let frame_uid = uid(&mut rng);
        let slices = (0..slices)
            .map(|k| {
                let sop_uid = uid(&mut rng);
                let id = self.fresh(&mut rng, "ID_", 9);
                let (image, file) = match self.layout {
                    Layout::Rsna => (id.clone(), PathBuf::from(format!("{id}.dcm"))),
                    Layout::Folders => {
                        let folder = PathBuf::from(&name).join(&study_uid).join(&series_uid);
                        (sop_uid.clone(), folder.join(format!("IM{:04}.dcm", k + 1)))
                    }
                };
                SliceIds {
                    sop_uid,
                    image,
                    file,
                }
            })
            .collect();
        SeriesIds {
            patient: name,
            study_uid,
            series_uid,
            frame_uid,
            slices,
        }
    }

    fn fresh(&mut self, rng: &mut impl Rng, prefix: &str, digits: usize) -> String {
        loop {
            let hex = format!("{:016x}", rng.next_u64());
            let name = format!("{prefix}{}", &hex[..digits]);
            if self.given.insert(name.clone()) {
                return name;
            }
        }
    }
}
