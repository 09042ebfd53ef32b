//! The file's nodes one after the other: what is known is computed, the rest becomes our operators.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use super::array::{Array, Data, Size, count};
use super::error::{Location, Note, ReadError};
use super::evaluate::{Budget, evaluate};
use super::names::{Names, module, path};
use super::partial::Partial;
use super::view::View;
use super::{convert, tensor};
use crate::onnx::message;
use crate::{Operator, Tensor, Value};

/// What a name of the file stands for.
#[derive(Clone, Debug)]
pub enum Known {
    /// A value of our graph.
    Value(Value),
    /// Numbers that do not depend on the input.
    Array(Rc<Array>),
    /// A step on the way to one of our operators.
    Partial(Partial),
}

/// One of our nodes to be.
#[derive(Clone, Debug)]
pub struct Draft {
    pub name: String,
    pub operator: Operator,
    pub inputs: Vec<Value>,
    pub shape: Vec<usize>,
    /// What it owns, in the operator's order.
    pub parameters: Vec<(String, Tensor)>,
}

/// Sizes above this are no images, and their products could overflow.
const MOST_VALUES: usize = 1 << 40;

/// Nodes may become several of ours, as `Split` does.
const MOST_NODES: usize = 1 << 14;

/// How many numbers a file may have computed that it does not hold itself: masks, positions.
const SMALL_CONSTANTS: usize = 1 << 24;

/// The graph while it is made.
pub struct Lowering<'a> {
    /// Whether the file is for a batch of 1, which is taken for any.
    pub batch_of_one: bool,
    pub input: Vec<usize>,
    pub nodes: Vec<Draft>,
    pub notes: Vec<Note>,
    pub budget: Budget,
    pub known: BTreeMap<&'a str, Known>,
    /// How many nodes and outputs of the file read a name.
    pub readers: BTreeMap<&'a str, usize>,
    stored: BTreeMap<&'a str, &'a message::TensorData>,
    seen: BTreeSet<&'a str>,
    folder: Option<&'a Path>,
    names: Names,
}

impl<'a> Lowering<'a> {
    pub fn new(
        (input, batch_of_one): (Vec<usize>, bool),
        stored: BTreeMap<&'a str, &'a message::TensorData>,
        folder: Option<&'a Path>,
    ) -> Self {
        Self {
            batch_of_one,
            input,
            nodes: Vec::new(),
            notes: Vec::new(),
            budget: Budget(SMALL_CONSTANTS),
            known: BTreeMap::new(),
            readers: BTreeMap::new(),
            stored,
            seen: BTreeSet::new(),
            folder,
            names: Names::default(),
        }
    }

