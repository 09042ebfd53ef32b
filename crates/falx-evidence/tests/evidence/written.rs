//! What is written into a folder, read back with dicom-object.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::common::{code, findings, items, open, phantom, share, text};
use dicom_dictionary_std::tags;
use falx_core::{LABELS, Label};
use falx_evidence::{EvidenceError, HeatMap, MapFrame, MapQuantity, WrittenAt, write_study};

#[test]
fn all_objects_stand_in_the_study_each_kind_in_a_series_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let files = phantom(dir.path(), 1);
    let findings = findings(&files, 4);
    let written = write_study(&findings, &dir.path().join("out")).unwrap();
    let names: Vec<_> = written
        .objects
        .iter()
        .map(|object| object.path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "falx-report.dcm",
            "falx-summary.dcm",
            "falx-picture-001.dcm",
            "falx-heat-map-1-subdural.dcm",
            "falx-key-objects.dcm"
        ]
    );
    assert!(written.not_uids.is_empty());
    let source = open(&files[0]);
    let mut series: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut instances = BTreeSet::new();
    for object in &written.objects {
        let set = open(&object.path);
        for tag in [
            tags::STUDY_INSTANCE_UID,
            tags::PATIENT_NAME,
            tags::PATIENT_ID,
            tags::PATIENT_AGE,
            tags::PATIENT_BIRTH_DATE,
            tags::DEIDENTIFICATION_METHOD,
        ] {
            assert!(set.get(tag).is_some(), "{tag} of {}", object.kind);
            assert_eq!(
                text(&set, tag),
                text(&source, tag),
                "{tag} of {}",
                object.kind
            );
        }
        assert_eq!(text(&set, tags::SOP_INSTANCE_UID), object.sop_instance_uid);
        assert_eq!(text(&set, tags::MANUFACTURER), "falx");
        assert_eq!(text(&set, tags::CONTENT_DATE), "20200913");
        let uid = text(&set, tags::SERIES_INSTANCE_UID);
        assert_ne!(uid, text(&source, tags::SERIES_INSTANCE_UID));
        series.entry(uid).or_default().insert(object.kind);
        assert!(instances.insert(object.sop_instance_uid.clone()));
    }
    assert_eq!(series.len(), 4);
    assert!(series.values().all(|kinds| kinds.len() == 1), "{series:?}");
}

#[test]
fn the_report_says_what_was_given() {
    let dir = tempfile::tempdir().unwrap();
    let mut findings = findings(&phantom(dir.path(), 1), 4);
    // A label without a rule has a probability, and no word on whether it is present.
    findings.findings[5].presence = None;
    let out = dir.path().join("out");
    write_study(&findings, &out).unwrap();
    let report = open(&out.join("falx-report.dcm"));
    let all = items(&report);
    let groups = all
        .iter()
        .filter(|item| code(item, tags::CONCEPT_NAME_CODE_SEQUENCE).as_deref() == Some("125007"));
    let mut told = Vec::new();
    for group in groups {
        let below = items(group);
        let named = |name: &str| {
            let mut named = below.iter().filter(|item| {
                code(item, tags::CONCEPT_NAME_CODE_SEQUENCE).as_deref() == Some(name)
            });
            named.next().copied()
        };
        let finding = code(named("121071").unwrap(), tags::CONCEPT_CODE_SEQUENCE).unwrap();
        let presence = named("121052");
        let presence = presence.map(|item| code(item, tags::CONCEPT_CODE_SEQUENCE).unwrap());
        let number = named("111012").unwrap();
        let measured = &number
            .get(tags::MEASURED_VALUE_SEQUENCE)
            .unwrap()
            .items()
            .unwrap()[0];
        let exact = measured
            .get(tags::FLOATING_POINT_VALUE)
            .unwrap()
            .to_float64()
            .unwrap();
        let images = below
            .iter()
            .filter(|item| text(item, tags::VALUE_TYPE) == "IMAGE");
        told.push((finding, presence, exact, images.count()));
    }
    let codes = [
        "82999001",
        "274100004",
        "23276006",
        "21454007",
        "35486000",
        "1386000",
    ];
    let presences = ["272519000", "373068000", "52101004"];
    assert_eq!(told.len(), 6);
    for (at, (finding, presence, percent, images)) in told.into_iter().enumerate() {
        assert_eq!(finding, codes[at]);
        let expected = presences.get(at / 2).filter(|_| at < 5);
        assert_eq!(presence.as_deref(), expected.copied());
        assert_eq!(percent, 100.0 * (at as f64 / 7.0));
        assert_eq!(images, if at < 2 { 0 } else { 2 });
    }
    let texts: Vec<String> = all
        .iter()
        .map(|item| text(item, tags::TEXT_VALUE))
        .collect();
    for sentence in [
        "Research use; not a medical device.",
        "threshold=0.5",
        "prevalence=0.1",
        "flip=true",
        "model=abc",
    ] {
        assert!(texts.iter().any(|text| text == sentence), "{sentence}");
    }
}

