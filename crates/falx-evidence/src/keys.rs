//! The list of what to look at first: a Key Object Selection (TID 2010).

use dicom_dictionary_std::tags;
use falx_core::RESEARCH_USE;

use crate::EvidenceError;
use crate::code;
use crate::content::{Item, Relationship};
use crate::element::put_items;
use crate::observer::introduce;
use crate::study::{Kind, Made, Study, evidence};

/// Encodes the selection of the slices that speak most and of the pictures `captures`; `None` where no slice speaks.
pub fn key_objects(study: &Study<'_>, captures: &[Made]) -> Result<Option<Made>, EvidenceError> {
    let slices = study.key_slices();
    if slices.is_empty() {
        return Ok(None);
    }
    let captures: Vec<&Made> = captures.iter().collect();
    let mut set = study.begin(Kind::KeyObjects, 1);
    put_items(
        &mut set,
        tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE,
        Vec::new(),
    );
    let evidence = evidence(&slices, &captures);
    put_items(
        &mut set,
        tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE,
        evidence,
    );
    let description = format!("What speaks most for the findings of falx. {RESEARCH_USE}");
    let images = slices.iter().map(|slice| slice.reference());
    let images = images.chain(captures.iter().map(|capture| capture.reference()));
    let images = images.map(|reference| Item::image(None, reference));
    introduce(Item::container(code::OF_INTEREST, Some("2010")), study)
        .with(
            Relationship::Contains,
            Item::text(code::KEY_OBJECT_DESCRIPTION, &description),
        )
        .with_all(Relationship::Contains, images.collect())
        .put_as_root(&mut set);
    study
        .encode(Kind::KeyObjects, "falx-key-objects.dcm".to_owned(), set)
        .map(Some)
}
