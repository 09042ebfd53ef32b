//! Coded concepts: what a number or a word of ours means in vocabularies that other software knows.
//!
//! # Source
//! `DCM` and `UCUM`: DICOM PS3.16 (annex D and the context groups named below). `SCT` is SNOMED CT; its codes of the six
//! labels are those that the Human Phenotype Ontology (release 2025-01-16) gives for its terms:
//!
//! | label | SNOMED CT | HPO |
//! |---|---|---|
//! | `epidural` | 82999001 Epidural intracranial hemorrhage | HP:0100310 |
//! | `intraparenchymal` | 274100004 Cerebral hemorrhage | HP:0001342 |
//! | `intraventricular` | 23276006 Intraventricular hemorrhage | HP:0030746 |
//! | `subarachnoid` | 21454007 Subarachnoid intracranial hemorrhage | HP:0002138 |
//! | `subdural` | 35486000 Subdural intracranial hemorrhage | HP:0100309 |
//! | `any` | 1386000 Intracranial hemorrhage | HP:0002170 |
//!
//! 1386000 stands in DICOM PS3.16 too. OHDSI's vocabulary has 82999001 and 35486000 under these names, a FHIR value set of
//! stroke diagnoses (expanded with SNOMED CT of February 2025) 274100004 and 21454007.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use falx_core::Label;

use crate::element::{DataSet, put, put_item, text_of};

/// A code, the vocabulary that it is from, and what it means there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concept {
    /// Code Value: at most 16 characters.
    pub value: String,
    /// Coding Scheme Designator: `DCM`, `SCT`, `UCUM`.
    pub scheme: String,
    /// Code Meaning: at most 64 characters.
    pub meaning: String,
}

/// A concept that is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed(pub &'static str, pub &'static str, pub &'static str);

impl From<Fixed> for Concept {
    fn from(Fixed(value, scheme, meaning): Fixed) -> Self {
        Self {
            value: value.to_owned(),
            scheme: scheme.to_owned(),
            meaning: meaning.to_owned(),
        }
    }
}

impl Concept {
    /// As the item of a code sequence.
    pub fn item(&self) -> DataSet {
        let mut item = DataSet::new_empty();
        put(&mut item, tags::CODE_VALUE, VR::SH, &*self.value);
        put(
            &mut item,
            tags::CODING_SCHEME_DESIGNATOR,
            VR::SH,
            &*self.scheme,
        );
        put(&mut item, tags::CODE_MEANING, VR::LO, &*self.meaning);
        item
    }

    /// Reads the item of a code sequence; `None` where it says less than the three.
    pub fn read(item: &DataSet) -> Option<Self> {
        Some(Self {
            value: text_of(item, tags::CODE_VALUE)?,
            scheme: text_of(item, tags::CODING_SCHEME_DESIGNATOR)?,
            meaning: text_of(item, tags::CODE_MEANING)?,
        })
    }

    /// Puts it as a code sequence of one item.
    pub fn put(&self, set: &mut DataSet, tag: Tag) {
        put_item(set, tag, self.item());
    }
}

/// The finding that a label is.
pub const fn finding(label: Label) -> Fixed {
    match label {
        Label::Epidural => Fixed("82999001", "SCT", "Epidural intracranial hemorrhage"),
        Label::Intraparenchymal => Fixed("274100004", "SCT", "Cerebral hemorrhage"),
        Label::Intraventricular => Fixed("23276006", "SCT", "Intraventricular hemorrhage"),
        Label::Subarachnoid => Fixed("21454007", "SCT", "Subarachnoid intracranial hemorrhage"),
        Label::Subdural => Fixed("35486000", "SCT", "Subdural intracranial hemorrhage"),
        Label::Any => Fixed("1386000", "SCT", "Intracranial hemorrhage"),
    }
}

// CID 240, Present-Absent.
pub const PRESENT: Fixed = Fixed("52101004", "SCT", "Present");
pub const ABSENT: Fixed = Fixed("272519000", "SCT", "Absent");
pub const UNDETERMINED: Fixed = Fixed("373068000", "SCT", "Undetermined");
pub const PRESENCE: Fixed = Fixed("121052", "DCM", "Presence of property");

