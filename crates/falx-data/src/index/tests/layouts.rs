//! The layouts that people have.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;

use falx_core::{Label, LabelRow};

use super::{Place, run};
use crate::index::{IndexError, IndexOptions, Layout};
use crate::labels::ColumnMap;
use crate::source::SliceReader;
use crate::source::tests::nifti;
use crate::synthetic::Ct;

fn grey_png(path: &Path, value: u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::GrayImage::from_pixel(6, 4, image::Luma([value]))
        .save(path)
        .unwrap();
}

#[test]
fn cq500_takes_patients_from_folders_and_labels_from_the_readers_majority() {
    let place = Place::new();
    let data = place.path("cq500");
    for (patient, series) in [(1, 1), (2, 2), (30, 3)] {
        for number in 0..3 {
            let folder = format!("CQ500CT{patient} CQ500CT{patient}/Unknown Study/CT Plain");
            Ct::new("anonymous", series, number)
                .write(data.join(folder).join(format!("CT{number:06}.dcm")));
        }
    }
    let findings = ["ICH", "IPH", "IVH", "SDH", "EDH", "SAH", "Fracture"];
    let mut header = "name,Category".to_owned();
    for reader in 1..=3 {
        for finding in findings {
            write!(header, ",R{reader}:{finding}").unwrap();
        }
    }
    let none = ",0,0,0,0,0,0,0";
    let blood = ",1,1,0,0,0,0,1";
    let csv = format!(
        "{header}\nCQ500-CT-1,B1{none}{none}{none}\nCQ500-CT-2,B1{blood}{none}{blood}\nCQ500-CT-9,B2{none}{none}{none}\n"
    );
    std::fs::write(data.join("reads.csv"), csv).unwrap();
    let (summary, index) = run(&place.options(&data)).unwrap();
    assert_eq!(summary.sources[0].layout, Layout::Cq500);
    assert_eq!(
        (summary.rows, summary.patients, summary.labelled_studies),
        (9, 3, 3)
    );
    let of = |patient: &str| {
        let rows = index.rows.iter();
        rows.filter(|row| row.patient.as_ref().unwrap().as_str() == patient)
            .map(|row| row.labels)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("CQ500-CT-1"), [LabelRow([Some(false); 6]); 3]);
    // Two of three saw an intraparenchymal haemorrhage somewhere: no slice is known to show it, or not to.
    let mut open = LabelRow([Some(false); 6]);
    open.0[Label::Intraparenchymal.index()] = None;
    open.0[Label::Any.index()] = None;
    assert_eq!(of("CQ500-CT-2"), [open; 3]);
    assert_eq!(of("CQ500-CT-30"), [LabelRow::default(); 3]);
    let study = &index.study_labels[1];
    assert_eq!(study.patient.as_ref().unwrap().as_str(), "CQ500-CT-2");
    assert_eq!(study.labels.get(Label::Any), Some(true));
    let votes: Vec<_> = study
        .readers
        .iter()
        .map(|(_, row)| row.get(Label::Any))
        .collect();
    assert_eq!(votes, [Some(true), Some(false), Some(true)]);
    assert_eq!(summary.files_without_label, 3);
}

#[test]
fn ct_ich_pictures_find_their_masks_and_diagnoses() {
    let place = Place::new();
    let data = place.path("ct-ich");
    for slice in [2, 10] {
        grey_png(
            &data.join(format!("Patients_CT/049/brain/{slice}.png")),
            127,
        );
        grey_png(&data.join(format!("Patients_CT/049/bone/{slice}.png")), 1);
    }
    grey_png(&data.join("Patients_CT/049/brain/10_HGE_Seg.png"), 255);
    std::fs::write(
        data.join("hemorrhage_diagnosis.csv"),
        "\u{feff}PatientNumber,SliceNumber,Intraventricular,Intraparenchymal,Subarachnoid,Epidural,Subdural,No_Hemorrhage,Fracture_Yes_No\r\n\
         49,2,0,0,0,0,0,1,0\r\n49,10,0,0,0,1,0,0,1\r\n",
    )
    .unwrap();
    let (summary, index) = run(&place.options(&data)).unwrap();
    assert_eq!(summary.sources[0].layout, Layout::CtIch);
    let ids: Vec<_> = index.rows.iter().map(|row| row.image_id.as_str()).collect();
    assert_eq!(ids, ["CT-ICH-049-002", "CT-ICH-049-010"]);
    let orders: Vec<_> = index.rows.iter().map(|row| row.order).collect();
    assert_eq!(orders, [Some(0), Some(1)], "by number, not by name");
    assert_eq!(index.rows[0].labels, LabelRow([Some(false); 6]));
    assert_eq!(index.rows[1].labels.get(Label::Epidural), Some(true));
    assert_eq!(index.rows[1].labels.get(Label::Any), Some(true));
    let masks: Vec<_> = index.rows.iter().map(|row| row.mask.is_some()).collect();
    assert_eq!(masks, [false, true]);
    assert_eq!(index.rows[0].defects, ["windowed_picture"]);
    let hu = index.rows[0].hu_min.unwrap().0;
    assert!((hu - 39.76).abs() < 0.01, "level 40, width 120: {hu}");
    // What the index says is enough to read the slice again.
    let row = &index.rows[0];
    let slice = SliceReader::new().read(row.place()).unwrap();
    assert_eq!((slice.header.rows, slice.hu[0].0), (4, hu));
}

