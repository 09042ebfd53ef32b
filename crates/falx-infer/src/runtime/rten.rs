//! rten.

use std::sync::Arc;

use ::rten::{Dimension, NodeId, RunOptions, ThreadPool, ValueView};
use falx_nn::Tensor;
use rten_tensor::Layout;

use super::{Runtime, RuntimeError, RuntimeKind};

/// A network that rten has loaded.
pub struct Network {
    model: ::rten::Model,
    options: RunOptions,
    threads: usize,
    input: (NodeId, Vec<Option<usize>>),
    outputs: Vec<(String, NodeId)>,
}

impl Network {
    /// Loads the bytes of an ONNX file.
    pub fn load(onnx: Vec<u8>, threads: usize) -> Result<Self, RuntimeError> {
        let failed = |reason: String| RuntimeError::Load {
            runtime: RuntimeKind::Rten,
            reason,
        };
        let model = ::rten::Model::load(onnx).map_err(|error| failed(error.to_string()))?;
        let &[input] = model.input_ids() else {
            let count = model.input_ids().len();
            return Err(failed(format!(
                "it has {count} inputs, where one is wanted"
            )));
        };
        let length = |dimension: &Dimension| match dimension {
            Dimension::Fixed(length) => Some(*length),
            Dimension::Symbolic(_) => None,
        };
        let lengths = model.input_shape(0);
        let lengths = lengths.ok_or_else(|| failed("its input has no shape".to_owned()))?;
        let lengths = lengths.iter().map(length).collect();
        let output = |&id: &NodeId| {
            let info = model.node_info(id);
            let name = info.as_ref().and_then(rten::NodeInfo::name);
            (name.unwrap_or_default().to_owned(), id)
        };
        let outputs = model.output_ids().iter().map(output).collect();
        let pool = Arc::new(ThreadPool::with_num_threads(threads));
        Ok(Self {
            options: RunOptions::default().with_thread_pool(Some(pool)),
            threads,
            input: (input, lengths),
            outputs,
            model,
        })
    }
}

impl Runtime for Network {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Rten
    }

    fn threads(&self) -> usize {
        self.threads
    }

    fn input(&self) -> &[Option<usize>] {
        &self.input.1
    }

    fn compute(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Result<Vec<(String, Tensor)>, RuntimeError> {
        let failed = |reason: String| RuntimeError::Run {
            runtime: RuntimeKind::Rten,
            shape,
            reason,
        };
        let input = ValueView::from_shape(shape, images).map_err(|e| failed(e.to_string()))?;
        let ids: Vec<NodeId> = self.outputs.iter().map(|(_, id)| *id).collect();
        let options = Some(self.options.clone());
        let values = self
            .model
            .run(vec![(self.input.0, input.into())], &ids, options)
            .map_err(|error| failed(error.to_string()))?;
        let output = |((name, _), value): (&(String, NodeId), ::rten::Value)| {
            let shape: Vec<usize> = value.shape().to_vec();
            let floats = value.into_tensor::<f32>();
            let floats = floats.ok_or_else(|| failed(format!("`{name}` holds no floats")))?;
            let data = floats.into_data();
            let tensor = Tensor::new(&shape, data).map_err(|error| failed(error.to_string()))?;
            Ok((name.clone(), tensor))
        };
        self.outputs.iter().zip(values).map(output).collect()
    }
}