// CID 6048; CAD templates give it in per cent.
pub const CERTAINTY_OF_FINDING: Fixed = Fixed("111012", "DCM", "Certainty of Finding");
pub const PERCENT: Fixed = Fixed("%", "UCUM", "Percent");
pub const NO_UNITS: Fixed = Fixed("1", "UCUM", "no units");
// CID 225.
pub const ABOVE: Fixed = Fixed(
    "371886008",
    "SCT",
    "+, range of upper measurement uncertainty",
);
pub const BELOW: Fixed = Fixed(
    "371885007",
    "SCT",
    "-, range of lower measurement uncertainty",
);

// TID 1500, 1501, 1600, 2010.
pub const IMAGING_MEASUREMENT_REPORT: Fixed = Fixed("126000", "DCM", "Imaging Measurement Report");
pub const IMAGING_MEASUREMENTS: Fixed = Fixed("126010", "DCM", "Imaging Measurements");
pub const MEASUREMENT_GROUP: Fixed = Fixed("125007", "DCM", "Measurement Group");
pub const TRACKING_IDENTIFIER: Fixed = Fixed("112039", "DCM", "Tracking Identifier");
pub const TRACKING_UID: Fixed = Fixed("112040", "DCM", "Tracking Unique Identifier");
pub const FINDING: Fixed = Fixed("121071", "DCM", "Finding");
pub const SOURCE_OF_MEASUREMENT: Fixed = Fixed("121112", "DCM", "Source of Measurement");
pub const IMAGE_LIBRARY: Fixed = Fixed("111028", "DCM", "Image Library");
pub const IMAGE_LIBRARY_GROUP: Fixed = Fixed("126200", "DCM", "Image Library Group");
pub const MODALITY: Fixed = Fixed("121139", "DCM", "Modality");
pub const CT: Fixed = Fixed("CT", "DCM", "Computed Tomography");
pub const PROCEDURE_REPORTED: Fixed = Fixed("121058", "DCM", "Procedure reported");
pub const CT_OF_HEAD: Fixed = Fixed("303653007", "SCT", "Computed tomography of head");
pub const COMMENT: Fixed = Fixed("121106", "DCM", "Comment");
pub const OF_INTEREST: Fixed = Fixed("113000", "DCM", "Of Interest");
pub const KEY_OBJECT_DESCRIPTION: Fixed = Fixed("113012", "DCM", "Key Object Description");

// TID 1204.
pub const LANGUAGE: Fixed = Fixed("121049", "DCM", "Language of Content Item and Descendants");
pub const ENGLISH: Fixed = Fixed("en", "RFC5646", "English");

// TID 1002, 1004.
pub const OBSERVER_TYPE: Fixed = Fixed("121005", "DCM", "Observer Type");
pub const DEVICE: Fixed = Fixed("121007", "DCM", "Device");
pub const DEVICE_UID: Fixed = Fixed("121012", "DCM", "Device Observer UID");
pub const DEVICE_NAME: Fixed = Fixed("121013", "DCM", "Device Observer Name");
pub const DEVICE_MANUFACTURER: Fixed = Fixed("121014", "DCM", "Device Observer Manufacturer");
pub const DEVICE_MODEL: Fixed = Fixed("121015", "DCM", "Device Observer Model Name");
pub const DEVICE_SERIAL_NUMBER: Fixed = Fixed("121016", "DCM", "Device Observer Serial Number");

// TID 4019.
pub const ALGORITHM_NAME: Fixed = Fixed("111001", "DCM", "Algorithm Name");
pub const ALGORITHM_PARAMETERS: Fixed = Fixed("111002", "DCM", "Algorithm Parameters");
pub const ALGORITHM_VERSION: Fixed = Fixed("111003", "DCM", "Algorithm Version");

// CID 7202.
pub const SOURCE_IMAGE: Fixed = Fixed(
    "121322",
    "DCM",
    "Source image for image processing operation",
);
// CID 217, Visual Explanation.
pub const CLASS_ACTIVATION: Fixed = Fixed("130402", "DCM", "Class activation");
pub const GRADIENT_WEIGHTED: Fixed = Fixed("130403", "DCM", "Gradient-weighted class activation");
pub const SALIENCY: Fixed = Fixed("130404", "DCM", "Saliency");
pub const QUANTITY: Fixed = Fixed("246205007", "SCT", "Quantity");
pub const UNSPECIFIED_METHOD: Fixed = Fixed("112187", "DCM", "Unspecified method of calculation");
