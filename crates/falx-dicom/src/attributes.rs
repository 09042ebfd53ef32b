//! Values of a data set's elements by name: strict for what Hounsfield units depend on, lenient for the rest.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

use crate::dataset::DataSet;
use crate::text::{decimal, split, to_text, trim};
use crate::{Defect, Refusal, Refused};

/// The longest decimal string that the standard allows (PS3.5 6.2).
const MAX_DS: usize = 16;

impl<'a> DataSet<'a> {
    /// A text that nothing depends on, trimmed; `None` where it is absent or empty.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        self.get(tag).and_then(|element| to_text(element.value))
    }

    /// The bytes of a needed text attribute, trimmed; `None` where it is absent or empty.
    pub(crate) fn needed_text(&mut self, tag: Tag, vr: VR) -> Result<Option<&'a [u8]>, Refused> {
        let value = self.needed(tag, &[vr])?.map(trim);
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// A needed decimal string of one value; `None` where it is absent or blank.
    pub(crate) fn needed_decimal(&mut self, tag: Tag) -> Result<Option<f64>, Refused> {
        let Some(value) = self.needed_number_text(tag, VR::DS)? else {
            return Ok(None);
        };
        if value.len() > MAX_DS {
            self.defects.add(Defect::DsOverLength);
        }
        let number = decimal(value);
        number.map(Some).ok_or_else(|| malformed_text(tag, value))
    }

    /// The text of a needed number, trimmed and of one value; `None` where it is absent or blank.
    pub(crate) fn needed_number_text(
        &mut self,
        tag: Tag,
        vr: VR,
    ) -> Result<Option<&'a [u8]>, Refused> {
        let Some(value) = self.needed(tag, &[vr])? else {
            return Ok(None);
        };
        if value.last() == Some(&0) {
            self.defects.add(Defect::NulPaddedValue);
        }
        let value = trim(value);
        if split(value).count() > 1 {
            return Err(malformed_text(tag, value));
        }
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    /// A needed 16-bit unsigned number.
    pub(crate) fn needed_u16(&mut self, tag: Tag) -> Result<u16, Refused> {
        let value = self.needed_bits(tag, &[VR::US])?;
        value.ok_or_else(|| missing(tag))
    }

    /// The 16 bits of a number whose VR is one of `vrs`; `None` where it is absent or empty.
    pub(crate) fn needed_bits(&mut self, tag: Tag, vrs: &[VR]) -> Result<Option<u16>, Refused> {
        match self.needed(tag, vrs)? {
            None | Some([]) => Ok(None),
            Some(&[a, b]) => Ok(Some(self.encoding.u16([a, b]))),
            Some(value) => Err(Refused::new(
                Refusal::MalformedValue,
                format!(
                    "{} has {} bytes where one 16-bit number has 2",
                    keyword(tag),
                    value.len()
                ),
            )),
        }
    }

    /// The value of a needed element, after a look at the VR it is written with.
    fn needed(&mut self, tag: Tag, vrs: &[VR]) -> Result<Option<&'a [u8]>, Refused> {
        let Some(element) = self.get(tag) else {
            return Ok(None);
        };
        let is_text = |vr: &VR| is_text(*vr);
        match element.vr {
            None => {}
            Some(vr) if vrs.contains(&vr) => {}
            Some(VR::UN) => self.defects.add(Defect::VrUnResolved),
            Some(vr) if is_text(&vr) && vrs.iter().all(is_text) => {
                self.defects.add(Defect::VrNotAsDictionary);
            }
            Some(vr) => {
                return Err(Refused::new(
                    Refusal::MalformedValue,
                    format!("{} is written with VR {}", keyword(tag), vr.to_string()),
                ));
            }
        }
        Ok(Some(element.value))
    }
}

const fn is_text(vr: VR) -> bool {
    matches!(
        vr,
        VR::AE
            | VR::AS
            | VR::CS
            | VR::DA
            | VR::DS
            | VR::DT
            | VR::IS
            | VR::LO
            | VR::LT
            | VR::PN
            | VR::SH
            | VR::ST
            | VR::TM
            | VR::UC
            | VR::UI
            | VR::UR
            | VR::UT
    )
}

/// The dictionary's keyword of an attribute, for messages.
pub(crate) fn keyword(tag: Tag) -> String {
    StandardDataDictionary
        .by_tag(tag)
        .map_or_else(|| tag.to_string(), |entry| entry.alias().to_owned())
}

pub(crate) fn missing(tag: Tag) -> Refused {
    Refused::new(
        Refusal::MissingAttribute,
        format!("{} is absent or empty", keyword(tag)),
    )
}

/// A needed value that is no value of its type; only the beginning is shown, in case it is something else entirely.
pub(crate) fn malformed_text(tag: Tag, value: &[u8]) -> Refused {
    let shown = value.get(..24).unwrap_or(value).escape_ascii();
    Refused::new(
        Refusal::MalformedValue,
        format!("{} is `{shown}`", keyword(tag)),
    )
}
