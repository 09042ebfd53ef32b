//! What is asked for, what was made, and what can go wrong.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How files lie in the output folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// The RSNA 2019 competition's: one flat folder of `ID_<9 hex>.dcm` and `stage_2_train.csv`.
    #[default]
    Rsna,
    /// A hospital's: `<patient>/<study>/<series>/IM0001.dcm` and `labels.csv`, whose ids are SOP Instance UIDs.
    Folders,
}

/// A word that names no layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a layout of phantoms; the layouts are rsna, folders")]
pub struct UnknownLayout(pub String);

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "rsna" => Ok(Self::Rsna),
            "folders" => Ok(Self::Folders),
            _ => Err(UnknownLayout(word.to_owned())),
        }
    }
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Rsna => "rsna",
            Self::Folders => "folders",
        })
    }
}

/// What to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhantomOptions {
    /// Labelled patients, one series each.
    pub patients: u32,
    /// Further patients whose labels are held back (layout `rsna` only: `stage_2_test`).
    pub test_patients: u32,
    /// The output folder: new, empty, or one that the same options made before.
    pub out: PathBuf,
    /// Where all randomness starts.
    pub seed: u64,
    /// How files lie in the output folder.
    pub layout: Layout,
    /// Plant the traps that real collections hold, and list them in `defects.json`.
    pub defects: bool,
    /// Rows and columns of a slice, 64 ..= 1024.
    pub matrix: u16,
    /// Expected share of slices with a haemorrhage.
    pub slice_prevalence: f64,
    /// Write a mask for every series.
    pub masks: bool,
}

impl Default for PhantomOptions {
    fn default() -> Self {
        Self {
            patients: 60,
            test_patients: 0,
            out: PathBuf::from("phantom"),
            seed: 0,
            layout: Layout::Rsna,
            defects: false,
            matrix: 512,
            slice_prevalence: 0.14,
            masks: true,
        }
    }
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhantomSummary {
    /// Labelled patients.
    pub patients: u32,
    /// Patients whose labels are held back.
    pub test_patients: u32,
    /// Slices of the labelled patients.
    pub slices: u64,
    /// Slices of the patients whose labels are held back.
    pub test_slices: u64,
    /// Positive slices of the labelled patients, in label order.
    pub positive_slices: [u64; 6],
    /// Labelled patients with at least one positive slice.
    pub positive_patients: u32,
    /// Defects that were planted.
    pub defects: u64,
    /// Bytes of all DICOM files.
    pub bytes: u64,
    /// The output folder.
    pub out: PathBuf,
    /// The folder that holds the labelled DICOM files.
    pub images: PathBuf,
    /// The label table.
    pub labels: PathBuf,
}

/// Why no phantom was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PhantomError {
    /// An option outside its range.
    #[error("{option} = {value} is out of range; {range}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        range: &'static str,
    },
    /// The output folder holds something else.
    #[error(
        "{} is not empty and is no phantom's folder; name a new or empty folder", .0.display()
    )]
    NotEmpty(PathBuf),
    /// The output folder holds a phantom of other options.
    #[error(
        "{} holds a phantom made with other options; name another folder or remove it first", .0.display()
    )]
    OtherPhantom(PathBuf),
    /// The disk said no.
    #[error("cannot write {}: {source}; check that the folder exists, is writable and has room", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// An object that cannot be put into DICOM: a fault of falx.
    #[error("cannot encode {} as DICOM: {reason}; this is a fault of falx, please report it", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// The library's reason.
        reason: String,
    },
    /// The user asked to stop.
    #[error(
        "stopped on request after {patients} patients; {} is incomplete: the same command makes it again from the start", out.display()
    )]
    Interrupted {
        /// Patients that were finished.
        patients: u32,
        /// The output folder.
        out: PathBuf,
    },
}
