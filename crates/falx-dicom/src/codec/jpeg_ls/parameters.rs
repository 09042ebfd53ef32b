//! The coding parameters of a scan.

use super::corrupt;
use crate::Refused;

/// What a codestream may set itself; 0 stands for the default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Thresholds {
    most: i32,
    gradients: [i32; 3],
    reset: i32,
}

impl Thresholds {
    /// Reads an LSE segment of preset coding parameters (T.87 C.2.4.1).
    pub(super) fn read(segment: &[u8]) -> Result<Self, Refused> {
        let &[1, a, b, c, d, e, f, g, h, i, j] = segment else {
            return Err(corrupt(
                "the codestream has presets that are not its coding parameters",
            ));
        };
        let [most, t1, t2, t3, reset] =
            [[a, b], [c, d], [e, f], [g, h], [i, j]].map(|two| i32::from(u16::from_be_bytes(two)));
        Ok(Self {
            most,
            gradients: [t1, t2, t3],
            reset,
        })
    }
}

/// The variables that T.87 names in capitals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameters {
    /// MAXVAL: the largest sample.
    pub(super) most: i32,
    /// NEAR: how far a sample may be off.
    pub(super) near: i32,
    /// T1, T2, T3.
    pub(super) gradients: [i32; 3],
    /// RESET: after how many samples a context's sums are halved.
    pub(super) reset: i32,
    /// RANGE: how many errors there are.
    pub(super) range: i32,
    /// qbpp: the bits of an error that is written out.
    pub(super) error_bits: u32,
    /// LIMIT: the longest code of an error.
    pub(super) limit: u32,
}

impl Parameters {
    /// The parameters of samples up to `most`.
    ///
    /// # Source
    /// T.87 A.2.1 and C.2.4.1.1.
    pub(super) fn new(most: i32, near: i32, given: Thresholds) -> Result<Self, Refused> {
        let most = if given.most == 0 {
            most
        } else {
            given.most.min(most)
        };
        if near > 255.min(most / 2) {
            return Err(corrupt(
                "the codestream allows errors as large as its samples",
            ));
        }
        let or_default = |given: i32, default: i32| if given == 0 { default } else { given };
        let [t1, t2, t3] = default_gradients(most, near);
        let [g1, g2, g3] = given.gradients;
        let gradients = [or_default(g1, t1), or_default(g2, t2), or_default(g3, t3)];
        let reset = or_default(given.reset, 64);
        let ascends = near < gradients[0] && gradients.is_sorted() && gradients[2] <= most;
        if !ascends || !(3..=255.max(most)).contains(&reset) {
            return Err(corrupt(
                "the codestream's coding parameters are out of their ranges",
            ));
        }
        let range = (most + 2 * near) / (2 * near + 1) + 1;
        let bits_of = |count: i32| (count - 1).max(1).ilog2() + 1;
        let sample_bits = bits_of(most + 1).max(2);
        Ok(Self {
            most,
            near,
            gradients,
            reset,
            range,
            error_bits: bits_of(range),
            limit: 2 * (sample_bits + sample_bits.max(8)),
        })
    }
}

fn default_gradients(most: i32, near: i32) -> [i32; 3] {
    let clamp = |value: i32, low: i32| {
        if value > most || value < low {
            low
        } else {
            value
        }
    };
    let [a, b, c] = if most >= 128 {
        let factor = (most.min(4095) + 128) / 256;
        [factor + 2, 4 * factor + 3, 17 * factor + 4]
    } else {
        let factor = 256 / (most + 1);
        [
            (3 / factor).max(2),
            (7 / factor).max(3),
            (21 / factor).max(4),
        ]
    };
    let t1 = clamp(a + 3 * near, near + 1);
    let t2 = clamp(b + 5 * near, t1);
    let t3 = clamp(c + 7 * near, t2);
    [t1, t2, t3]
}
