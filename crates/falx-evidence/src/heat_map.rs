//! Heat maps as numbers: parametric maps (PS3.3, A.75) of 16 bits, aligned to the slices pixel for pixel.

use std::collections::BTreeSet;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use falx_core::RESEARCH_USE;

use crate::capture::put_sources;
use crate::code::{self, Concept};
use crate::content::Item;
use crate::element::{DataSet, put, put_f64, put_item, put_items, put_u16, put_u32s};
use crate::findings::{HeatMap, MapFrame};
use crate::source::{Geometry, PlacedIn};
use crate::study::{Kind, Made, Study, series_items};
use crate::text::{decimal, decimals};
use crate::{EvidenceError, SourceSlice, uid};

/// The stored value of 1.
const MOST: u16 = u16::MAX;

/// A frame's slice with where it lies.
struct Frame<'a> {
    slice: &'a SourceSlice,
    geometry: Geometry,
}

/// Encodes one object a label.
pub fn heat_maps(study: &Study<'_>) -> Result<Vec<Made>, EvidenceError> {
    let maps = study.findings.heat_maps.iter().enumerate();
    maps.map(|(place, map)| encode(study, place + 1, map))
        .collect()
}

fn encode(study: &Study<'_>, number: usize, map: &HeatMap) -> Result<Made, EvidenceError> {
    let [rows, cols] = matrix(study, map)?;
    let frames = placed(study, map)?;
    let reference = frame_of_reference(map, &frames)?;
    let mut set = study.begin(Kind::HeatMap, number);
    let label = map.label.name();
    let meaning = map.quantity.concept().2;
    let description = study.line(&format!("{meaning}, {label}"));
    put(&mut set, tags::IMAGE_TYPE, VR::CS, IMAGE_TYPE);
    put(&mut set, tags::IMAGE_COMMENTS, VR::LT, RESEARCH_USE);
    put(&mut set, tags::CONTENT_LABEL, VR::CS, label.to_uppercase());
    put(&mut set, tags::CONTENT_DESCRIPTION, VR::LO, description);
    put(&mut set, tags::CONTENT_CREATOR_NAME, VR::PN, "");
    put(&mut set, tags::CONTENT_QUALIFICATION, VR::CS, "RESEARCH");
    put_items(&mut set, tags::ACQUISITION_CONTEXT_SEQUENCE, Vec::new());
    put(&mut set, tags::FRAME_OF_REFERENCE_UID, VR::UI, reference);
    put(&mut set, tags::POSITION_REFERENCE_INDICATOR, VR::LO, "");
    let named: Vec<&SourceSlice> = frames.iter().map(|frame| frame.slice).collect();
    put_items(
        &mut set,
        tags::REFERENCED_SERIES_SEQUENCE,
        series_items(&named, &[], tags::REFERENCED_INSTANCE_SEQUENCE),
    );
    put_dimensions(&mut set, &study.uid(&format!("dimensions {label}")));
    put_item(
        &mut set,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        shared_groups(map),
    );
    let groups = frames
        .iter()
        .zip(1..)
        .map(|(frame, at)| own_groups(frame, at));
    put_items(
        &mut set,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        groups.collect(),
    );
    put_pixels(&mut set, map, rows, cols);
    study.encode(
        Kind::HeatMap,
        format!("falx-heat-map-{number}-{label}.dcm"),
        set,
    )
}

const IMAGE_TYPE: &str = "DERIVED\\PRIMARY\\VOLUME\\QUANTITY";

fn refused(map: &HeatMap, reason: &str) -> EvidenceError {
    EvidenceError::HeatMap {
        label: map.label,
        reason: reason.to_owned(),
    }
}

/// Rows and columns that all frames have and their slices say; values are checked with them.
fn matrix(study: &Study<'_>, map: &HeatMap) -> Result<[u16; 2], EvidenceError> {
    let refuse = |reason| Err(refused(map, reason));
    let matrix = |frame: &MapFrame| study.slice(frame.slice).and_then(SourceSlice::matrix);
    let Some(first) = map.frames.first() else {
        return refuse("has no frame; give at least one");
    };
    let Some([rows, cols]) = matrix(first) else {
        return refuse("lies on a slice that says no Rows and Columns; leave it out");
    };
    for frame in &map.frames {
        if matrix(frame) != Some([rows, cols]) {
            return refuse("lies on slices of different sizes; give one map for each size");
        }
        if frame.values.len() != usize::from(rows) * usize::from(cols) {
            return refuse(
                "has not one value for each pixel of its slice; draw it in the slice's own size",
            );
        }
        if !frame.values.iter().all(|value| (0.0..=1.0).contains(value)) {
            return refuse("has values outside 0 to 1; divide it by its largest");
        }
    }
    Ok([rows, cols])
}

