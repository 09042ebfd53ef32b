//! Findings checked against each other and against their slices.

use std::collections::BTreeSet;

use dicom_dictionary_std::tags;

use crate::element::text_of;
use crate::findings::Finding;
use crate::{EvidenceError, NoUid, SourceSlice, StudyFindings, uid};

/// The first of the sources, all of which must be different images of one study.
pub fn one_study(sources: &[SourceSlice]) -> Result<&SourceSlice, EvidenceError> {
    let first = sources.first().ok_or(EvidenceError::NoSource)?;
    let mut seen = BTreeSet::new();
    for source in sources {
        let path = || source.path().to_owned();
        if source.study() != first.study() {
            return Err(EvidenceError::OtherStudy { path: path() });
        }
        if !seen.insert((source.sop_instance_uid(), source.frame())) {
            return Err(EvidenceError::SameImage { path: path() });
        }
    }
    Ok(first)
}

/// That the findings speak of the slices that there are, once of each label.
pub fn check(findings: &StudyFindings) -> Result<(), EvidenceError> {
    let slices = findings.sources.len();
    let known = |slice: usize, what: &dyn Fn() -> String| {
        if slice < slices {
            return Ok(());
        }
        Err(EvidenceError::UnknownSlice {
            what: what(),
            slice,
            slices,
        })
    };
    if findings.findings.is_empty() {
        return Err(EvidenceError::NoFinding);
    }
    let mut seen = BTreeSet::new();
    for finding in &findings.findings {
        if !seen.insert(finding.label) {
            return Err(EvidenceError::SameLabel(finding.label));
        }
        holds(finding)?;
        for &slice in &finding.key_slices {
            known(slice, &|| format!("the finding `{}`", finding.label))?;
        }
    }
    for picture in &findings.pictures {
        known(picture.slice, &|| "a picture".to_owned())?;
    }
    for map in &findings.heat_maps {
        for frame in &map.frames {
            known(frame.slice, &|| format!("the heat map of `{}`", map.label))?;
        }
    }
    Ok(())
}

fn holds(finding: &Finding) -> Result<(), EvidenceError> {
    match finding.interval {
        Some([low, high]) if low > finding.probability || high < finding.probability => {
            Err(EvidenceError::Interval(finding.label))
        }
        _ => Ok(()),
    }
}

/// Identifiers of the sources that are no UIDs by their form: the objects repeat them, since nothing else would refer to
/// these sources, but stricter software than falx may not take them.
pub fn not_uids(findings: &StudyFindings) -> Vec<NoUid> {
    type Pick = fn(&SourceSlice) -> Option<String>;
    let attributes: [(&'static str, Pick); 4] = [
        ("Study Instance UID", |s| Some(s.study().to_owned())),
        ("Series Instance UID", |s| Some(s.series().to_owned())),
        ("SOP Instance UID", |s| {
            Some(s.sop_instance_uid().to_owned())
        }),
        ("Frame of Reference UID", |s| {
            text_of(s.header(), tags::FRAME_OF_REFERENCE_UID)
        }),
    ];
    let found = attributes.into_iter().map(|(attribute, pick)| {
        let sources = findings.sources.iter().filter_map(pick);
        let slices = sources.filter(|text| !uid::is_one(text)).count();
        NoUid { attribute, slices }
    });
    found.filter(|found| found.slices > 0).collect()
}
