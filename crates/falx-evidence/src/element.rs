//! Elements of a data set, put in short words.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::header::Header;
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

/// A DICOM data set in memory.
pub type DataSet = InMemDicomObject;

/// Puts text; an empty one is an element without a value.
pub fn put(set: &mut DataSet, tag: Tag, vr: VR, text: impl Into<String>) {
    set.put_str(tag, vr, text);
}

/// Puts 16-bit numbers.
pub fn put_u16(set: &mut DataSet, tag: Tag, number: u16) {
    set.put(DataElement::new(tag, VR::US, PrimitiveValue::from(number)));
}

/// Puts 32-bit numbers.
pub fn put_u32s(set: &mut DataSet, tag: Tag, numbers: Vec<u32>) {
    let value = PrimitiveValue::U32(numbers.into());
    set.put(DataElement::new(tag, VR::UL, value));
}

/// Puts a double.
pub fn put_f64(set: &mut DataSet, tag: Tag, number: f64) {
    set.put(DataElement::new(tag, VR::FD, PrimitiveValue::from(number)));
}

/// Puts a sequence, which may be empty.
pub fn put_items(set: &mut DataSet, tag: Tag, items: Vec<DataSet>) {
    set.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
}

/// Puts a sequence of one item.
pub fn put_item(set: &mut DataSet, tag: Tag, item: DataSet) {
    put_items(set, tag, vec![item]);
}

/// An element as the dictionary has it, where a file calls its value representation unknown (UN).
pub fn known(element: &InMemElement) -> InMemElement {
    let raw = element.value().primitive();
    match (StandardDataDictionary.by_tag(element.tag()), raw) {
        (Some(entry), Some(raw)) if element.vr() == VR::UN => {
            DataElement::new(element.tag(), entry.vr().relaxed(), raw.clone())
        }
        _ => element.clone(),
    }
}

/// The text of an element without its padding; `None` where it is absent or blank.
pub fn text_of(set: &DataSet, tag: Tag) -> Option<String> {
    let value = set.get(tag)?.value();
    let text = match value.primitive() {
        Some(PrimitiveValue::U8(raw)) => raw.iter().copied().map(char::from).collect(),
        _ => value.to_str().ok()?,
    };
    let text = text.trim_matches([' ', '\0']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// The items of a sequence; none where it is absent.
pub fn items_of(set: &DataSet, tag: Tag) -> &[DataSet] {
    set.get(tag)
        .and_then(|element| element.items())
        .unwrap_or_default()
}

/// Exactly `N` finite decimal strings.
pub fn decimals_of<const N: usize>(set: &DataSet, tag: Tag) -> Option<[f64; N]> {
    let numbers = set.get(tag)?.to_multi_float64().ok()?;
    let numbers: [f64; N] = numbers.try_into().ok()?;
    numbers
        .iter()
        .all(|number| number.is_finite())
        .then_some(numbers)
}
