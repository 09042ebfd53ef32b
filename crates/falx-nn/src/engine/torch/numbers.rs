//! A network's parameters on a device, by name.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor as Value};

use super::values;
use crate::{
    EngineError, Gradients, Graph, ParameterKind, ParameterSpec, Parameters, Tensor, Training,
};

/// What a graph computes with, beside its input.
pub struct Numbers {
    /// The weights and constants.
    pub leaves: BTreeMap<String, Value>,
    /// The running statistics, which training moves.
    pub statistics: BTreeMap<String, Value>,
}

impl Numbers {
    /// All parameters of a graph, copied to the device.
    pub fn put(
        graph: &Graph,
        parameters: &Parameters,
        device: Device,
    ) -> Result<Self, EngineError> {
        let (mut leaves, mut statistics) = (BTreeMap::new(), BTreeMap::new());
        for spec in graph.parameters() {
            let value = values::put(fitting(spec, parameters)?, device)?;
            let into = match spec.kind {
                ParameterKind::Weight | ParameterKind::Constant => &mut leaves,
                ParameterKind::RunningStatistic => &mut statistics,
            };
            into.insert(spec.name.clone(), value);
        }
        Ok(Self { leaves, statistics })
    }

    /// From now on gradients are wanted of the weights that `training` does not freeze.
    pub fn want(&self, graph: &Graph, training: &Training) -> Result<(), EngineError> {
        for spec in graph.parameters() {
            if let (ParameterKind::Weight, Some(leaf)) = (spec.kind, self.leaves.get(&spec.name)) {
                let wanted = !training.freezes(&spec.name);
                if leaf.requires_grad() != wanted {
                    let _same = leaf.f_set_requires_grad(wanted)?;
                }
            }
        }
        Ok(())
    }

    /// Goes back from the output, whose gradient is `slopes`.
    pub fn gradients(&self, output: &Value, slopes: &Value) -> Result<Gradients, EngineError> {
        if output.requires_grad() {
            output.f_mul(slopes)?.f_sum(Kind::Float)?.f_backward()?;
        }
        let mut gradients = Vec::new();
        for (name, leaf) in &self.leaves {
            let gradient = leaf.f_grad()?;
            if gradient.defined() {
                gradients.push((name.clone(), values::read(&gradient)?));
            }
        }
        Ok(gradients.into_iter().collect())
    }
}

/// The parameter of `spec`, where it has the graph's shape.
pub fn fitting<'a>(
    spec: &ParameterSpec,
    parameters: &'a Parameters,
) -> Result<&'a Tensor, EngineError> {
    let fits = |tensor: &&Tensor| {
        tensor.shape == spec.shape && tensor.data.len() == spec.shape.iter().product::<usize>()
    };
    let tensor = parameters.get(&spec.name).filter(fits);
    tensor.ok_or_else(|| EngineError::Parameter {
        name: spec.name.clone(),
        expected: spec.shape.clone(),
    })
}
