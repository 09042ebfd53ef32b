use falx_core::{ImageId, LabelRow, Millimetre};
use falx_data::index::{Acquisition, IndexSummary};

use super::*;

/// A row of a series of a head, `number` of it.
fn row(study: &str, series: &str, number: u32, taken: &Acquisition) -> IndexRow {
    let name = format!("{study}.{series}.{number}");
    IndexRow {
        path: name.clone().into(),
        image_id: ImageId(name),
        sop_uid: None,
        patient: None,
        study_uid: Some(study.into()),
        series_uid: Some(series.into()),
        dataset: "tests".into(),
        rows: 512,
        cols: 512,
        z_mm: Some(Millimetre(f64::from(number) * 5.0)),
        spacing_mm: Some(Millimetre(5.0)),
        tilt_deg: None,
        order: Some(number),
        transfer_syntax: Some("1.2.840.10008.1.2.1".into()),
        pixel_hash: None,
        hu_min: None,
        hu_max: None,
        defects: Vec::new(),
        usable: true,
        labels: LabelRow::default(),
        bone_fraction: Some(0.06),
        brain_fraction: Some(0.2),
        acquisition: Some(Arc::new(taken.clone())),
        mask: None,
        age_years: None,
        sex: None,
    }
}

fn taken(kernel: &str, thickness_mm: f64) -> Acquisition {
    Acquisition {
        kernel: Some(kernel.to_owned()),
        thickness_mm: Some(thickness_mm),
        plane: Some(Plane::Axial),
        ..Acquisition::default()
    }
}

fn series(uid: &str, slices: u32, taken: &Acquisition) -> Vec<IndexRow> {
    (0..slices)
        .map(|number| row("1", uid, number, taken))
        .collect()
}

fn index(rows: Vec<IndexRow>) -> Index {
    Index {
        summary: IndexSummary::of(&rows),
        rows,
        study_labels: Vec::new(),
    }
}

fn found(rows: Vec<IndexRow>, choice: &SeriesChoice) -> Vec<Study> {
    studies(&index(rows), choice).unwrap()
}

/// The series that answer.
fn answering(study: &Study) -> Vec<&str> {
    let series = study.answering.iter().map(|&at| &study.series[at]);
    series
        .filter_map(|series| series.series_uid.as_deref())
        .collect()
}

#[test]
fn the_whole_series_with_the_soft_kernel_and_the_usual_thickness_answers() {
    let rows = [
        series("1.1", 30, &taken("H70h", 5.0)),
        series("1.2", 30, &taken("H31s", 1.0)),
        series("1.3", 30, &taken("H31s", 5.0)),
        series("1.4", 4, &taken("H31s", 5.0)),
        series("1.5", 30, &taken("another", 5.0)),
    ];
    let studies = found(rows.concat(), &SeriesChoice::Best);
    assert_eq!(studies.len(), 1);
    assert_eq!(answering(&studies[0]), ["1.3"]);
    let why = &studies[0].choice;
    assert!(
        why.contains("5 series") && why.contains("soft kernel H31s") && why.contains("5 mm"),
        "{why}"
    );
    let of = |uid: &str| {
        studies[0]
            .series
            .iter()
            .find(|s| s.series_uid.as_deref() == Some(uid))
            .unwrap()
    };
    assert_eq!(of("1.1").caveats, [Caveat::SharpKernel]);
    assert_eq!(of("1.3").caveats, []);
    assert_eq!(of("1.4").caveats, [Caveat::Part]);
}

