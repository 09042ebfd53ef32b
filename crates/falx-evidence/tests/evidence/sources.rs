//! Sources as archives hold them: sparse, in other character sets, compressed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::{of_sources, open, share, text};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use falx_evidence::{EvidenceError, SourceSlice, StudyFindings, write_study};
use proptest::prelude::*;

/// Character sets with a patient's name in their bytes, and whether text of ours may have all of Unicode there.
const CHARACTER_SETS: [(Option<&str>, &[u8], bool); 9] = [
    (None, b"Doe^Jane", true),
    (Some("ISO_IR 100"), b"M\xFCller^Ren\xE9e", false),
    (Some("ISO_IR 192"), "Müller^Ren\u{e9}e ".as_bytes(), true),
    (Some("ISO_IR 144"), b"\xBB\xEE\xDA^\xC1 ", false),
    (Some("ISO_IR 126"), b"\xC4\xE9\xEF\xED", false),
    (Some("ISO_IR 148"), b"\xDDbo ", false),
    (Some("GB18030"), b"Wang^\xCD\xF5 ", true),
    (
        Some("\\ISO 2022 IR 87"),
        b"Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B ",
        false,
    ),
    (
        Some("ISO 2022 IR 13\\ISO 2022 IR 87"),
        b"\xD4\xCF\xC0\xDE^\xC0\xDB\xB3 ",
        false,
    ),
];

/// A CT image with little more than what makes it one.
fn bytes(character_set: Option<&str>, name: &[u8]) -> Vec<u8> {
    let mut set = InMemDicomObject::new_empty();
    let mut put = |tag: Tag, vr, text: &str| set.put_str(tag, vr, text.to_owned());
    put(tags::SOP_INSTANCE_UID, VR::UI, "2.25.3");
    put(tags::STUDY_INSTANCE_UID, VR::UI, "2.25.1");
    put(tags::SERIES_INSTANCE_UID, VR::UI, "2.25.2");
    if let Some(term) = character_set {
        let terms = PrimitiveValue::Strs(term.split('\\').map(str::to_owned).collect());
        set.put(DataElement::new(
            tags::SPECIFIC_CHARACTER_SET,
            VR::CS,
            terms,
        ));
    }
    let raw = PrimitiveValue::U8(name.iter().copied().collect());
    set.put(DataElement::new(tags::PATIENT_NAME, VR::PN, raw));
    set.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, "-1\\2\\3.5");
    set.put_str(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0");
    set.put_str(tags::PIXEL_SPACING, VR::DS, "0.5\\0.5");
    for tag in [tags::ROWS, tags::COLUMNS] {
        set.put(DataElement::new(tag, VR::US, PrimitiveValue::from(4_u16)));
    }
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.3");
    let mut bytes = Vec::new();
    let file = set.with_meta(meta).unwrap();
    file.write_all(&mut bytes).unwrap();
    bytes
}

