//! Head CT phantoms with the five subtypes of haemorrhage, written as DICOM.