#[test]
fn heat_maps_keep_their_numbers_and_places() {
    let dir = tempfile::tempdir().unwrap();
    let findings = findings(&phantom(dir.path(), 1), 4);
    let out = dir.path().join("out");
    write_study(&findings, &out).unwrap();
    let map = open(&out.join("falx-heat-map-1-subdural.dcm"));
    let stored = map
        .get(tags::PIXEL_DATA)
        .unwrap()
        .to_multi_int::<u16>()
        .unwrap();
    let given = &findings.heat_maps[0].frames[0].values;
    assert_eq!(stored.len(), given.len());
    for (stored, given) in stored.iter().zip(given) {
        assert!((f32::from(*stored) / 65535.0 - given).abs() < 1e-5);
    }
    let frame = &map
        .get(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
        .unwrap()
        .items()
        .unwrap()[0];
    let position = &frame
        .get(tags::PLANE_POSITION_SEQUENCE)
        .unwrap()
        .items()
        .unwrap()[0];
    let own = open(findings.sources[3].path());
    let place = |set: &dicom_object::InMemDicomObject| {
        let element = set.get(tags::IMAGE_POSITION_PATIENT).unwrap();
        element.to_multi_float64().unwrap()
    };
    assert_eq!(place(position), place(&own));
}

#[test]
fn the_same_input_gives_the_same_bytes_and_another_instant_other_objects() {
    let dir = tempfile::tempdir().unwrap();
    let mut findings = findings(&phantom(dir.path(), 1), 3);
    let bytes = |name: &str, findings: &_| -> Vec<Vec<u8>> {
        let written = write_study(findings, &dir.path().join(name)).unwrap();
        let files = written
            .objects
            .iter()
            .map(|object| fs::read(&object.path).unwrap());
        files.collect()
    };
    let first = bytes("a", &findings);
    assert_eq!(first, bytes("a", &findings));
    assert_eq!(first, bytes("b", &findings));
    findings.written_at = WrittenAt::new(1_600_000_001, 0).unwrap();
    let later = bytes("c", &findings);
    assert!(first.iter().zip(&later).all(|(one, other)| one != other));
}

#[test]
fn without_key_slices_there_are_no_key_objects() {
    let dir = tempfile::tempdir().unwrap();
    let mut findings = findings(&phantom(dir.path(), 1), 3);
    findings
        .findings
        .iter_mut()
        .for_each(|finding| finding.key_slices.clear());
    let out = dir.path().join("out");
    let written = write_study(&findings, &out).unwrap();
    assert!(
        written
            .objects
            .iter()
            .all(|object| object.kind != "key object selection")
    );
}

#[test]
fn findings_that_contradict_each_other_or_their_slices_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let files = phantom(dir.path(), 2);
    let good = findings(&files, 3);
    let out = dir.path().join("out");
    let refused = |change: &dyn Fn(&mut falx_evidence::StudyFindings)| {
        let mut findings = good.clone();
        change(&mut findings);
        let error = write_study(&findings, &out).unwrap_err();
        assert!(!out.exists(), "{error}: something was written");
        error
    };
    let other = findings_of_last(&files);
    let error = refused(&|f| f.sources.push(other.clone()));
    assert!(matches!(error, EvidenceError::OtherStudy { .. }), "{error}");
    let error = refused(&|f| f.sources.push(f.sources[0].clone()));
    assert!(matches!(error, EvidenceError::SameImage { .. }), "{error}");
    let error = refused(&|f| f.sources.clear());
    assert!(matches!(error, EvidenceError::NoSource), "{error}");
    let error = refused(&|f| f.findings.clear());
    assert!(matches!(error, EvidenceError::NoFinding), "{error}");
    let error = refused(&|f| f.findings[1].label = LABELS[0]);
    assert!(
        matches!(error, EvidenceError::SameLabel(Label::Epidural)),
        "{error}"
    );
    let error = refused(&|f| f.findings[2].key_slices.push(3));
    assert!(
        matches!(
            error,
            EvidenceError::UnknownSlice {
                slice: 3,
                slices: 3,
                ..
            }
        ),
        "{error}"
    );
    let error = refused(&|f| f.findings[2].interval = Some([share(0.9), share(1.0)]));
    assert!(
        matches!(error, EvidenceError::Interval(Label::Intraventricular)),
        "{error}"
    );
    let error = refused(&|f| f.pictures[0].picture.rows = 4);
    assert!(
        matches!(error, EvidenceError::Picture { rows: 4, .. }),
        "{error}"
    );
    let error = refused(&|f| f.heat_maps[0].frames[0].values[7] = f32::NAN);
    assert!(matches!(error, EvidenceError::HeatMap { .. }), "{error}");
    let error = refused(&|f| f.heat_maps[0].frames.clear());
    assert!(matches!(error, EvidenceError::HeatMap { .. }), "{error}");
    let error = refused(&|f| {
        f.heat_maps[0].frames[0].values.pop();
    });
    assert!(matches!(error, EvidenceError::HeatMap { .. }), "{error}");
}