#[test]
fn ct_ich_volumes_become_slices_with_their_own_masks_and_diagnoses() {
    let place = Place::new();
    let data = place.path("ct-ich-1.3.1");
    let sform = [
        [0.5, 0.0, 0.0, 0.0],
        [0.0, 0.5, 0.0, 0.0],
        [0.0, 0.0, 5.0, 40.0],
    ];
    for folder in ["ct_scans", "masks"] {
        std::fs::create_dir_all(data.join(folder)).unwrap();
        nifti(&data.join(folder), sform, 1.0);
    }
    std::fs::write(data.join("ct_scans/050.nii"), "no volume").unwrap();
    std::fs::write(
        data.join("hemorrhage_diagnosis_raw_ct.csv"),
        "PatientNumber,SliceNumber,Intraventricular,Intraparenchymal,Subarachnoid,Epidural,Subdural,No_Hemorrhage,Fracture_Yes_No\n\
         49,1,0,0,0,0,0,1,0\n49,2,0,1,0,0,0,0,0\n",
    )
    .unwrap();
    let (summary, index) = run(&place.options(&data)).unwrap();
    assert_eq!(summary.sources[0].layout, Layout::CtIch);
    assert_eq!((summary.rows, summary.usable, summary.masks), (3, 2, 2));
    assert_eq!(summary.refused["damaged_volume"], 1);
    let row = &index.rows[1];
    assert_eq!(row.image_id.as_str(), "CT-ICH-049-002");
    assert!(row.path.ends_with("ct_scans/049.nii#2"));
    assert!(row.mask.as_ref().unwrap().ends_with("masks/049.nii#2"));
    assert_eq!((row.order, row.z_mm.unwrap().0), (Some(1), 45.0));
    assert_eq!(row.labels.get(Label::Intraparenchymal), Some(true));
    assert_eq!(row.picture_window(), None);
    let slice = SliceReader::new().read(row.place()).unwrap();
    assert_eq!(Some(slice.hu_min_max()), row.hu_min.zip(row.hu_max));
}

#[test]
fn pictures_take_window_patients_and_labels_from_what_is_declared() {
    let place = Place::new();
    let data = place.path("images");
    for (name, value) in [("a.png", 255), ("b.webp", 0), ("c.tif", 51), ("d.png", 51)] {
        grey_png(&data.join(name), value);
    }
    std::fs::write(data.join("e.png"), "no picture").unwrap();
    std::fs::write(
        data.join("labels.csv"),
        "\u{feff}\"ID\",extra,Patient,EPIDURAL,intraparenchymal,intraventricular,subarachnoid,subdural,any\r\n\
         a,\"x, y\",ID_1,0,0,0,0,0,0\r\nb,,ID_1,0,0,0,0,1.0,1.0\r\nc,,,NaN,0,0,0,0,0\r\n",
    )
    .unwrap();
    let (summary, index) = run(&place.options(&data)).unwrap();
    assert_eq!(summary.sources[0].layout, Layout::Images);
    assert_eq!((summary.rows, summary.usable, summary.labelled), (5, 4, 3));
    assert_eq!(summary.refused["damaged_picture"], 1);
    assert_eq!(summary.positives, [0, 0, 0, 0, 1, 1]);
    let row = |id: &str| {
        index
            .rows
            .iter()
            .find(|row| row.image_id.as_str() == id)
            .unwrap()
    };
    assert_eq!(row("a").hu_max.unwrap().0, 80.0);
    assert_eq!(row("a").patient.as_ref().unwrap().as_str(), "ID_1");
    assert_eq!(row("c").patient, None);
    assert_eq!(row("c").labels.get(Label::Epidural), None);
    assert_eq!(
        row("c").pixel_hash,
        row("d").pixel_hash,
        "two encodings, one picture"
    );
    let options = IndexOptions {
        window: Some(falx_core::Window::new(100.0, 50.0).unwrap()),
        ..place.options(&data)
    };
    let (_, index) = run(&options).unwrap();
    assert_eq!(
        index
            .rows
            .iter()
            .filter_map(|row| row.hu_max)
            .map(|hu| hu.0)
            .fold(0.0, f32::max),
        125.0
    );
}

