//! Identifiers that follow from what they identify.

/// A UID from the hash of `parts`: the same parts give the same one, others another.
///
/// # Source
/// DICOM PS3.5, B.2 (`2.25.` and a UUID as a decimal number); RFC 9562, 5.8 (a UUID of version 8 is made as its maker
/// likes, here from BLAKE3).
pub fn derived(parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut half = [0; 16];
    hasher.finalize_xof().fill(&mut half);
    let bits = u128::from_be_bytes(half) & !(0xF << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62;
    format!("2.25.{bits}")
}

/// Whether a text is a UID by its form.
///
/// # Source
/// DICOM PS3.5, 9.1.
pub fn is_one(text: &str) -> bool {
    let component = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part.len() == 1 || !part.starts_with('0'))
    };
    text.len() <= 64 && text.contains('.') && text.split('.').all(component)
}

#[cfg(test)]
mod tests {
    use super::{derived, is_one};

    #[test]
    fn a_derived_uid_is_one_and_follows_from_its_parts() {
        let uid = derived(&[b"ab", b"c"]);
        assert!(is_one(&uid), "{uid}");
        assert_eq!(uid, derived(&[b"ab", b"c"]));
        assert_ne!(uid, derived(&[b"a", b"bc"]));
        let bits: u128 = uid["2.25.".len()..].parse().unwrap();
        assert_eq!((bits >> 76 & 0xF, bits >> 62 & 0x3), (8, 2));
    }

    #[test]
    fn what_is_no_uid_is_told_apart() {
        assert!(is_one("1.2.840.10008.5.1.4.1.1.2") && is_one("2.25.0"));
        let long = format!("2.25.{}", "1".repeat(60));
        for text in ["", "ID_974735bf79", "1..2", "1.02", "12", long.as_str()] {
            assert!(!is_one(text), "{text}");
        }
    }
}
