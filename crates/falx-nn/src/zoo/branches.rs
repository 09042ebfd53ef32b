//! The building blocks of the Inception networks.

use super::layers::{Activation, ConvNorm, TENSORFLOW_NORM, kernel, unpadded};
use crate::{Concat, Conv, GraphBuilder, GraphError, Operator, Value};

/// A convolution without bias, a normalisation, a rectifier; their names end in `conv`, `bn` and `bn.relu`.
#[derive(Clone, Copy, Debug)]
pub struct Layer(Conv);

impl Layer {
    /// A kernel that keeps the size.
    pub const fn new(channels: usize, size: [usize; 2]) -> Self {
        Self(kernel(channels, size, 1, 1))
    }

    /// The same without padding.
    pub const fn unpadded(self) -> Self {
        Self(unpadded(self.0))
    }

    /// The same at every second pixel, without padding.
    pub const fn halving(self) -> Self {
        let conv = unpadded(self.0);
        Self(Conv {
            strides: [2, 2],
            ..conv
        })
    }

    /// Adds it as module `name`.
    pub fn add(self, graph: &mut GraphBuilder, name: &str, x: Value) -> Result<Value, GraphError> {
        let layer = ConvNorm {
            conv: self.0,
            norm: TENSORFLOW_NORM,
            activation: Activation::Relu,
        };
        layer.add(graph, [&format!("{name}.conv"), &format!("{name}.bn")], x)
    }
}

/// The branches of one module, which end side by side.
pub struct Branches<'a> {
    graph: &'a mut GraphBuilder,
    name: String,
    input: Value,
    ends: Vec<Value>,
}

impl<'a> Branches<'a> {
    /// The branches of module `name`, so far none.
    pub fn new(graph: &'a mut GraphBuilder, name: &str, input: Value) -> Self {
        let (name, ends) = (name.to_owned(), Vec::new());
        Self {
            graph,
            name,
            input,
            ends,
        }
    }

    /// A branch of layers one after the other.
    pub fn chain(mut self, layers: &[(&str, Layer)]) -> Result<Self, GraphError> {
        let end = self.follow(layers, self.input)?;
        self.ends.push(end);
        Ok(self)
    }

    /// A branch whose end forks in two.
    pub fn fork(
        mut self,
        layers: &[(&str, Layer)],
        ends: [(&str, Layer); 2],
    ) -> Result<Self, GraphError> {
        let x = self.follow(layers, self.input)?;
        for end in ends {
            let end = self.follow(&[end], x)?;
            self.ends.push(end);
        }
        Ok(self)
    }

    /// A branch that begins with a pool.
    pub fn pool(
        mut self,
        pool: &str,
        operator: impl Into<Operator>,
        layers: &[(&str, Layer)],
    ) -> Result<Self, GraphError> {
        let x = self
            .graph
            .add(&format!("{}.{pool}", self.name), operator, &[self.input])?;
        let end = self.follow(layers, x)?;
        self.ends.push(end);
        Ok(self)
    }

    /// All branches side by side.
    pub fn join(self) -> Result<Value, GraphError> {
        self.graph.add(
            &format!("{}.concat", self.name),
            Concat { axis: 1 },
            &self.ends,
        )
    }

    fn follow(&mut self, layers: &[(&str, Layer)], mut x: Value) -> Result<Value, GraphError> {
        for (part, layer) in layers {
            x = layer.add(self.graph, &format!("{}.{part}", self.name), x)?;
        }
        Ok(x)
    }
}
