//! The tree of content items that a structured report is.
//!
//! # Source
//! DICOM PS3.3, C.17.3 (SR Document Content), C.18 (the kinds of item).

use dicom_core::VR;
use dicom_dictionary_std::tags;

use crate::code::{Concept, Fixed};
use crate::element::{DataSet, put, put_f64, put_item, put_items};
use crate::text::decimal;

/// How an item stands to the one above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relationship {
    Contains,
    HasAcqContext,
    HasConceptMod,
    HasObsContext,
    HasProperties,
    InferredFrom,
}

impl Relationship {
    const fn term(self) -> &'static str {
        match self {
            Self::Contains => "CONTAINS",
            Self::HasAcqContext => "HAS ACQ CONTEXT",
            Self::HasConceptMod => "HAS CONCEPT MOD",
            Self::HasObsContext => "HAS OBS CONTEXT",
            Self::HasProperties => "HAS PROPERTIES",
            Self::InferredFrom => "INFERRED FROM",
        }
    }
}

/// A content item with what stands below it.
#[derive(Clone, Debug)]
pub struct Item {
    set: DataSet,
    below: Vec<DataSet>,
}

impl Item {
    fn new(value_type: &str, name: Option<Fixed>) -> Self {
        let mut set = DataSet::new_empty();
        put(&mut set, tags::VALUE_TYPE, VR::CS, value_type);
        if let Some(name) = name {
            Concept::from(name).put(&mut set, tags::CONCEPT_NAME_CODE_SEQUENCE);
        }
        Self {
            set,
            below: Vec::new(),
        }
    }

    /// A heading; `template` is the number of the template that what stands below it follows.
    pub fn container(name: Fixed, template: Option<&str>) -> Self {
        let mut item = Self::new("CONTAINER", Some(name));
        put(
            &mut item.set,
            tags::CONTINUITY_OF_CONTENT,
            VR::CS,
            "SEPARATE",
        );
        if let Some(template) = template {
            let mut follows = DataSet::new_empty();
            put(&mut follows, tags::MAPPING_RESOURCE, VR::CS, "DCMR");
            put(&mut follows, tags::TEMPLATE_IDENTIFIER, VR::CS, template);
            put_item(&mut item.set, tags::CONTENT_TEMPLATE_SEQUENCE, follows);
        }
        item
    }

    /// A coded answer.
    pub fn code(name: Fixed, value: impl Into<Concept>) -> Self {
        let mut item = Self::new("CODE", Some(name));
        value.into().put(&mut item.set, tags::CONCEPT_CODE_SEQUENCE);
        item
    }

    /// A text, which may not be empty.
    pub fn text(name: Fixed, text: &str) -> Self {
        let mut item = Self::new("TEXT", Some(name));
        let text = if text.is_empty() { "not given" } else { text };
        put(&mut item.set, tags::TEXT_VALUE, VR::UT, text);
        item
    }

    /// A number with its unit: as text, and to the last bit.
    pub fn number(name: Fixed, value: f64, unit: Fixed) -> Self {
        let mut item = Self::new("NUM", Some(name));
        let mut measured = DataSet::new_empty();
        put(&mut measured, tags::NUMERIC_VALUE, VR::DS, decimal(value));
        put_f64(&mut measured, tags::FLOATING_POINT_VALUE, value);
        Concept::from(unit).put(&mut measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE);
        put_item(&mut item.set, tags::MEASURED_VALUE_SEQUENCE, measured);
        item
    }

    /// An identifier.
    pub fn uid(name: Fixed, uid: &str) -> Self {
        let mut item = Self::new("UIDREF", Some(name));
        put(&mut item.set, tags::UID, VR::UI, uid);
        item
    }

    /// An image, by the item that refers to it.
    pub fn image(name: Option<Fixed>, reference: DataSet) -> Self {
        let mut item = Self::new("IMAGE", name);
        put_item(&mut item.set, tags::REFERENCED_SOP_SEQUENCE, reference);
        item
    }

    /// With another item below it, after those that are there.
    #[must_use]
    pub fn with(mut self, relationship: Relationship, item: Self) -> Self {
        self.add(relationship, item);
        self
    }

    /// With other items below it.
    #[must_use]
    pub fn with_all(mut self, relationship: Relationship, items: Vec<Self>) -> Self {
        for item in items {
            self.add(relationship, item);
        }
        self
    }

    fn add(&mut self, relationship: Relationship, item: Self) {
        let mut set = item.into_set();
        put(
            &mut set,
            tags::RELATIONSHIP_TYPE,
            VR::CS,
            relationship.term(),
        );
        self.below.push(set);
    }

    /// The item as it stands by itself.
    pub fn into_set(mut self) -> DataSet {
        if !self.below.is_empty() {
            put_items(&mut self.set, tags::CONTENT_SEQUENCE, self.below);
        }
        self.set
    }

    /// Puts the tree into the object that it is the content of.
    pub fn put_as_root(self, object: &mut DataSet) {
        object.extend(self.into_set());
    }
}
