use std::fmt::Write as _;
use std::path::PathBuf;

use falx_core::{ImageId, PatientId};

use super::{Groups, GroupsError};

fn read(text: &str) -> Result<Groups, GroupsError> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("groups.csv");
    std::fs::write(&path, text).unwrap();
    Groups::read(&path)
}

fn of(groups: &Groups, image: &str, patient: &str, study: &str) -> Vec<String> {
    let found = groups.of(
        &ImageId::from(image),
        &PatientId::from(patient),
        Some(study),
    );
    found
        .into_iter()
        .map(|(a, v)| format!("{a}: {v}"))
        .collect()
}

#[test]
fn words_stay_and_numbers_are_cut_at_their_quartiles() {
    let mut text = "\u{feff}patient,ward,lesion_ml\n".to_owned();
    for n in 1..=8 {
        let ward = if n % 2 == 0 { "stroke" } else { "" };
        let _ = writeln!(text, "P{n},{ward},{n}.5");
    }
    let groups = read(&text).unwrap();
    assert_eq!(of(&groups, "x", "P1", "s"), ["lesion_ml: up to 2.5"]);
    assert_eq!(
        of(&groups, "x", "P4", "s"),
        ["ward: stroke", "lesion_ml: over 2.5 to 4.5"]
    );
    assert_eq!(
        of(&groups, "x", "P8", "s"),
        ["ward: stroke", "lesion_ml: over 6.5"]
    );
    assert!(of(&groups, "P1", "Q", "P1").is_empty());
}

#[test]
fn few_numbers_are_groups_by_themselves_and_the_finest_key_counts() {
    let groups = read("study_uid,image_id,grade\n1.2,a,1\n1.2,b,2\n").unwrap();
    assert_eq!(of(&groups, "b", "P", "1.2"), ["grade: 2"]);
    let groups = read("Study_UID,grade\n1.2,1\n").unwrap();
    assert_eq!(of(&groups, "b", "P", "1.2"), ["grade: 1"]);
}

#[test]
fn what_cannot_be_used_is_named() {
    let said = |text: &str| read(text).unwrap_err().to_string();
    assert!(said("name,ward\na,b\n").contains("found: name, ward"));
    assert!(said("patient\na\n").contains("no column but patient"));
    assert!(said("patient,ward\na,b\na,c\n").contains("line 3 repeats the patient"));
    assert!(said("patient,ward\na\n").contains("not a readable CSV table"));
}
