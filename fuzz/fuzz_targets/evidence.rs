//! What is written of a study whose slice is the input: its first byte says how the elements behind a sound file meta group are
//! written, or that a whole file follows. Set `TMPDIR` to a folder in memory: objects are written and synced.
#![no_main]

use std::path::Path;

use falx_core::{Label, Probability};
use falx_evidence::{
    AlgorithmIdentification, Finding, HeatMap, KeyPicture, MapFrame, MapQuantity, Presence,
    RgbPicture, SourceSlice, StudyFindings, WrittenAt, write_study,
};
use falx_fuzz::{NATIVE, meta};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, rest)) = bytes.split_first() else {
        return;
    };
    let mut file = match NATIVE.get(usize::from(choice) % (NATIVE.len() + 1)) {
        Some(syntax) => meta(syntax),
        None => Vec::new(),
    };
    file.extend(rest);
    // What a detector cannot read it says nothing of.
    let Ok(decoded) = falx_dicom::read_bytes(&file) else {
        return;
    };
    let Ok(source) = SourceSlice::from_bytes(Path::new("slice.dcm"), &file) else {
        return;
    };
    let Some(pixels) = decoded
        .slices
        .first()
        .map(|slice| slice.header.rows * slice.header.cols)
    else {
        return;
    };
    // Larger maps are slow to write, and no different.
    if pixels <= 1 << 14 {
        write(source, pixels);
    }
});

fn write(source: SourceSlice, pixels: usize) {
    let name = source.sop_instance_uid().to_owned();
    let half = Probability::new(0.5).expect("a probability");
    let frame = MapFrame {
        slice: 0,
        values: vec![0.5; pixels],
    };
    let maps = HeatMap::of_frames(
        Label::Subdural,
        MapQuantity::Saliency,
        vec![frame],
        std::slice::from_ref(&source),
    );
    let picture = RgbPicture {
        rows: 2,
        cols: 2,
        pixels: vec![9; 12],
    };
    let findings = StudyFindings {
        sources: vec![source],
        findings: vec![Finding {
            label: Label::Subdural,
            probability: half,
            presence: Some(Presence::Present),
            interval: None,
            threshold: Some(half),
            key_slices: vec![0],
        }],
        algorithm: AlgorithmIdentification {
            name: "fuzz".into(),
            ..AlgorithmIdentification::default()
        },
        prevalence: None,
        written_at: WrittenAt::new(0, 0).expect("1970"),
        pictures: vec![KeyPicture {
            slice: 0,
            label: Label::Subdural,
            description: "none".into(),
            picture,
        }],
        heat_maps: maps,
    };
    let folder = std::env::temp_dir().join(format!("falx-fuzz-evidence-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    match write_study(&findings, &folder) {
        Ok(written) => {
            assert!(
                written.objects.len() >= 4,
                "a report, a page, a picture and the slice's key object"
            );
            for object in &written.objects {
                let again = SourceSlice::read(&object.path).expect("what was written can be read");
                assert_eq!(
                    again.sop_instance_uid(),
                    object.sop_instance_uid,
                    "its name"
                );
                assert_ne!(again.sop_instance_uid(), name, "a name of its own");
            }
        }
        Err(error) => assert!(
            !error.to_string().is_empty(),
            "a refusal says what was found"
        ),
    }
}