#[test]
fn what_is_no_head_ct_is_refused_with_a_reason_and_answered_only_on_demand() {
    let head = taken("H31s", 5.0);
    let with = |change: fn(&mut Acquisition)| {
        let mut taken = head.clone();
        change(&mut taken);
        taken
    };
    let mut without_bone = series("1.5", 30, &head);
    for row in &mut without_bone {
        row.bone_fraction = Some(0.016);
        row.brain_fraction = Some(0.3);
    }
    let mut unusable = series("1.6", 2, &head);
    for row in &mut unusable {
        row.usable = false;
    }
    let cases = [
        (
            series("1.1", 30, &with(|a| a.body_part = Some("CHEST".to_owned()))),
            Some(Refused::OtherBodyPart),
        ),
        (
            series("1.2", 30, &with(|a| a.contrast = Some(true))),
            Some(Refused::ContrastAgent),
        ),
        (
            series("1.3", 30, &with(|a| a.plane = Some(Plane::Sagittal))),
            Some(Refused::NotAxial),
        ),
        (without_bone.clone(), Some(Refused::NoSkull)),
        (unusable, Some(Refused::NoUsableSlice)),
        // Too few slices to say so, and pictures cannot show bone.
        (without_bone[..4].to_vec(), None),
        (
            series(
                "1.7",
                30,
                &with(|a| a.body_part = Some("Head Neck".to_owned())),
            ),
            None,
        ),
        (series("1.8", 30, &with(|a| a.contrast = Some(false))), None),
    ];
    for (rows, refused) in cases {
        let uid = rows[0].series_uid.as_deref().unwrap().to_owned();
        let usable = rows[0].usable;
        let studies = found(rows.clone(), &SeriesChoice::Best);
        assert_eq!(studies[0].series[0].refused, refused, "{uid}");
        assert_eq!(studies[0].answering.is_empty(), refused.is_some(), "{uid}");
        let Some(refused) = refused else { continue };
        assert!(
            studies[0].choice.contains(&refused.to_string()),
            "{}",
            studies[0].choice
        );
        let asked = found(rows, &SeriesChoice::These(vec![uid.clone()]));
        assert_eq!(asked.len(), usize::from(usable), "{uid}");
        for study in &asked {
            assert_eq!(answering(study), [&uid]);
            assert!(study.series[0].caveats.contains(&Caveat::Refused));
        }
    }
    let mut pictures = without_bone;
    for row in &mut pictures {
        row.bone_fraction = Some(0.0);
        row.defects = vec![WINDOWED_PICTURE.to_owned()];
    }
    let studies = found(pictures, &SeriesChoice::Best);
    assert_eq!(studies[0].series[0].refused, None);
    assert_eq!(studies[0].series[0].caveats, [Caveat::WindowedPicture]);
}

#[test]
fn missing_slices_are_told() {
    let mut rows = series("1.1", 30, &taken("H31s", 5.0));
    rows.remove(12);
    let studies = found(rows, &SeriesChoice::Best);
    assert_eq!(studies[0].series[0].caveats, [Caveat::Gap]);
}

#[test]
fn two_series_under_one_uid_are_told() {
    let mut rows = series("1.1", 30, &taken("H31s", 5.0));
    rows.extend(series("1.1", 30, &taken("H60s", 5.0)));
    rows.sort_by_key(|row| row.order);
    let studies = found(rows, &SeriesChoice::Best);
    assert_eq!(studies[0].series[0].caveats, [Caveat::SamePlace]);
}

#[test]
fn slices_without_a_study_stand_alone() {
    let mut rows = series("1.1", 3, &taken("H31s", 5.0));
    for row in &mut rows {
        row.study_uid = None;
    }
    let studies = found(rows, &SeriesChoice::Best);
    assert_eq!(studies.len(), 3);
    assert!(
        studies
            .iter()
            .zip(0..)
            .all(|(study, at)| study.rows() == (at..at + 1))
    );
    assert!(studies.iter().all(|study| study.answering == [0]));
    let mut stranger = row("1", "1", 0, &Acquisition::default());
    stranger.usable = false;
    stranger.study_uid = None;
    assert_eq!(found(vec![stranger], &SeriesChoice::Best), []);
}

#[test]
fn a_series_that_is_not_there_cannot_be_asked_for() {
    let rows = series("1.1", 3, &taken("H31s", 5.0));
    let wanted = SeriesChoice::These(vec!["1.1".to_owned(), "1.9".to_owned()]);
    let error = studies(&index(rows), &wanted).unwrap_err();
    assert_eq!(error, NoSuchSeries("1.9".to_owned()));
}
