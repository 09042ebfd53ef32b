//! What a reconstruction kernel's name says of how sharp the picture is.

use serde::{Deserialize, Serialize};

/// How a reconstruction kernel treats fine detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KernelKind {
    /// For soft tissue such as the brain: little noise.
    Soft,
    /// For bone or lung: sharp edges, and noise in which blood is hard to see.
    Sharp,
}

impl KernelKind {
    /// Its name in outputs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Sharp => "sharp",
        }
    }

    /// What the DICOM attribute Convolution Kernel says; `None` for a name that is not known.
    ///
    /// # Source
    /// The makers' DICOM conformance statements and the names in public collections: Siemens letters with a number that
    /// grows with sharpness (H31s, Hr40, J70h); General Electric words (STANDARD, SOFT, BONEPLUS); Canon and Toshiba FC
    /// with a number (FC21 to FC29 and FC64 to FC68 heads, FC30 to FC39 and FC80 to FC89 bone and inner ear, FC50 to FC59
    /// lungs); Philips letters (UB and B soft, D and E sharp, L and Y lungs).
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.split('\\').next().unwrap_or_default().trim();
        let name = name.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["BONE", "LUNG", "SHARP", "EDGE", "ULTRA"]) {
            return Some(Self::Sharp);
        }
        if has(&["BRAIN", "SOFT", "STANDARD", "SMOOTH", "STND", "HEAD"]) {
            return Some(Self::Soft);
        }
        let letters: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
        let digits = name.get(letters.len()..).unwrap_or_default();
        let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse::<u32>() {
            return match letters.as_str() {
                "FC" => Some(match number {
                    30..=39 | 50..=59 | 80..=89 => Self::Sharp,
                    _ => Self::Soft,
                }),
                // The family, and r for iterative reconstruction's kernels.
                "H" | "J" | "B" | "U" | "Q" | "HR" | "HC" | "HV" | "BR" | "BV" | "QR" | "BL"
                | "UR" => Some(if number < 50 { Self::Soft } else { Self::Sharp }),
                _ => None,
            };
        }
        match name.as_str() {
            "A" | "B" | "C" | "UA" | "UB" | "UC" => Some(Self::Soft),
            "D" | "E" | "EB" | "EC" | "L" | "YA" | "YB" | "YC" | "YD" | "YE" => Some(Self::Sharp),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KernelKind::{self, Sharp, Soft};

    #[test]
    fn the_makers_names_are_told_apart() {
        let cases = [
            ("H31s", Some(Soft)),
            ("J40s\\3", Some(Soft)),
            ("Hr38f\\2", Some(Soft)),
            ("H60s", Some(Sharp)),
            ("J70h\\2", Some(Sharp)),
            ("STANDARD", Some(Soft)),
            ("SOFT", Some(Soft)),
            ("BONEPLUS", Some(Sharp)),
            ("FC26", Some(Soft)),
            ("FC68", Some(Soft)),
            ("FC30", Some(Sharp)),
            ("FC81", Some(Sharp)),
            ("UB", Some(Soft)),
            ("D", Some(Sharp)),
            ("", None),
            ("X1", None),
            ("??", None),
            ("Ä9", None),
        ];
        for (name, kind) in cases {
            assert_eq!(KernelKind::of_name(name), kind, "{name}");
        }
    }
}
