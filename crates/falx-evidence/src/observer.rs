//! Who says it: the detector, as structured reports name a device.

use crate::code;
use crate::content::{Item, Relationship};
use crate::study::{MANUFACTURER, Study};

/// Adds the language of a report and its observer to its root.
///
/// # Source
/// DICOM PS3.16, TID 1204 (language), TID 1002 and 1004 (a device that observes).
pub fn introduce(root: Item, study: &Study<'_>) -> Item {
    let context = [
        Item::code(code::OBSERVER_TYPE, code::DEVICE),
        Item::uid(code::DEVICE_UID, &study.device_uid()),
        Item::text(code::DEVICE_NAME, &study.model_name()),
        Item::text(code::DEVICE_MANUFACTURER, MANUFACTURER),
        Item::text(code::DEVICE_MODEL, &study.model_name()),
        Item::text(code::DEVICE_SERIAL_NUMBER, &study.serial_number()),
    ];
    root.with(
        Relationship::HasConceptMod,
        Item::code(code::LANGUAGE, code::ENGLISH),
    )
    .with_all(Relationship::HasObsContext, context.to_vec())
}