/// The frames' slices with their places, without which no viewer can lay the map over them.
fn placed<'a>(study: &Study<'a>, map: &HeatMap) -> Result<Vec<Frame<'a>>, EvidenceError> {
    let slices = map
        .frames
        .iter()
        .filter_map(|frame| study.slice(frame.slice));
    let frames = slices.map(|slice| {
        let geometry = slice.geometry().ok_or_else(|| {
            refused(
                map,
                "lies on a slice that lacks Image Position, Image Orientation or Pixel Spacing; leave it out",
            )
        })?;
        Ok(Frame { slice, geometry })
    });
    frames.collect()
}

/// The frame of reference that all frames share; of a series that names none one of its own.
fn frame_of_reference(map: &HeatMap, frames: &[Frame<'_>]) -> Result<String, EvidenceError> {
    let shared: BTreeSet<_> = frames
        .iter()
        .filter_map(|frame| frame.slice.placed_in())
        .collect();
    match shared.first() {
        Some(PlacedIn::Frame(uid)) if shared.len() == 1 => Ok(uid.clone()),
        Some(PlacedIn::Series(uid)) if shared.len() == 1 => Ok(uid::derived(&[
            b"falx-evidence frame of reference",
            uid.as_bytes(),
        ])),
        _ => Err(refused(
            map,
            "lies on slices of several frames of reference; give one map for each",
        )),
    }
}

fn put_dimensions(set: &mut DataSet, organization: &str) {
    let mut dimension = DataSet::new_empty();
    put(
        &mut dimension,
        tags::DIMENSION_ORGANIZATION_UID,
        VR::UI,
        organization,
    );
    let mut index = dimension.clone();
    for (tag, points_to) in [
        (
            tags::DIMENSION_INDEX_POINTER,
            tags::IN_STACK_POSITION_NUMBER,
        ),
        (tags::FUNCTIONAL_GROUP_POINTER, tags::FRAME_CONTENT_SEQUENCE),
    ] {
        let value = PrimitiveValue::Tags([points_to].into_iter().collect());
        index.put(DataElement::new(tag, VR::AT, value));
    }
    put(
        &mut index,
        tags::DIMENSION_DESCRIPTION_LABEL,
        VR::LO,
        "In-Stack Position Number",
    );
    put_item(set, tags::DIMENSION_ORGANIZATION_SEQUENCE, dimension);
    put_item(set, tags::DIMENSION_INDEX_SEQUENCE, index);
}

/// What is said of all frames: what the numbers are, and how they are stored and shown.
fn shared_groups(map: &HeatMap) -> DataSet {
    let mut groups = DataSet::new_empty();
    let mut frame_type = DataSet::new_empty();
    put(&mut frame_type, tags::FRAME_TYPE, VR::CS, IMAGE_TYPE);
    put_item(
        &mut groups,
        tags::PARAMETRIC_MAP_FRAME_TYPE_SEQUENCE,
        frame_type,
    );

    let mut identity = DataSet::new_empty();
    put(&mut identity, tags::RESCALE_INTERCEPT, VR::DS, "0");
    put(&mut identity, tags::RESCALE_SLOPE, VR::DS, "1");
    put(&mut identity, tags::RESCALE_TYPE, VR::LO, "US");
    put_item(
        &mut groups,
        tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
        identity,
    );

    let mut window = DataSet::new_empty();
    put(&mut window, tags::WINDOW_CENTER, VR::DS, "32768");
    put(&mut window, tags::WINDOW_WIDTH, VR::DS, "65536");
    put_item(&mut groups, tags::FRAME_VOILUT_SEQUENCE, window);

    put_item(
        &mut groups,
        tags::REAL_WORLD_VALUE_MAPPING_SEQUENCE,
        real_values(map),
    );
    groups
}

fn real_values(map: &HeatMap) -> DataSet {
    let mut mapping = DataSet::new_empty();
    let concept = Concept::from(map.quantity.concept());
    put(
        &mut mapping,
        tags::LUT_EXPLANATION,
        VR::LO,
        &*concept.meaning,
    );
    put(&mut mapping, tags::LUT_LABEL, VR::SH, "FALX");
    put_u16(&mut mapping, tags::REAL_WORLD_VALUE_FIRST_VALUE_MAPPED, 0);
    put_u16(&mut mapping, tags::REAL_WORLD_VALUE_LAST_VALUE_MAPPED, MOST);
    put_f64(&mut mapping, tags::REAL_WORLD_VALUE_INTERCEPT, 0.0);
    put_f64(
        &mut mapping,
        tags::REAL_WORLD_VALUE_SLOPE,
        1.0 / f64::from(MOST),
    );
    Concept::from(code::NO_UNITS).put(&mut mapping, tags::MEASUREMENT_UNITS_CODE_SEQUENCE);
    let finding = Concept::from(code::finding(map.label));
    let quantity = [
        Item::code(code::QUANTITY, concept),
        Item::code(code::FINDING, finding),
    ];
    let quantity = quantity.into_iter().map(Item::into_set);
    put_items(
        &mut mapping,
        tags::QUANTITY_DEFINITION_SEQUENCE,
        quantity.collect(),
    );
    mapping
}

/// What is said of one frame: its place in the stack and in the patient, and the slice that it lies on.
fn own_groups(frame: &Frame<'_>, place: u32) -> DataSet {
    let mut groups = DataSet::new_empty();
    let mut content = DataSet::new_empty();
    put(&mut content, tags::STACK_ID, VR::SH, "1");
    put_u32s(&mut content, tags::IN_STACK_POSITION_NUMBER, vec![place]);
    put_u32s(&mut content, tags::DIMENSION_INDEX_VALUES, vec![place]);
    put_item(&mut groups, tags::FRAME_CONTENT_SEQUENCE, content);

    let mut derivation = DataSet::new_empty();
    put_sources(&mut derivation, &[frame.slice]);
    Concept::from(code::UNSPECIFIED_METHOD).put(&mut derivation, tags::DERIVATION_CODE_SEQUENCE);
    put_item(&mut groups, tags::DERIVATION_IMAGE_SEQUENCE, derivation);

    let geometry = &frame.geometry;
    let mut position = DataSet::new_empty();
    put(
        &mut position,
        tags::IMAGE_POSITION_PATIENT,
        VR::DS,
        decimals(&geometry.position),
    );
    put_item(&mut groups, tags::PLANE_POSITION_SEQUENCE, position);
    let mut orientation = DataSet::new_empty();
    put(
        &mut orientation,
        tags::IMAGE_ORIENTATION_PATIENT,
        VR::DS,
        decimals(&geometry.orientation),
    );
    put_item(&mut groups, tags::PLANE_ORIENTATION_SEQUENCE, orientation);
    let mut measures = DataSet::new_empty();
    put(
        &mut measures,
        tags::PIXEL_SPACING,
        VR::DS,
        decimals(&geometry.spacing),
    );
    if let Some(thickness) = geometry.thickness {
        put(
            &mut measures,
            tags::SLICE_THICKNESS,
            VR::DS,
            decimal(thickness),
        );
    }
    put_item(&mut groups, tags::PIXEL_MEASURES_SEQUENCE, measures);
    groups
}

fn put_pixels(set: &mut DataSet, map: &HeatMap, rows: u16, cols: u16) {
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, rows),
        (tags::COLUMNS, cols),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 16),
        (tags::HIGH_BIT, 15),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        put_u16(set, tag, value);
    }
    put(
        set,
        tags::NUMBER_OF_FRAMES,
        VR::IS,
        map.frames.len().to_string(),
    );
    for (tag, term) in [
        (tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"),
        (tags::PRESENTATION_LUT_SHAPE, "IDENTITY"),
        (tags::PIXEL_PRESENTATION, "MONOCHROME"),
        (tags::BURNED_IN_ANNOTATION, "NO"),
        (tags::RECOGNIZABLE_VISUAL_FEATURES, "NO"),
        (tags::LOSSY_IMAGE_COMPRESSION, "00"),
    ] {
        put(set, tag, VR::CS, term);
    }
    let values = map.frames.iter().flat_map(|frame| &frame.values);
    let words: Vec<u16> = values
        .map(|value| (value * f32::from(MOST)).round() as u16)
        .collect();
    let value = PrimitiveValue::U16(words.into());
    set.put(DataElement::new(tags::PIXEL_DATA, VR::OW, value));
}
