//! A cache's shard: the bytes as they are, as a packed slice, or as the only slice of a sound shard; the first byte
//! chooses.
#![no_main]

use falx_data::cache::{Held, SHARD, pack_slice, read_shard, unpack_slice};
use falx_dicom::CtSlice;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let unpacked = unpack_slice(bytes);
    match choice % 3 {
        0 => {
            let held = read_shard(bytes);
            assert_eq!(held.len(), SHARD, "places");
            for slice in held.iter().filter_map(of_slice) {
                check(slice);
            }
        }
        1 => {
            if let Some(slice) = &unpacked {
                check(slice);
                let packed = pack_slice(slice).expect("what was unpacked can be packed");
                let again = unpack_slice(&packed).expect("what was packed can be unpacked");
                assert_eq!(bits(&again), bits(slice), "values");
            }
        }
        _ => {
            let held = read_shard(&shard(bytes));
            assert_eq!(held.first().and_then(of_slice).map(bits), unpacked.as_ref().map(bits));
            assert!(held.iter().skip(1).all(|held| *held == Held::Empty), "nothing else");
        }
    }
});

fn of_slice(held: &Held) -> Option<&CtSlice> {
    match held {
        Held::Slice(slice) => Some(slice),
        Held::Empty | Held::Damaged => None,
    }
}

fn check(slice: &CtSlice) {
    assert_eq!(slice.hu.len(), slice.header.rows * slice.header.cols, "HU");
    if let Some(spacing) = slice.header.pixel_spacing {
        assert!(spacing.iter().all(|mm| mm.is_finite()), "spacing");
    }
}

fn bits(slice: &CtSlice) -> Vec<u32> {
    slice.hu.iter().map(|hu| hu.0.to_bits()).collect()
}

/// A shard with `packed` at its first place and nothing at the others.
fn shard(packed: &[u8]) -> Vec<u8> {
    const TABLE: usize = 8 + SHARD * 32;
    let mut bytes = b"falxHU2\n".to_vec();
    for place in 0..SHARD {
        let mut said = [0; 28];
        // An empty slice is no slice: its length says so.
        if place == 0 && !packed.is_empty() {
            said[..8].copy_from_slice(&(TABLE as u64).to_le_bytes());
            said[8..12].copy_from_slice(&(packed.len() as u32).to_le_bytes());
            said[12..].copy_from_slice(&blake3::hash(packed).as_bytes()[..16]);
        }
        bytes.extend(said);
        bytes.extend(&blake3::hash(&said).as_bytes()[..4]);
    }
    bytes.extend(packed);
    bytes
}