#[test]
fn archives_in_a_tree_are_read_in_place() {
    let place = Place::new();
    let data = place.path("data");
    std::fs::create_dir(&data).unwrap();
    let mut zip = zip::ZipWriter::new(std::fs::File::create(data.join("s.zip")).unwrap());
    for number in 0..3 {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("deep/{number}"), options).unwrap();
        zip.write_all(&Ct::new("p", 1, number).bytes()).unwrap();
    }
    zip.start_file("README", zip::write::SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"words").unwrap();
    zip.finish().unwrap();
    Ct::new("p", 1, 3).write(data.join("beside"));
    std::fs::write(data.join("DICOMDIR"), b"a directory of files").unwrap();
    std::fs::write(data.join("broken.tar.gz"), b"no archive").unwrap();
    let options = place.options(&data.join("DICOMDIR"));
    let (summary, index) = run(&options).unwrap();
    assert_eq!((summary.rows, summary.usable, summary.series), (5, 4, 1));
    assert_eq!(summary.refused["damaged_archive"], 1);
    let orders: Vec<_> = index.rows.iter().map(|row| row.order).collect();
    assert_eq!(orders, [Some(0), Some(1), Some(2), Some(3), None]);
    assert!(index.rows[0].path.ends_with("s.zip!/deep/0"));
}

#[test]
fn other_peoples_columns_are_mapped_and_studies_may_have_labels() {
    let place = Place::new();
    let data = place.path("data");
    for series in 1..=3 {
        Ct::new("p", series, 0).write(data.join(format!("{series}")));
    }
    let labels = place.path("mine.csv");
    std::fs::write(&labels, "Study;no\n").unwrap();
    let with = |text: &str, columns: &[&str]| {
        std::fs::write(&labels, text).unwrap();
        let mut map = ColumnMap::default();
        for pair in columns {
            map.add(pair).unwrap();
        }
        run(&IndexOptions {
            labels: vec![labels.clone()],
            columns: map,
            ..place.options(&data)
        })
    };
    let (_, index) = with(
        "uid,bleed\n1.2.1,0\n1.2.2,1\n",
        &["study_uid=UID", "any=bleed"],
    )
    .unwrap();
    let any: Vec<_> = index
        .rows
        .iter()
        .map(|row| row.labels.get(Label::Any))
        .collect();
    assert_eq!(any, [Some(false), None, None]);
    assert_eq!(index.study_labels.len(), 2);
    assert_eq!(index.study_labels[1].labels.get(Label::Any), Some(true));

    let (_, index) = with(
        "sop,who,ICH\n1.2.1.0,anna,1\n1.2.2.0,anna,0\n",
        &["image_id=sop", "patient=who", "any=ICH"],
    )
    .unwrap();
    assert_eq!(index.rows[0].patient, index.rows[1].patient);
    assert_ne!(index.rows[0].patient, index.rows[2].patient);
    assert!(
        !index.rows[0]
            .patient
            .as_ref()
            .unwrap()
            .as_str()
            .contains("anna")
    );

    let error = with("sop,ICH\n1,1\n", &["image_id=sop", "any=blood"]).unwrap_err();
    assert!(
        matches!(&error, IndexError::Labels(_)) && error.to_string().contains("blood"),
        "{error}"
    );
    assert!(ColumnMap::default().add("colour=red").is_err());
}

#[test]
fn the_real_samples_are_indexed_with_their_own_layouts_and_counts() {
    let Some(data) = falx_fixtures::shared("data") else {
        return;
    };
    let place = Place::new();
    let rsna = data.join("rsna-dicom/stage_2_train");
    let options = IndexOptions {
        labels: vec![rsna.with_extension("csv")],
        sources: vec![rsna, data.join("ct-ich-sample")],
        ..place.options(&data)
    };
    let (both, index) = run(&options).unwrap();
    let layouts: Vec<_> = both.sources.iter().map(|source| source.layout).collect();
    assert_eq!(layouts, [Layout::Rsna, Layout::CtIch]);
    assert_eq!(
        (both.rows, both.usable, both.labelled, both.patients),
        (257, 257, 257, 64)
    );
    let of = |dataset: &str| {
        let mut counts = [0; 6];
        for row in index
            .rows
            .iter()
            .filter(|row| row.dataset.as_ref() == dataset)
        {
            for (count, label) in counts.iter_mut().zip(row.labels.0) {
                *count += u32::from(label == Some(true));
            }
        }
        counts
    };
    assert_eq!(of("stage_2_train"), [9, 27, 12, 34, 24, 63]);
    assert_eq!(of("ct-ich-sample"), [2, 11, 2, 2, 8, 21]);
    assert_eq!(both.masks, 21);
    // A mask is where a haemorrhage is, and nowhere else.
    let rows = index
        .rows
        .iter()
        .filter(|row| row.dataset.as_ref() == "ct-ich-sample");
    for row in rows {
        assert_eq!(row.mask.is_some(), row.labels.get(Label::Any) == Some(true));
    }
    let (pictures, _) = run(&place.options(&data.join("rsna-slices-8bit"))).unwrap();
    assert_eq!(pictures.sources[0].layout, Layout::Images);
    assert_eq!(
        (pictures.rows, pictures.usable, pictures.patients),
        (1796, 1796, 804)
    );
    assert_eq!(pictures.positives, [18, 205, 133, 197, 264, 597]);
}