fn findings(character_set: Option<&str>, name: &[u8]) -> StudyFindings {
    let source = SourceSlice::from_bytes(Path::new("a.dcm"), &bytes(character_set, name)).unwrap();
    of_sources(vec![source], 4)
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn names_keep_their_bytes_in_every_character_set() {
    for (character_set, name, _) in CHARACTER_SETS {
        let dir = tempfile::tempdir().unwrap();
        let written = write_study(&findings(character_set, name), dir.path()).unwrap();
        for object in written.objects {
            let set = open(&object.path);
            let own = text(&set, tags::SPECIFIC_CHARACTER_SET);
            assert_eq!(own, character_set.unwrap_or_default());
            let bytes = std::fs::read(&object.path).unwrap();
            assert!(holds(&bytes, name), "{character_set:?} {}", object.kind);
        }
    }
}

#[test]
fn a_sparse_file_is_enough_and_nothing_is_made_up() {
    let dir = tempfile::tempdir().unwrap();
    let written = write_study(&findings(None, b"Doe^Jane"), dir.path()).unwrap();
    for object in written.objects {
        let set = open(&object.path);
        for tag in [
            tags::PATIENT_ID,
            tags::PATIENT_SEX,
            tags::STUDY_DATE,
            tags::STUDY_ID,
            tags::ACCESSION_NUMBER,
        ] {
            assert!(set.get(tag).is_some(), "{tag} is of type 2");
            assert_eq!(text(&set, tag), "", "{tag} of {}", object.kind);
        }
        assert!(set.get(tags::PATIENT_AGE).is_none());
        // Places need a frame of reference; a map whose source names none has one of its own.
        let has_frame = set.get(tags::FRAME_OF_REFERENCE_UID).is_some();
        assert_eq!(has_frame, object.kind == "parametric map");
    }
}

#[test]
fn dates_and_times_are_of_the_studys_time_zone() {
    let with_zone = |zone: &str| {
        let whole = bytes(None, b"Doe^Jane");
        // An element of group 8 goes before the first of group 10, in order.
        let at = whole
            .windows(4)
            .position(|tag| tag == [0x10, 0, 0x10, 0])
            .unwrap();
        let element = [&[8, 0, 1, 2], &b"SH"[..], &[6, 0], zone.as_bytes()].concat();
        [&whole[..at], &element, &whole[at..]].concat()
    };
    let dir = tempfile::tempdir().unwrap();
    for (name, zone, date, time) in [
        ("east", "+0230 ", "20200913", "145640"),
        ("west", "-1400 ", "20200912", "222640"),
    ] {
        let source = SourceSlice::from_bytes(Path::new("a.dcm"), &with_zone(zone)).unwrap();
        let out = dir.path().join(name);
        write_study(&of_sources(vec![source], 4), &out).unwrap();
        let report = open(&out.join("falx-report.dcm"));
        assert_eq!(text(&report, tags::TIMEZONE_OFFSET_FROM_UTC), zone.trim());
        assert_eq!(text(&report, tags::CONTENT_DATE), date);
        assert_eq!(text(&report, tags::CONTENT_TIME), time);
    }
}

#[test]
fn a_heat_map_needs_slices_that_say_where_they_are() {
    let whole = bytes(None, b"Doe^Jane");
    // The tag of Image Position (Patient) becomes a private one.
    let at = whole.windows(4).position(|tag| tag == [0x20, 0, 0x32, 0]);
    let mut without = whole.clone();
    without[at.unwrap()] = 0x21;
    let source = SourceSlice::from_bytes(Path::new("a.dcm"), &without).unwrap();
    let mut findings = of_sources(vec![source], 4);
    let dir = tempfile::tempdir().unwrap();
    let error = write_study(&findings, dir.path()).unwrap_err();
    assert!(error.to_string().contains("Image Position"), "{error}");
    findings.heat_maps.clear();
    write_study(&findings, dir.path()).unwrap();
}

#[test]
fn identifiers_that_are_no_uids_are_repeated_and_told() {
    let Some(folder) = falx_fixtures::shared("data/rsna-dicom/stage_2_train") else {
        return;
    };
    let files = falx_fixtures::files_under(&folder);
    let source = SourceSlice::read(&files[0]).unwrap();
    let id = source.sop_instance_uid().to_owned();
    let dir = tempfile::tempdir().unwrap();
    let written = write_study(&of_sources(vec![source], 512), dir.path()).unwrap();
    let told: Vec<_> = written.not_uids.iter().map(|told| told.attribute).collect();
    assert_eq!(
        told,
        [
            "Study Instance UID",
            "Series Instance UID",
            "SOP Instance UID"
        ]
    );
    let report = std::fs::read(dir.path().join("falx-report.dcm")).unwrap();
    assert!(holds(&report, id.as_bytes()));
}

#[test]
fn headers_of_real_files_are_read_in_whatever_transfer_syntax() {
    let Some(folder) = falx_fixtures::shared("conformance") else {
        return;
    };
    let mut syntaxes = BTreeSet::new();
    for path in falx_fixtures::files_under(&folder) {
        let Ok(headers) = falx_dicom::read_headers(&path) else {
            continue;
        };
        let header = headers.first().expect("a file that is read has a frame");
        match SourceSlice::read(&path) {
            Ok(source) => {
                let id = Some(source.sop_instance_uid());
                assert_eq!(id, header.sop_instance_uid.as_deref(), "{}", path.display());
                syntaxes.insert(header.transfer_syntax.clone());
            }
            // Not all of this material says which study it is of.
            Err(EvidenceError::Missing { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(syntaxes.len() >= 10, "{syntaxes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_and_any_probability_is_read_back(
        chosen in 0_usize..CHARACTER_SETS.len(),
        name in ".{0,90}",
        value in "\\PC{0,200}",
        long in 0_usize..3000,
        shares in prop::array::uniform6(0.0_f64..=1.0),
    ) {
        let (character_set, patient, takes_all) = CHARACTER_SETS[chosen];
        let mut findings = findings(character_set, patient);
        findings.algorithm.name = name.clone();
        findings.algorithm.parameters = vec![("note".into(), value.clone() + &"x".repeat(long))];
        findings.pictures[0].description = value.clone() + &"y".repeat(long);
        for (finding, probability) in findings.findings.iter_mut().zip(shares) {
            finding.probability = share(probability);
            finding.interval = None;
        }
        let dir = tempfile::tempdir().unwrap();
        let written = write_study(&findings, dir.path()).unwrap();
        for object in &written.objects {
            let set = open(&object.path);
            for tag in [tags::MANUFACTURER_MODEL_NAME, tags::DEVICE_SERIAL_NUMBER] {
                let text = text(&set, tag);
                prop_assert!(!text.is_empty() && text.chars().count() <= 64);
                prop_assert!(!text.contains(['\\', '\n']));
            }
            let derivation = text(&set, tags::DERIVATION_DESCRIPTION);
            prop_assert!(derivation.chars().count() <= 1024);
            prop_assert_eq!(derivation.contains("Research use"), object.kind == "secondary capture");
            prop_assert!(holds(&std::fs::read(&object.path).unwrap(), patient));
        }
        let report = open(&written.objects[0].path);
        let numbers: Vec<f64> = crate::common::items(&report)
            .into_iter()
            .filter_map(|item| item.get(tags::MEASURED_VALUE_SEQUENCE))
            .map(|measured| &measured.items().unwrap()[0])
            .map(|measured| measured.get(tags::FLOATING_POINT_VALUE).unwrap().to_float64().unwrap())
            .collect();
        prop_assert_eq!(numbers, shares.map(|share| 100.0 * share).to_vec());
        let texts: Vec<String> = crate::common::items(&report)
            .into_iter()
            .map(|item| text(item, tags::TEXT_VALUE))
            .collect();
        let kept = texts.iter().find(|text| text.starts_with("note=")).unwrap();
        prop_assert!(kept.len() >= long);
        if takes_all {
            let plain: String = value.chars().filter(|c| !c.is_control()).collect();
            let wanted = format!("note={plain}{}", "x".repeat(long));
            prop_assert_eq!(kept.as_str(), wanted.trim_end());
        }
    }
}
