//! What layouts call their patients, slices and masks.

use std::path::{Path, PathBuf};

use falx_core::{ImageId, PatientId};

use super::files::is_rsna_id;
use super::{IndexRow, Layout};

/// `CQ500-CT-12` from a folder `CQ500CT12 CQ500CT12`, wherever it is on the path.
pub(super) fn cq500_patient(path: &Path) -> Option<PatientId> {
    path.iter().rev().find_map(|part| {
        let part = part.to_string_lossy().to_ascii_uppercase();
        let rest = part.strip_prefix("CQ500CT")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then(|| PatientId(format!("CQ500-CT-{digits}")))
    })
}

/// The folder above the window's.
pub(super) fn patient_folder(relative: &str) -> String {
    let above = relative.rsplit('/').nth(2);
    above.unwrap_or_default().to_owned()
}

/// CT-ICH's names: one study with one series a patient.
pub(super) fn name_ct_ich(row: &mut IndexRow, patient: &str, slice: u32) {
    let number = patient.trim_start_matches('0');
    let patient = format!("CT-ICH-{number:0>3}");
    row.image_id = ImageId(format!("{patient}-{slice:03}"));
    row.study_uid = Some(patient.as_str().into());
    row.series_uid = Some(patient.as_str().into());
    row.patient = Some(PatientId(patient));
}

/// `12_HGE_Seg.png` beside `12.png`.
pub(super) fn mask_beside(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_string_lossy();
    ["png", "jpg", "jpeg"].iter().find_map(|ending| {
        let mask = path.with_file_name(format!("{stem}_HGE_Seg.{ending}"));
        mask.is_file().then_some(mask)
    })
}

/// RSNA's own pseudonym as it is, and those of other anonymised sets; any other patient id as a keyed hash.
///
/// The key is the same for every index, so that one patient's studies meet across data sets. Whoever holds
/// a list of patient ids could therefore recognise them: an index is pseudonymous, not anonymous.
pub(super) fn pseudonym(patient_id: &str, layout: Layout) -> PatientId {
    if layout.is_anonymised() && is_rsna_id(patient_id) {
        return PatientId(patient_id.to_owned());
    }
    let key = blake3::derive_key("falx 2026 patient pseudonym", b"");
    let hash = blake3::keyed_hash(&key, patient_id.as_bytes());
    PatientId(format!("P{}", &hash.to_hex()[..24]))
}
