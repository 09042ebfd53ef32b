//! What a Transfer Syntax UID says about a file: how its elements are written and how its pixels are packed.

use dicom_dictionary_std::uids;

use crate::codec::Codec;
use crate::cursor::Encoding;
use crate::{Refusal, Refused};

/// How the bytes after the file meta group are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransferSyntax {
    pub(crate) encoding: Encoding,
    /// The whole data set is a raw DEFLATE stream (PS3.5 A.5).
    pub(crate) is_deflated: bool,
    /// How the frames are compressed, where they are.
    pub(crate) codec: Option<Codec>,
}

impl TransferSyntax {
    const fn native(encoding: Encoding) -> Self {
        Self {
            encoding,
            is_deflated: false,
            codec: None,
        }
    }

    /// The transfer syntax of this UID.
    #[expect(
        deprecated,
        reason = "big endian is retired, and archives are full of it"
    )]
    pub(crate) fn of(uid: &str) -> Result<Self, Refused> {
        match uid {
            uids::IMPLICIT_VR_LITTLE_ENDIAN => Ok(Self::native(Encoding::ImplicitVr)),
            uids::EXPLICIT_VR_LITTLE_ENDIAN => Ok(Self::native(Encoding::ExplicitVr)),
            uids::EXPLICIT_VR_BIG_ENDIAN => Ok(Self::native(Encoding::ExplicitVrBigEndian)),
            uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN => Ok(Self {
                is_deflated: true,
                ..Self::native(Encoding::ExplicitVr)
            }),
            other => match Codec::of(other) {
                Some(codec) => Ok(Self {
                    codec: Some(codec),
                    ..Self::native(Encoding::ExplicitVr)
                }),
                None => Err(Refused::new(
                    Refusal::UnsupportedTransferSyntax,
                    format!("Transfer Syntax UID is {}", other.escape_default()),
                )),
            },
        }
    }
}

/// The name of a transfer syntax that is read.
///
/// # Source
/// PS3.6 Table A-1.
pub(crate) fn name_of(uid: &str) -> &'static str {
    match uid.strip_prefix("1.2.840.10008.1.2").unwrap_or("?") {
        "" => "Implicit VR Little Endian",
        ".1" => "Explicit VR Little Endian",
        ".1.99" => "Deflated Explicit VR Little Endian",
        ".2" => "Explicit VR Big Endian (retired)",
        ".4.50" => "JPEG Baseline",
        ".4.51" => "JPEG Extended",
        ".4.57" => "JPEG Lossless",
        ".4.70" => "JPEG Lossless SV1",
        ".4.80" => "JPEG-LS Lossless",
        ".4.81" => "JPEG-LS Near-Lossless",
        ".4.90" => "JPEG 2000 Lossless Only",
        ".4.91" => "JPEG 2000",
        ".4.201" => "High-Throughput JPEG 2000 Lossless Only",
        ".4.202" => "High-Throughput JPEG 2000 RPCL Lossless Only",
        ".4.203" => "High-Throughput JPEG 2000",
        ".5" => "RLE Lossless",
        _ => "unknown",
    }
}
