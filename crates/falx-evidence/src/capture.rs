//! Pictures that every viewer shows: secondary captures (PS3.3, A.8.1) in RGB.

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use falx_core::RESEARCH_USE;

use crate::code::{self, Concept};
use crate::element::{DataSet, put, put_items, put_u16};
use crate::findings::{KeyPicture, RgbPicture};
use crate::study::{Kind, MANUFACTURER, Made, Study, VERSION};
use crate::{EvidenceError, SourceSlice, page};

/// Encodes the page with the table of findings, then the pictures in their order.
pub fn captures(study: &Study<'_>) -> Result<Vec<Made>, EvidenceError> {
    let page = page::summary(study);
    let what =
        format!("Table of what falx finds, drawn without the patient's name. {RESEARCH_USE}");
    let summary = capture(
        study,
        1,
        "falx-summary.dcm",
        &page,
        &what,
        &study.key_slices(),
    )?;
    let mut made = vec![summary];
    for (place, picture) in study.findings.pictures.iter().enumerate() {
        made.push(key_picture(study, place, picture)?);
    }
    Ok(made)
}

fn key_picture(
    study: &Study<'_>,
    place: usize,
    picture: &KeyPicture,
) -> Result<Made, EvidenceError> {
    let file_name = format!("falx-picture-{:03}.dcm", place + 1);
    // A Derivation Description (ST) has at most 1024 characters, and the last sentence must be among them.
    let description: String = picture.description.trim().chars().take(900).collect();
    let description = description.trim_end_matches('.');
    let what = format!("{description} ({}). {RESEARCH_USE}", picture.label);
    let what = study.repertoire.paragraph(&what);
    let sources: Vec<_> = study.slice(picture.slice).into_iter().collect();
    capture(
        study,
        place + 2,
        &file_name,
        &picture.picture,
        &what,
        &sources,
    )
}

fn capture(
    study: &Study<'_>,
    number: usize,
    file_name: &str,
    picture: &RgbPicture,
    what: &str,
    sources: &[&SourceSlice],
) -> Result<Made, EvidenceError> {
    let mut set = study.begin(Kind::Capture, number);
    let (date, time) = study.date_and_time();
    put(&mut set, tags::CONVERSION_TYPE, VR::CS, "WSD");
    put(
        &mut set,
        tags::SECONDARY_CAPTURE_DEVICE_MANUFACTURER,
        VR::LO,
        MANUFACTURER,
    );
    put(
        &mut set,
        tags::SECONDARY_CAPTURE_DEVICE_MANUFACTURER_MODEL_NAME,
        VR::LO,
        study.model_name(),
    );
    put(
        &mut set,
        tags::SECONDARY_CAPTURE_DEVICE_SOFTWARE_VERSIONS,
        VR::LO,
        VERSION,
    );
    put(&mut set, tags::DATE_OF_SECONDARY_CAPTURE, VR::DA, date);
    put(&mut set, tags::TIME_OF_SECONDARY_CAPTURE, VR::TM, time);
    put(&mut set, tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY");
    put(&mut set, tags::PATIENT_ORIENTATION, VR::CS, "");
    put(&mut set, tags::DERIVATION_DESCRIPTION, VR::ST, what);
    put(&mut set, tags::IMAGE_COMMENTS, VR::LT, what);
    put_sources(&mut set, sources);
    // The attribute asks whether the picture shows who the patient is; none of ours does.
    put(&mut set, tags::BURNED_IN_ANNOTATION, VR::CS, "NO");
    put(&mut set, tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
    put_pixels(&mut set, picture)?;
    study.encode(Kind::Capture, file_name.to_owned(), set)
}

/// The slices that an image was made of.
pub fn put_sources(set: &mut DataSet, sources: &[&SourceSlice]) {
    if sources.is_empty() {
        return;
    }
    let items = sources.iter().map(|source| {
        let mut item = source.reference();
        Concept::from(code::SOURCE_IMAGE).put(&mut item, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE);
        item
    });
    put_items(set, tags::SOURCE_IMAGE_SEQUENCE, items.collect());
}

fn put_pixels(set: &mut DataSet, picture: &RgbPicture) -> Result<(), EvidenceError> {
    let refuse = || EvidenceError::Picture {
        rows: picture.rows,
        cols: picture.cols,
        bytes: picture.pixels.len(),
    };
    let side = |pixels: usize| u16::try_from(pixels).ok().filter(|&side| side > 0);
    let rows = side(picture.rows).ok_or_else(refuse)?;
    let cols = side(picture.cols).ok_or_else(refuse)?;
    let mut pixels = picture.pixels.clone();
    if pixels.len() != 3 * picture.rows * picture.cols {
        return Err(refuse());
    }
    if pixels.len() % 2 == 1 {
        pixels.push(0);
    }
    put(set, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB");
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 3),
        (tags::PLANAR_CONFIGURATION, 0),
        (tags::ROWS, rows),
        (tags::COLUMNS, cols),
        (tags::BITS_ALLOCATED, 8),
        (tags::BITS_STORED, 8),
        (tags::HIGH_BIT, 7),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        put_u16(set, tag, value);
    }
    let value = PrimitiveValue::U8(pixels.into());
    set.put(DataElement::new(tags::PIXEL_DATA, VR::OB, value));
    Ok(())
}