fn findings_of_last(files: &[std::path::PathBuf]) -> falx_evidence::SourceSlice {
    falx_evidence::SourceSlice::read(files.last().unwrap()).unwrap()
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let findings = findings(&phantom(dir.path(), 1), 3);
    // A file where the folder should be, and a folder where a file should be: both hold for root too.
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let folder = dir.path().join("folder");
    fs::create_dir_all(folder.join("falx-report.dcm").join("x")).unwrap();
    for out in [file, folder] {
        let error = write_study(&findings, &out).unwrap_err();
        assert!(matches!(error, EvidenceError::Io { .. }), "{error}");
        assert!(error.to_string().contains(out.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_folder_never_mixes_two_runs() {
    let dir = tempfile::tempdir().unwrap();
    let mut findings = findings(&phantom(dir.path(), 1), 3);
    let out = dir.path().join("out");
    write_study(&findings, &out).unwrap();
    findings.pictures.clear();
    let error = write_study(&findings, &out).unwrap_err();
    assert!(
        matches!(&error, EvidenceError::LeftOver(path) if path.ends_with("falx-picture-001.dcm")),
        "{error}"
    );
}

#[test]
fn parts_of_a_map_that_lie_together_become_one_object() {
    let dir = tempfile::tempdir().unwrap();
    let files = phantom(dir.path(), 1);
    let mut all = findings(&files, 3);
    // The last slice does not say where it lies.
    let path = dir.path().join("nowhere.dcm");
    let mut file = open(&files[2]);
    file.remove_element(tags::IMAGE_POSITION_PATIENT);
    file.write_to_file(&path).unwrap();
    all.sources[2] = falx_evidence::SourceSlice::read(&path).unwrap();
    let frames = (0..3).map(|slice| MapFrame {
        slice,
        values: vec![0.5; 64 * 64],
    });
    let quantity = MapQuantity::Saliency;
    let maps = HeatMap::of_frames(Label::Any, quantity, frames.collect(), &all.sources);
    let [map] = maps.as_slice() else {
        panic!("{} maps", maps.len());
    };
    let slices: Vec<usize> = map.frames.iter().map(|frame| frame.slice).collect();
    assert_eq!(
        (map.label, map.quantity, slices),
        (Label::Any, quantity, vec![0, 1])
    );
    all.heat_maps = maps;
    let out = dir.path().join("out");
    write_study(&all, &out).unwrap();
    let written = open(&out.join("falx-heat-map-1-any.dcm"));
    let frames = written.element(tags::NUMBER_OF_FRAMES).unwrap();
    assert_eq!(frames.to_int::<u32>().unwrap(), 2);
}
