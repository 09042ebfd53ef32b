//! Small codestreams that other software made of a formula (`samples/make_samples.py`): they are decoded to what went
//! into them, every cut is refused, and no change of their bytes does harm.

use proptest::prelude::*;

use super::{Codec, FrameFormat, decode, frame};
use crate::Refusal;

const ROWS: usize = 23;
const COLS: usize = 17;

struct Sample {
    codec: Codec,
    bytes: &'static [u8],
    /// The largest sample, which stands for its depth.
    most: i32,
    /// How far a decoded sample may be off.
    tolerance: i32,
}

macro_rules! samples {
    ($($codec:ident $file:literal up to $most:literal within $tolerance:literal;)*) => {
        &[$(Sample {
            codec: Codec::$codec,
            bytes: include_bytes!(concat!("../samples/", $file)),
            most: $most,
            tolerance: $tolerance,
        }),*]
    };
}

const SAMPLES: &[Sample] = samples! {
    Jpeg "jpeg_8.jpg" up to 255 within 9;
    Jpeg "jpeg_8_restarts.jpg" up to 255 within 9;
    Jpeg "jpeg_12.jpg" up to 4095 within 40;
    JpegLossless "jpeg_lossless_1.jpg" up to 65535 within 0;
    JpegLossless "jpeg_lossless_2.jpg" up to 65535 within 0;
    JpegLossless "jpeg_lossless_3.jpg" up to 65535 within 0;
    JpegLossless "jpeg_lossless_4.jpg" up to 65535 within 0;
    JpegLossless "jpeg_lossless_5.jpg" up to 65535 within 0;
    JpegLossless "jpeg_lossless_6.jpg" up to 65535 within 0;
    JpegLossless "jpeg_lossless_7.jpg" up to 65535 within 0;
    JpegLs "jpeg_ls.jls" up to 65535 within 0;
    JpegLs "jpeg_ls_near_3.jls" up to 255 within 3;
    Jpeg2000 "jpeg_2000.j2k" up to 4095 within 0;
    Jpeg2000 "jpeg_2000.jp2" up to 255 within 0;
    Jpeg2000 "jpeg_2000_lossy.j2k" up to 255 within 12;
    HighThroughputJpeg2000 "htj2k.j2c" up to 65535 within 0;
};

impl Sample {
    fn frame(&self) -> FrameFormat {
        frame(ROWS, COLS, (self.most + 1).ilog2() as u16)
    }

    /// What the codestream was made of.
    fn image(&self) -> Vec<i32> {
        let value = |at: usize| {
            let (r, c) = ((at / COLS) as i32, (at % COLS) as i32);
            match (r, c) {
                (12, 3) => self.most,
                (13, 4) => 0,
                (5..9, 2..) => 90,
                _ => 5 * r + 3 * c + (7 * r + 13 * c) % 29,
            }
        };
        (0..ROWS * COLS).map(value).collect()
    }
}

#[test]
fn samples_are_decoded_to_what_went_into_them() {
    for (number, sample) in SAMPLES.iter().enumerate() {
        let frame = sample.frame();
        let cells = decode(sample.codec, sample.bytes, &frame).unwrap();
        let value = |cell: &[u8]| {
            cell.iter()
                .rev()
                .fold(0, |sum, &b| (sum << 8) | i32::from(b))
        };
        let values: Vec<i32> = cells.chunks(frame.cell_bytes()).map(value).collect();
        let image = sample.image();
        assert_eq!(values.len(), image.len(), "sample {number}");
        let off = values
            .iter()
            .zip(&image)
            .map(|(a, b)| (a - b).abs())
            .max()
            .unwrap();
        assert!(off <= sample.tolerance, "sample {number}: off by {off}");
        assert_eq!(off == 0, sample.tolerance == 0, "sample {number}");
    }
}

#[test]
fn every_cut_is_refused() {
    for (number, sample) in SAMPLES.iter().enumerate() {
        for length in 0..sample.bytes.len() {
            let refusal = decode(sample.codec, &sample.bytes[..length], &sample.frame());
            assert!(refusal.is_err(), "sample {number} cut to {length} bytes");
        }
    }
}

#[test]
fn a_codestream_of_another_size_or_codec_is_refused() {
    for (number, sample) in SAMPLES.iter().enumerate() {
        let mut wrong = sample.frame();
        std::mem::swap(&mut wrong.rows, &mut wrong.cols);
        assert_eq!(
            decode(sample.codec, sample.bytes, &wrong),
            Err(Refusal::InconsistentPixelGeometry),
            "sample {number}"
        );
        for other in [
            Codec::Jpeg,
            Codec::JpegLossless,
            Codec::JpegLs,
            Codec::Jpeg2000,
        ] {
            let is_same_family = sample.codec == Codec::HighThroughputJpeg2000;
            if other != sample.codec && !is_same_family {
                let found = decode(other, sample.bytes, &sample.frame());
                assert_eq!(
                    found,
                    Err(Refusal::CorruptCodestream),
                    "sample {number} as {other:?}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_changed_codestream_does_no_harm(
        sample in 0..SAMPLES.len(),
        changes in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..8),
    ) {
        let sample = &SAMPLES[sample];
        let mut bytes = sample.bytes.to_vec();
        for (at, byte) in changes {
            *at.get_mut(&mut bytes) = byte;
        }
        let frame = sample.frame();
        if let Ok(cells) = decode(sample.codec, &bytes, &frame) {
            prop_assert_eq!(cells.len(), ROWS * COLS * frame.cell_bytes());
        }
    }
}
