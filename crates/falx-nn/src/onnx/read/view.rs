//! A node of the file with its attributes, read by name and type.

use super::array::Array;
use super::error::{Location, ReadError};
use super::tensor;
use crate::onnx::message::{Attribute, Node};

/// A node in its place, of a file of one opset.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The message.
    pub node: &'a Node,
    /// Its place in the file.
    pub index: usize,
    /// The version of ONNX's operators.
    pub opset: i64,
}

/// The largest number that a window, a pad or a repetition may have.
const MOST: i64 = 1 << 20;

impl<'a> View<'a> {
    /// The operator's name.
    pub fn operator(&self) -> &'a str {
        self.node.op_type()
    }

    /// Where it stands, for messages.
    pub fn place(&self) -> Location {
        let output = || self.node.output.first().cloned().unwrap_or_default();
        let name = self.node.name.clone().filter(|name| !name.is_empty());
        Location {
            index: self.index,
            node: name.unwrap_or_else(output),
            operator: self.operator().to_owned(),
        }
    }

    /// The refusal of this form of the operator.
    pub fn form(&self, reason: impl Into<String>) -> ReadError {
        ReadError::Form {
            place: self.place(),
            reason: reason.into(),
        }
    }

    /// The input's name at `index`; `None` where it is left out.
    pub fn input(&self, index: usize) -> Option<&'a str> {
        let name = self.node.input.get(index).map(String::as_str);
        name.filter(|name| !name.is_empty())
    }

    fn attribute(&self, name: &str) -> Option<&'a Attribute> {
        let mut attributes = self.node.attribute.iter();
        attributes.find(|attribute| attribute.name() == name)
    }

    /// Whether the attribute is given.
    pub fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// A whole number.
    pub fn int(&self, name: &str, default: i64) -> i64 {
        let attribute = self.attribute(name);
        attribute
            .and_then(|attribute| attribute.i)
            .unwrap_or(if attribute.is_some() { 0 } else { default })
    }

    /// A switch.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name, default.into()) != 0
    }

    /// A real number.
    pub fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name)
            .map(|attribute| attribute.f.unwrap_or(0.0))
    }

    /// A list of whole numbers.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|attribute| attribute.ints.clone())
    }

    /// A list of real numbers.
    pub fn floats(&self, name: &str) -> Option<Vec<f32>> {
        self.attribute(name)
            .map(|attribute| attribute.floats.clone())
    }

    /// A word.
    pub fn word(&self, name: &str) -> Option<&'a str> {
        let bytes = self.attribute(name)?.s.as_ref()?;
        std::str::from_utf8(bytes).ok()
    }

    /// A list of sizes, each not negative and bearable.
    pub fn sizes(&self, name: &str) -> Result<Option<Vec<usize>>, ReadError> {
        let bearable = |number: i64| {
            let size = usize::try_from(number).ok().filter(|_| number <= MOST);
            size.ok_or_else(|| self.form(format!("`{name}` holds {number}")))
        };
        self.ints(name)
            .map(|ints| ints.into_iter().map(bearable).collect())
            .transpose()
    }

    /// As many sizes as the array is long.
    pub fn sized<const N: usize>(
        &self,
        name: &str,
        default: [usize; N],
    ) -> Result<[usize; N], ReadError> {
        match self.sizes(name)? {
            None => Ok(default),
            Some(sizes) => <[usize; N]>::try_from(sizes).map_err(|sizes| {
                let found = sizes.len();
                self.form(format!(
                    "`{name}` has {found} numbers where {N} are read (two dimensions)"
                ))
            }),
        }
    }

    /// An axis of a value of `rank` dimensions, batch included, counted from the front.
    pub fn axis(&self, axis: i64, rank: usize) -> Result<usize, ReadError> {
        let rank = rank as i64;
        let front = if axis < 0 {
            axis.saturating_add(rank)
        } else {
            axis
        };
        if (0..rank).contains(&front) {
            Ok(front as usize)
        } else {
            Err(self.form(format!("has no axis {axis}, as it works on {rank}")))
        }
    }

    /// The tensor or the numbers that a `Constant` holds.
    pub fn constant(&self) -> Result<Array, ReadError> {
        use super::array::{Data, Size};
        let [attribute] = self.node.attribute.as_slice() else {
            return Err(self.form("a constant has one value"));
        };
        let output = || self.node.output.first().cloned().unwrap_or_default();
        match attribute.name() {
            "value" => match &attribute.t {
                Some(held) => tensor::array(held, &output(), None),
                None => Err(self.form("its value is no tensor")),
            },
            "value_float" => Ok(Array::scalar(Data::Floats(vec![
                attribute.f.unwrap_or_default(),
            ]))),
            "value_int" => Ok(Array::scalar(Data::Sizes(vec![Size::of(
                attribute.i.unwrap_or_default(),
            )]))),
            "value_ints" => Ok(Array::sizes(
                attribute
                    .ints
                    .iter()
                    .map(|&number| Size::of(number))
                    .collect(),
            )),
            "value_floats" => Ok(Array {
                shape: vec![attribute.floats.len()],
                ..Array::scalar(Data::Floats(attribute.floats.clone()))
            }),
            other => Err(self.form(format!("a constant's `{other}` is not read"))),
        }
    }

    /// The tensor of an attribute.
    pub fn tensor(&self, name: &str) -> Result<Option<Array>, ReadError> {
        match self.attribute(name).map(|attribute| &attribute.t) {
            None => Ok(None),
            Some(Some(held)) => tensor::array(held, name, None).map(Some),
            Some(None) => Err(self.form(format!("`{name}` is no tensor"))),
        }
    }
}
