//! Randomness that depends on what is drawn, never on when or by which thread.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A generator of its own for one purpose and one item, say `("augment", [epoch, index])`.
///
/// Equal arguments give equal streams on every machine; different ones give independent streams.
pub fn stream(seed: u64, purpose: &str, path: &[u64]) -> ChaCha8Rng {
    // FNV-1a keeps purposes apart; `SplitMix64` then spreads every word over the whole 256-bit key.
    let mut state = seed ^ fnv1a(purpose.as_bytes());
    for &word in path {
        state = mix(state.wrapping_add(GOLDEN)) ^ word.wrapping_mul(0xD6E8_FEB8_6659_FD93);
    }
    let mut key = [0_u8; 32];
    for part in key.chunks_exact_mut(8) {
        state = state.wrapping_add(GOLDEN);
        part.copy_from_slice(&mix(state).to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// `SplitMix64`'s finaliser (Steele, Lea, Flood 2014).
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
