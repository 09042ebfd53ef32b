use falx_core::Silent;

use super::*;
use crate::synthetic::Ct;

#[test]
fn every_file_has_its_line_and_every_series_its_geometry() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    for number in 0..4 {
        write(&format!("a{number}.dcm"), &Ct::new("P", 1, number).bytes());
    }
    write("b.dcm", &Ct::new("P", 2, 0).bytes());
    write("b-copy", &Ct::new("P", 2, 0).bytes());
    let mut trailing = Ct::new("P", 1, 4).bytes();
    trailing.push(7);
    write("a4.dcm", &trailing);
    write("cut.dcm", &trailing[..300]);
    write("notes.txt", b"nothing of interest");
    write("notes.dcm", b"nothing of interest");

    let sources = [folder.path().to_owned()];
    let report = check(&sources, &Silent, &Interrupt::default()).unwrap();
    let verdicts: Vec<_> = report
        .files
        .iter()
        .map(|file| {
            (
                file.path.file_name().unwrap().to_str().unwrap(),
                file.verdict,
            )
        })
        .collect();
    let (ok, refused) = (Verdict::Ok, Verdict::Refused);
    assert_eq!(
        verdicts,
        [
            ("a0.dcm", ok),
            ("a1.dcm", ok),
            ("a2.dcm", ok),
            ("a3.dcm", ok),
            ("a4.dcm", Verdict::Defects),
            ("b-copy", ok),
            ("b.dcm", ok),
            ("cut.dcm", refused),
            ("notes.dcm", refused),
        ]
    );
    assert_eq!(report.other_files, 1);
    assert!(!report.is_fine());
    assert_eq!(report.counts["truncated"], 1);
    let series: Vec<_> = report
        .series
        .iter()
        .map(|s| (s.study, s.slices, s.spacing_mm))
        .collect();
    assert_eq!(series, [(1, 5, Some(5.0)), (2, 1, None)]);
    assert!(
        report.series[1]
            .defects
            .contains(&SeriesDefect::IdenticalCopy)
    );

    let text = report.to_text(false);
    for part in [
        "a4.dcm: trailing_bytes",
        "cut.dcm: truncated: ",
        "study 1, series 1: 5 slices, 5.00 mm apart",
        "9 DICOM files: 6 ok, 1 with defects, 2 refused, 0 unreadable; other files: 1",
        "1  not_dicom: There is no DICM mark",
    ] {
        assert!(text.contains(part), "{part} in:\n{text}");
    }
    assert!(!text.contains("a1.dcm") && report.to_text(true).contains("ok          "));
}

#[test]
fn a_file_that_is_named_is_judged_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes");
    std::fs::write(&path, "nothing of interest").unwrap();
    let report = check(&[path], &Silent, &Interrupt::default()).unwrap();
    assert_eq!((report.files.len(), report.other_files), (1, 0));
    let texts = check(&[folder.path().to_owned()], &Silent, &Interrupt::default());
    assert!(matches!(texts, Err(IndexError::NoDicom { files: 1, .. })));
    let nowhere = check(&[folder.path().join("x")], &Silent, &Interrupt::default());
    assert!(matches!(nowhere, Err(IndexError::NoSuchPath { .. })));
}
