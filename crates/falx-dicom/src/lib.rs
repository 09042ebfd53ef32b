//! From DICOM bytes to a checked CT slice in Hounsfield units, or a typed refusal.
