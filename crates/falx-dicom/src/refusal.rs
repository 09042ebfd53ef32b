//! Why a file gives no Hounsfield units: a closed list of reasons, each with what to do about it.

use std::path::PathBuf;

use serde::Serialize;

/// Declares a closed list: the enum, `ALL`, `name()`, `describe()` and serialisation as the name.
macro_rules! closed_list {
    ($(#[$meta:meta])* $list:ident { $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $list {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $list {
            /// Every member, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in reports and tables.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The member of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.name() == name)
            }

            /// What the name means, in a sentence.
            pub const fn describe(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)+
                }
            }
        }

        impl std::fmt::Display for $list {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl serde::Serialize for $list {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}
pub(crate) use closed_list;

closed_list! {
    /// Why a file is refused.
    Refusal {
        /// There is no DICM mark at byte 128 and the bytes do not parse as a bare data set.
        NotDicom = "not_dicom",
        /// The file ends before a declared length is reached.
        Truncated = "truncated",
        /// The element structure contradicts itself or the declared transfer syntax.
        MalformedStructure = "malformed_structure",
        /// Sequences nest deeper than the reader's limit.
        NestingTooDeep = "nesting_too_deep",
        /// A declared or inflated size is over the reader's limit.
        TooLarge = "too_large",
        /// The transfer syntax is not one the reader decodes.
        UnsupportedTransferSyntax = "unsupported_transfer_syntax",
        /// An attribute without which the pixels cannot be read is absent or empty.
        MissingAttribute = "missing_attribute",
        /// A value that is needed cannot be read as its type, has the wrong multiplicity, or is out of its domain.
        MalformedValue = "malformed_value",
        /// Modality is not CT, or the SOP class is present and is not a CT image class.
        NotCt = "not_ct",
        /// Image Type value 3 is LOCALIZER: the standard does not make its output Hounsfield units.
        Localizer = "localizer",
        /// The data set ends cleanly but has no Pixel Data.
        NoPixelData = "no_pixel_data",
        /// Samples per Pixel is not 1, or Photometric Interpretation is not MONOCHROME1 or MONOCHROME2.
        NotGreyscale = "not_greyscale",
        /// Rows, Columns, frames, the bit attributes and the pixel bytes cannot all be true.
        InconsistentPixelGeometry = "inconsistent_pixel_geometry",
        /// The compressed data inside intact fragments cannot be decoded as the declared transfer syntax.
        CorruptCodestream = "corrupt_codestream",
        /// Rescale Slope or Rescale Intercept is absent or empty.
        MissingRescale = "missing_rescale",
        /// Rescale Type names a unit other than HU.
        NotHounsfield = "not_hounsfield",
        /// A Modality LUT Sequence is present at the top level.
        UnsupportedModalityLut = "unsupported_modality_lut",
        /// The image has several frames where one slice is needed.
        UnsupportedMultiframe = "unsupported_multiframe",
    }
}

impl Refusal {
    /// What someone who meets this refusal can do.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NotDicom => "remove the file from the folder; it is no DICOM file",
            Self::Truncated => "copy or export the file again; its end is missing",
            Self::MalformedStructure => {
                "export the file again; no reader can be sure what it means"
            }
            Self::NestingTooDeep => "leave the file out; no scanner nests sequences so deep",
            Self::TooLarge => {
                "check Rows, Columns and Number of Frames; the limit is 1 GiB of decoded data"
            }
            Self::UnsupportedTransferSyntax => {
                "convert the file to explicit VR little endian first (gdcmconv --raw)"
            }
            Self::MissingAttribute | Self::MalformedValue => {
                "export the image again from its source with this attribute right; falx does not guess it"
            }
            Self::NotCt => "leave the file out; falx reads CT images alone",
            Self::Localizer => "leave the file out; a localizer has no Hounsfield units",
            Self::NoPixelData => "leave the file out, or export the image together with its pixels",
            Self::NotGreyscale => {
                "use the original image; a colour rendering has no Hounsfield units"
            }
            Self::InconsistentPixelGeometry => {
                "export the image again; header and pixel bytes contradict each other"
            }
            Self::CorruptCodestream => {
                "copy or export the file again; its compressed image is damaged"
            }
            Self::MissingRescale => {
                "export the image with Rescale Slope and Rescale Intercept; falx does not assume them"
            }
            Self::NotHounsfield => "leave the file out; its values have another unit than HU",
            Self::UnsupportedModalityLut => {
                "export the image with Rescale Slope and Rescale Intercept instead of a Modality LUT"
            }
            Self::UnsupportedMultiframe => {
                "convert the image to single frames first (one file a slice)"
            }
        }
    }
}

/// A refusal with what was found where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{refusal}: {detail}; {}", .refusal.remedy())]
pub struct Refused {
    /// The reason.
    pub refusal: Refusal,
    /// Which attribute or place, and what was found there; never a patient's name, id or date.
    pub detail: String,
}

impl Refused {
    pub(crate) fn new(refusal: Refusal, detail: impl Into<String>) -> Self {
        Self {
            refusal,
            detail: detail.into(),
        }
    }
}

/// Why a file could not be read as a CT slice.
#[derive(Debug, thiserror::Error)]
pub enum DicomError {
    /// The operating system did not give the file's bytes.
    #[error("{}: cannot be read ({source}); check that the file exists and may be read", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are no CT slice in Hounsfield units.
    #[error("{}: {refused}", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        refused: Refused,
    },
}

impl DicomError {
    /// The refusal, where it is one.
    pub const fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused { refused, .. } => Some(refused),
            Self::Io { .. } => None,
        }
    }
}
