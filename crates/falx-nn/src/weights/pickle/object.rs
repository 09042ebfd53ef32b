//! What a pickle of tensors can hold.

use crate::weights::FormatError;
use crate::weights::element::Element;

/// The place of an object in [`super::Loaded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(pub(super) usize);

/// One object.
#[derive(Clone, Debug)]
pub enum Object {
    None,
    Bool(bool),
    Int(i128),
    Float,
    Text(String),
    Bytes,
    Tuple(Vec<Handle>),
    List(Vec<Handle>),
    Dict(Vec<(Handle, Handle)>),
    Global(Global),
    Storage(StorageKey),
    Tensor(TensorView),
}

impl Object {
    /// What it is, in words.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Int(_) => "a whole number",
            Self::Float => "a number",
            Self::Text(_) => "text",
            Self::Bytes => "bytes",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dictionary",
            Self::Global(_) => "a type",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a single tensor",
        }
    }
}

/// A storage that the file holds elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageKey {
    /// Its name in the file.
    pub key: String,
    /// How its numbers are stored.
    pub element: Element,
    /// How many they are.
    pub length: usize,
    /// The first number that belongs to it, and how many do, where it is a part of another.
    pub part: Option<[usize; 2]>,
}

/// A tensor: a view of a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorView {
    /// Where its numbers lie.
    pub storage: StorageKey,
    /// The place of the first.
    pub offset: usize,
    /// The length of each dimension.
    pub shape: Vec<usize>,
    /// Steps between neighbours of each dimension.
    pub strides: Vec<usize>,
}

/// The only names that a pickle of tensors may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Global {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`, and the older one without hooks
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch.FloatStorage` and its like
    Storage(Element),
}

impl Global {
    /// The name's meaning.
    ///
    /// # Errors
    /// [`FormatError::ForbiddenGlobal`] for any name that tensors do not need.
    pub fn named(module: &str, name: &str) -> Result<Self, FormatError> {
        let storage = |element| Ok(Self::Storage(element));
        match (module, name) {
            ("collections", "OrderedDict") => Ok(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Ok(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Ok(Self::RebuildParameter),
            ("torch", "HalfStorage") => storage(Element::F16),
            ("torch", "BFloat16Storage") => storage(Element::Bf16),
            ("torch", "FloatStorage") => storage(Element::F32),
            ("torch", "DoubleStorage") => storage(Element::F64),
            ("torch", "LongStorage") => storage(Element::Whole("int64", 8)),
            ("torch", "IntStorage") => storage(Element::Whole("int32", 4)),
            ("torch", "ShortStorage") => storage(Element::Whole("int16", 2)),
            ("torch", "CharStorage") => storage(Element::Whole("int8", 1)),
            ("torch", "ByteStorage") => storage(Element::Whole("uint8", 1)),
            ("torch", "BoolStorage") => storage(Element::Whole("bool", 1)),
            _ => Err(FormatError::ForbiddenGlobal(format!("{module}.{name}"))),
        }
    }
}
