//! What all objects of a study copy from its first source, as it is.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::StudyFindings;
use crate::element::{DataSet, known, put};
use crate::text::Repertoire;

/// What identifies the examination: the modules Patient, General Study and Patient Study of PS3.3 (C.7.1.1, C.7.2.1,
/// C.7.2.2), with the time zone that its dates and times are of.
const COPIED: [Tag; 42] = [
    tags::TIMEZONE_OFFSET_FROM_UTC,
    tags::PATIENT_NAME,
    tags::PATIENT_ID,
    tags::ISSUER_OF_PATIENT_ID,
    tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE,
    tags::TYPE_OF_PATIENT_ID,
    tags::PATIENT_BIRTH_DATE,
    tags::PATIENT_BIRTH_TIME,
    tags::PATIENT_SEX,
    tags::OTHER_PATIENT_I_DS_SEQUENCE,
    tags::OTHER_PATIENT_NAMES,
    tags::PATIENT_COMMENTS,
    tags::PATIENT_SPECIES_DESCRIPTION,
    tags::PATIENT_SPECIES_CODE_SEQUENCE,
    tags::PATIENT_BREED_DESCRIPTION,
    tags::PATIENT_BREED_CODE_SEQUENCE,
    tags::RESPONSIBLE_PERSON,
    tags::RESPONSIBLE_PERSON_ROLE,
    tags::RESPONSIBLE_ORGANIZATION,
    tags::PATIENT_IDENTITY_REMOVED,
    tags::DEIDENTIFICATION_METHOD,
    tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE,
    tags::STUDY_INSTANCE_UID,
    tags::STUDY_DATE,
    tags::STUDY_TIME,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::CONSULTING_PHYSICIAN_NAME,
    tags::STUDY_ID,
    tags::ACCESSION_NUMBER,
    tags::ISSUER_OF_ACCESSION_NUMBER_SEQUENCE,
    tags::STUDY_DESCRIPTION,
    tags::PHYSICIANS_OF_RECORD,
    tags::REQUESTING_SERVICE,
    tags::PROCEDURE_CODE_SEQUENCE,
    tags::ADMITTING_DIAGNOSES_DESCRIPTION,
    tags::PATIENT_AGE,
    tags::PATIENT_SIZE,
    tags::PATIENT_WEIGHT,
    tags::PATIENT_SEX_NEUTERED,
    tags::ADMISSION_ID,
    tags::OCCUPATION,
    tags::ADDITIONAL_PATIENT_HISTORY,
];

/// Of these, what must stand there even if nothing is known (type 2).
const MAY_BE_EMPTY: [(Tag, VR); 9] = [
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::STUDY_ID, VR::SH),
    (tags::ACCESSION_NUMBER, VR::SH),
];

/// The elements that all objects copy, in the character set that they are written in.
pub fn shared(header: &DataSet, findings: &StudyFindings) -> (DataSet, Repertoire) {
    let copied = COPIED.iter().filter_map(|&tag| header.get(tag));
    let mut set = DataSet::from_element_iter(copied.map(known));
    for (tag, vr) in MAY_BE_EMPTY {
        if set.get(tag).is_none() {
            put(&mut set, tag, vr, "");
        }
    }
    let character_set = header.get(tags::SPECIFIC_CHARACTER_SET);
    let name = character_set.and_then(|element| element.to_str().ok());
    let name = name
        .as_deref()
        .map_or("", |name| name.trim_matches([' ', '\0']));
    if !name.is_empty() {
        let repertoire = Repertoire::of(name);
        set.extend(character_set.cloned());
        return (set, repertoire);
    }
    // Where the study has plain ASCII, text of our own may have more: what is copied means the same in UTF-8.
    let ours = &findings.algorithm;
    let parameters = ours
        .parameters
        .iter()
        .flat_map(|(name, value)| [name, value]);
    let descriptions = findings.pictures.iter().map(|picture| &picture.description);
    let mut texts = [&ours.name, &ours.version, &ours.model_hash]
        .into_iter()
        .chain(parameters)
        .chain(descriptions);
    if texts.all(|text| text.is_ascii()) || !is_ascii(&set) {
        return (set, Repertoire::Ascii);
    }
    put(&mut set, tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
    (set, Repertoire::Unicode)
}

fn is_ascii(set: &DataSet) -> bool {
    set.iter().all(|element| match element.items() {
        Some(items) => items.iter().all(is_ascii),
        None => element.to_str().is_ok_and(|text| text.is_ascii()),
    })
}