    /// Says something once.
    pub fn note(&mut self, text: impl Into<String>) {
        let note = Note(text.into());
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Takes one node of the file in.
    pub fn node(&mut self, view: &View<'a>) -> Result<(), ReadError> {
        let place = || view.place();
        if let Some(domain) = &view.node.domain
            && !matches!(domain.as_str(), "" | "ai.onnx")
        {
            let domain = domain.clone();
            return Err(ReadError::Domain {
                place: place(),
                domain,
            });
        }
        for attribute in &view.node.attribute {
            if attribute.g.is_some() || !attribute.graphs.is_empty() {
                return Err(ReadError::Subgraph(place()));
            }
            if attribute.sparse_tensor.is_some() {
                return Err(ReadError::Sparse(attribute.name().to_owned()));
            }
        }
        let mut inputs: Vec<Option<Known>> = (0..view.node.input.len())
            .map(|index| self.input(view, index))
            .collect::<Result<_, _>>()?;
        let arrays: Option<Vec<Option<&Array>>> = inputs
            .iter()
            .map(|input| match input {
                None => Some(None),
                Some(Known::Array(array)) => Some(Some(array.as_ref())),
                Some(_) => None,
            })
            .collect();
        let outputs = match arrays {
            Some(arrays) => {
                let array = evaluate(view, &arrays, &mut self.budget)?;
                let array = array.ok_or_else(|| ReadError::Operator(place()))?;
                vec![Known::Array(Rc::new(array))]
            }
            None => convert::convert(self, view, &mut inputs)?,
        };
        let names = view.node.output.iter().map(String::as_str);
        for (name, output) in names.zip(outputs) {
            if !name.is_empty() {
                self.known.insert(name, output);
            }
        }
        Ok(())
    }

    /// What the node's input at `index` stands for.
    fn input(&mut self, view: &View<'a>, index: usize) -> Result<Option<Known>, ReadError> {
        let Some(name) = view.input(index) else {
            return Ok(None);
        };
        if let Some(known) = self.known.get(name) {
            return Ok(Some(known.clone()));
        }
        let Some(stored) = self.stored.get(name) else {
            let (place, tensor) = (view.place(), name.to_owned());
            return Err(ReadError::Missing { place, tensor });
        };
        let mut array = tensor::array(stored, name, self.folder)?;
        // Reading it once, and some arithmetic with it, is what the file accounts for.
        if self.seen.insert(name) {
            self.budget.0 = self.budget.0.saturating_add(array.len().saturating_mul(4));
        }
        self.budget.take(view, Some(array.len()))?;
        array.origin = Some(name.to_owned());
        Ok(Some(Known::Array(Rc::new(array))))
    }

    /// The shape of a value, without the batch.
    pub fn shape(&self, value: Value) -> &[usize] {
        match value.node() {
            None => &self.input,
            Some(node) => self.nodes.get(node).map_or(&[], |node| &node.shape),
        }
    }

    /// The shape of a value as ONNX sees it.
    pub fn sizes(&self, value: Value) -> Vec<Size> {
        let lengths = self.shape(value).iter();
        std::iter::once(Size::BATCH)
            .chain(lengths.map(|&length| Size::of(length as i64)))
            .collect()
    }

    /// Adds one of our nodes, whose parameters are `arrays` in the operator's order.
    ///
    /// It is named after the arrays where the exporter kept their modules' names, else after the file's node.
    pub fn add(
        &mut self,
        view: &View,
        operator: impl Into<Operator>,
        inputs: &[Value],
        arrays: Vec<Array>,
    ) -> Result<Value, ReadError> {
        let operator = operator.into();
        let shapes = inputs.iter().map(|&value| self.shape(value).to_vec());
        let shapes: Vec<Vec<usize>> = shapes.collect();
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let place = || view.place();
        let shape = operator.shape(&shapes).map_err(|source| ReadError::Shape {
            place: place(),
            source,
        })?;
        if self.nodes.len() >= MOST_NODES {
            let (what, most) = ("nodes", MOST_NODES);
            return Err(ReadError::TooMany { what, most });
        }
        if count(&shape).is_none_or(|count| count > MOST_VALUES) || shape.len() > 12 {
            return Err(view.form(format!("gives values of the shape {shape:?}")));
        }
        let specs = |name: &str| operator.parameters(name, &shapes);
        let parts: Vec<String> = specs("").into_iter().map(|spec| spec.name).collect();
        let wanted = Self::wanted(view, &parts, &arrays);
        let name = self.names.unique(&wanted, |name| {
            specs(name).into_iter().map(|spec| spec.name).collect()
        });
        let specs = specs(&name);
        if specs.len() != arrays.len() {
            let (found, expected) = (arrays.len(), specs.len());
            return Err(view.form(format!("has {found} weights where {expected} are needed")));
        }
        let mut parameters = Vec::new();
        for (spec, array) in specs.into_iter().zip(arrays) {
            let tensor = array.origin.clone().unwrap_or_else(|| spec.name.clone());
            if array.shape != spec.shape || array.batched {
                let (expected, found) = (spec.shape.into(), array.shape.into());
                return Err(ReadError::Weight {
                    place: place(),
                    tensor,
                    expected,
                    found,
                });
            }
            let Data::Floats(data) = array.data else {
                return Err(view.form(format!("`{tensor}` does not hold floats")));
            };
            if !data.iter().all(|x| x.is_finite()) {
                return Err(ReadError::NotFinite {
                    place: place(),
                    tensor,
                });
            }
            let shape = spec.shape;
            parameters.push((spec.name, Tensor { shape, data }));
        }
        let inputs = inputs.to_vec();
        self.nodes.push(Draft {
            name,
            operator,
            inputs,
            shape,
            parameters,
        });
        Ok(Value::of_node(self.nodes.len() - 1))
    }

    /// The name that a node should have.
    fn wanted(view: &View, parts: &[String], arrays: &[Array]) -> String {
        let parts: Vec<&str> = parts
            .iter()
            .map(|part| part.trim_start_matches('.'))
            .collect();
        for array in arrays {
            let Some(origin) = &array.origin else {
                continue;
            };
            // A constant operand is called as its node is.
            if parts == [""] && super::names::plain(origin) && origin.contains('.') {
                return origin.clone();
            }
            if let Some(module) = module(origin, &parts) {
                return module.to_owned();
            }
        }
        let Location { node, operator, .. } = view.place();
        path(&node, &operator, !parts.is_empty() && parts != [""])
    }

    /// Whether the node of the file is the only reader of its input at `index`.
    pub fn only_reader(&self, view: &View, index: usize) -> bool {
        let name = view.node.input.get(index).map(String::as_str);
        name.is_some_and(|name| self.readers.get(name) == Some(&1))
    }
}
