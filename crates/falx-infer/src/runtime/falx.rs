//! falx's own kernels.

use falx_nn::onnx::{ReadOptions, read_bytes};
use falx_nn::{Graph, Parameters, Prepared, Tensor};

use super::{Runtime, RuntimeError, RuntimeKind};

/// A network in the form in which our own kernels run it.
pub struct Network {
    prepared: Prepared,
    input: Vec<Option<usize>>,
}

impl Network {
    /// Loads the bytes of an ONNX file.
    pub fn load(onnx: Vec<u8>, threads: usize) -> Result<Self, RuntimeError> {
        let read = read_bytes(onnx, &ReadOptions::default());
        let read = read.map_err(|error| RuntimeError::Load {
            runtime: RuntimeKind::Falx,
            reason: error.to_string(),
        })?;
        Self::new(&read.graph, read.parameters, threads)
    }

    /// Prepares a network.
    pub fn new(
        graph: &Graph,
        parameters: Parameters,
        threads: usize,
    ) -> Result<Self, RuntimeError> {
        let prepared = Prepared::new(graph, parameters, threads);
        let prepared = prepared.map_err(|error| RuntimeError::Load {
            runtime: RuntimeKind::Falx,
            reason: error.to_string(),
        })?;
        let mut input = vec![None];
        input.extend(prepared.graph().input().iter().copied().map(Some));
        Ok(Self { prepared, input })
    }
}

impl Runtime for Network {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Falx
    }

    fn threads(&self) -> usize {
        self.prepared.threads()
    }

    fn input(&self) -> &[Option<usize>] {
        &self.input
    }

    fn compute(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Result<Vec<(String, Tensor)>, RuntimeError> {
        let images = Tensor {
            shape: shape.to_vec(),
            data: images.to_vec(),
        };
        self.prepared
            .run(&images)
            .map_err(|error| RuntimeError::Run {
                runtime: RuntimeKind::Falx,
                shape,
                reason: error.to_string(),
            })
    }
}
