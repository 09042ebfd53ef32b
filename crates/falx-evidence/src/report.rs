//! The findings as a structured report: a Measurement Report (TID 1500) in a Comprehensive 3D SR.
//!
//! Each label is a measurement group (TID 1501) with a coded finding, its probability as a number in per cent that points at
//! the slices which speak most for it, whether it is present, and what found it (TID 4019).

use dicom_core::VR;
use dicom_dictionary_std::tags;
use falx_core::{Probability, RESEARCH_USE};

use crate::code::{self, Concept};
use crate::content::{Item, Relationship};
use crate::element::{items_of, put, put_items};
use crate::findings::{Finding, Presence};
use crate::observer::introduce;
use crate::study::{Kind, Made, Study, evidence};
use crate::{EvidenceError, SourceSlice};

/// Encodes the report.
pub fn report(study: &Study<'_>) -> Result<Made, EvidenceError> {
    let sources: Vec<_> = study.findings.sources.iter().collect();
    let mut set = study.begin(Kind::Report, 1);
    put_items(
        &mut set,
        tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE,
        Vec::new(),
    );
    put_items(
        &mut set,
        tags::PERFORMED_PROCEDURE_CODE_SEQUENCE,
        Vec::new(),
    );
    let evidence = evidence(&sources, &[]);
    put_items(
        &mut set,
        tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE,
        evidence,
    );
    // All that the detector says is said; nobody has read it.
    put(&mut set, tags::COMPLETION_FLAG, VR::CS, "COMPLETE");
    put(&mut set, tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED");
    put(&mut set, tags::PRELIMINARY_FLAG, VR::CS, "PRELIMINARY");
    root(study).put_as_root(&mut set);
    study.encode(Kind::Report, "falx-report.dcm".to_owned(), set)
}

fn root(study: &Study<'_>) -> Item {
    let groups = study.findings.findings.iter().map(|f| group(study, f));
    let measurements = Item::container(code::IMAGING_MEASUREMENTS, None)
        .with_all(Relationship::Contains, groups.collect());
    introduce(
        Item::container(code::IMAGING_MEASUREMENT_REPORT, Some("1500")),
        study,
    )
    .with(
        Relationship::HasConceptMod,
        Item::code(code::PROCEDURE_REPORTED, procedure(study)),
    )
    .with(Relationship::Contains, library(study))
    .with(Relationship::Contains, measurements)
    .with(
        Relationship::Contains,
        Item::text(code::COMMENT, RESEARCH_USE),
    )
}

/// What was done: as the source codes it, else what falx is for.
fn procedure(study: &Study<'_>) -> Concept {
    let header = study.slice(0).map(SourceSlice::header);
    let items = header.map_or(&[][..], |set| items_of(set, tags::PROCEDURE_CODE_SEQUENCE));
    let coded = items.first().and_then(Concept::read);
    coded.unwrap_or_else(|| code::CT_OF_HEAD.into())
}

/// Every slice that was looked at (TID 1600).
fn library(study: &Study<'_>) -> Item {
    let images = study.findings.sources.iter();
    let images = images.map(|source| Item::image(None, source.reference()));
    let group = Item::container(code::IMAGE_LIBRARY_GROUP, None)
        .with(
            Relationship::HasAcqContext,
            Item::code(code::MODALITY, code::CT),
        )
        .with_all(Relationship::Contains, images.collect());
    Item::container(code::IMAGE_LIBRARY, None).with(Relationship::Contains, group)
}

fn group(study: &Study<'_>, finding: &Finding) -> Item {
    let label = finding.label;
    let tracking = format!("falx {label}");
    let presence = finding.presence.map(Presence::concept);
    let presence = presence.map(|called| Item::code(code::PRESENCE, called));
    Item::container(code::MEASUREMENT_GROUP, Some("1501"))
        .with(
            Relationship::HasObsContext,
            Item::text(code::TRACKING_IDENTIFIER, &tracking),
        )
        .with(
            Relationship::HasObsContext,
            Item::uid(code::TRACKING_UID, &study.uid(&tracking)),
        )
        .with(
            Relationship::Contains,
            Item::code(code::FINDING, code::finding(label)),
        )
        .with_all(Relationship::HasConceptMod, algorithm(study, finding))
        .with(Relationship::Contains, probability(study, finding))
        .with_all(Relationship::Contains, presence.into_iter().collect())
}

/// What found it (TID 4019); what the answer depends on stands as `name=value`.
fn algorithm(study: &Study<'_>, finding: &Finding) -> Vec<Item> {
    let algorithm = &study.findings.algorithm;
    let text = |text: &str| study.repertoire.paragraph(text);
    let mut items = vec![
        Item::text(code::ALGORITHM_NAME, &text(&algorithm.name)),
        Item::text(code::ALGORITHM_VERSION, &text(&algorithm.version)),
    ];
    let share = |name: &str, share: Option<Probability>| {
        share.map(|share| format!("{name}={}", share.get()))
    };
    let hash =
        (!algorithm.model_hash.is_empty()).then(|| format!("model={}", algorithm.model_hash));
    let given = algorithm.parameters.iter();
    let given = given.map(|(name, value)| format!("{name}={value}"));
    let parameters = hash
        .into_iter()
        .chain(share("prevalence", study.findings.prevalence))
        .chain(share("threshold", finding.threshold))
        .chain(given);
    items.extend(parameters.map(|p| Item::text(code::ALGORITHM_PARAMETERS, &text(&p))));
    items
}

/// The probability in per cent, with the ends of its interval and the slices that it was seen on.
fn probability(study: &Study<'_>, finding: &Finding) -> Item {
    let percent = |share: f64| 100.0 * share;
    let own = finding.probability.get();
    let mut number = Item::number(code::CERTAINTY_OF_FINDING, percent(own), code::PERCENT);
    if let Some([low, high]) = finding.interval {
        let above = percent(high.get() - own);
        let below = percent(own - low.get());
        for (name, range) in [(code::ABOVE, above), (code::BELOW, below)] {
            let range = Item::number(name, range, code::PERCENT);
            number = number.with(Relationship::HasProperties, range);
        }
    }
    let slices = finding.key_slices.iter().filter_map(|&at| study.slice(at));
    let seen = slices.map(|s| Item::image(Some(code::SOURCE_OF_MEASUREMENT), s.reference()));
    number.with_all(Relationship::InferredFrom, seen.collect())
}
