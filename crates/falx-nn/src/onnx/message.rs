//! The few ONNX messages we write, by hand, so that no protobuf compiler is needed.
//!
//! # Source
//! `onnx/onnx.proto` of ONNX 1.16, field by field.

use prost::{Message, Oneof};

#[derive(Clone, PartialEq, Message)]
pub struct Model {
    #[prost(int64, optional, tag = "1")]
    pub ir_version: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub producer_name: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub producer_version: Option<String>,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
}

#[derive(Clone, PartialEq, Message)]
pub struct OperatorSet {
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub version: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorData>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub op_type: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(float, optional, tag = "2")]
    pub f: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub s: Option<Vec<u8>>,
    #[prost(message, optional, tag = "5")]
    pub t: Option<TensorData>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    #[prost(int32, optional, tag = "20")]
    pub kind: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TensorData {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    pub data_type: Option<i32>,
    #[prost(string, optional, tag = "8")]
    pub name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "9")]
    pub raw_data: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct ValueInfo {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub kind: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Type {
    #[prost(message, optional, tag = "1")]
    pub tensor: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TensorType {
    #[prost(int32, optional, tag = "1")]
    pub element: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    #[prost(oneof = "Length", tags = "1, 2")]
    pub length: Option<Length>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Length {
    #[prost(int64, tag = "1")]
    Fixed(i64),
    #[prost(string, tag = "2")]
    Free(String),
}

/// `TensorProto.DataType.FLOAT`.
pub const FLOAT: i32 = 1;
/// `TensorProto.DataType.INT64`.
pub const INT64: i32 = 7;

impl TensorData {
    /// A list of whole numbers.
    pub fn integers(values: &[i64]) -> Self {
        Self {
            dims: vec![values.len() as i64],
            data_type: Some(INT64),
            raw_data: Some(values.iter().flat_map(|x| x.to_le_bytes()).collect()),
            ..Self::default()
        }
    }

    /// One real number.
    pub fn number(value: f32) -> Self {
        Self {
            data_type: Some(FLOAT),
            raw_data: Some(value.to_le_bytes().to_vec()),
            ..Self::default()
        }
    }
}

impl Attribute {
    /// A whole number (`AttributeType` INT).
    pub fn int(name: &str, value: usize) -> Self {
        Self {
            name: Some(name.to_owned()),
            i: Some(value as i64),
            kind: Some(2),
            ..Self::default()
        }
    }

    /// A real number (`AttributeType` FLOAT).
    pub fn float(name: &str, value: f32) -> Self {
        Self {
            name: Some(name.to_owned()),
            f: Some(value),
            kind: Some(1),
            ..Self::default()
        }
    }

    /// A text (`AttributeType` STRING).
    pub fn text(name: &str, value: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            s: Some(value.as_bytes().to_vec()),
            kind: Some(3),
            ..Self::default()
        }
    }

    /// A tensor (`AttributeType` TENSOR).
    pub fn tensor(name: &str, value: TensorData) -> Self {
        Self {
            name: Some(name.to_owned()),
            t: Some(value),
            kind: Some(4),
            ..Self::default()
        }
    }

    /// A list of whole numbers (`AttributeType` INTS).
    pub fn ints(name: &str, values: &[usize]) -> Self {
        let ints = values.iter().map(|&value| value as i64).collect();
        Self {
            name: Some(name.to_owned()),
            ints,
            kind: Some(7),
            ..Self::default()
        }
    }
}

impl ValueInfo {
    /// A value of any batch of `shape`.
    pub fn batch_of(name: &str, shape: &[usize]) -> Self {
        let free = Dimension {
            length: Some(Length::Free("batch".to_owned())),
        };
        let fixed = |&length: &usize| Dimension {
            length: Some(Length::Fixed(length as i64)),
        };
        let dim = std::iter::once(free)
            .chain(shape.iter().map(fixed))
            .collect();
        let tensor = TensorType {
            element: Some(FLOAT),
            shape: Some(Shape { dim }),
        };
        Self {
            name: Some(name.to_owned()),
            kind: Some(Type {
                tensor: Some(tensor),
            }),
        }
    }
}
