//! ONNX Runtime, whose shared library is loaded when it is first needed.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ::ort::environment::Environment;
use ::ort::session::Session;
use ::ort::value::{TensorRef, ValueType};
use falx_nn::Tensor;

use super::{ORT_LIBRARY, Runtime, RuntimeError, RuntimeKind};

/// A process has one for good.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// A network that ONNX Runtime has loaded.
pub struct Network {
    session: Session,
    threads: usize,
    input: (String, Vec<Option<usize>>),
}

fn environment() -> Result<Environment, RuntimeError> {
    let mut kept = ENVIRONMENT
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(environment) = kept.as_ref() {
        return Ok(environment.clone());
    }
    let library = std::env::var_os(ORT_LIBRARY).filter(|path| !path.is_empty());
    let library = library.map_or_else(
        || {
            let (before, after) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
            PathBuf::from(format!("{before}onnxruntime{after}"))
        },
        PathBuf::from,
    );
    let environment = open(&library)?;
    *kept = Some(environment.clone());
    Ok(environment)
}

fn open(library: &Path) -> Result<Environment, RuntimeError> {
    let failed = |reason: String| RuntimeError::Library { reason };
    let builder = ::ort::init_from(library).map_err(|error| failed(error.to_string()))?;
    let built = builder.with_name("falx").with_telemetry(false).build();
    built.map_err(|error| failed(error.to_string()))
}

impl Network {
    /// Loads the bytes of an ONNX file.
    pub fn load(onnx: &[u8], threads: usize) -> Result<Self, RuntimeError> {
        let environment = environment()?;
        let failed = |reason: String| RuntimeError::Load {
            runtime: RuntimeKind::Ort,
            reason,
        };
        let session = Session::builder(&environment)
            .map_err(|error| failed(error.to_string()))?
            .with_intra_threads(threads)
            .map_err(|error| failed(error.to_string()))?
            .commit_from_memory(onnx)
            .map_err(|error| failed(error.to_string()))?;
        let [input] = session.inputs() else {
            let count = session.inputs().len();
            return Err(failed(format!(
                "it has {count} inputs, where one is wanted"
            )));
        };
        let ValueType::Tensor { shape, .. } = input.dtype() else {
            return Err(failed("its input is no tensor".to_owned()));
        };
        let lengths = shape.iter().map(|&length| usize::try_from(length).ok());
        let input = (input.name().to_owned(), lengths.collect());
        Ok(Self {
            session,
            threads,
            input,
        })
    }
}

impl Runtime for Network {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Ort
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
            runtime: RuntimeKind::Ort,
            shape,
            reason,
        };
        let input = TensorRef::from_array_view((shape, images));
        let input = input.map_err(|error| failed(error.to_string()))?;
        let inputs = ::ort::inputs![self.input.0.as_str() => input];
        let outputs = self
            .session
            .run(inputs)
            .map_err(|error| failed(error.to_string()))?;
        let mut tensors = Vec::with_capacity(outputs.len());
        for (name, value) in &outputs {
            let (shape, data) = value
                .try_extract_tensor::<f32>()
                .map_err(|error| failed(format!("`{name}` holds no floats: {error}")))?;
            let shape: Vec<usize> = shape.iter().map(|&length| length.max(0) as usize).collect();
            let tensor = Tensor::new(&shape, data.to_vec());
            let tensor = tensor.map_err(|error| failed(error.to_string()))?;
            tensors.push((name.to_owned(), tensor));
        }
        Ok(tensors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named_with_its_remedy() {
        // What was loaded once in this process would be used whatever the path.
        if std::env::var_os(ORT_LIBRARY).is_some() {
            return;
        }
        let error = open(Path::new("nowhere/libonnxruntime.so")).err();
        let error = error.unwrap().to_string();
        for word in ["nowhere/libonnxruntime.so", ORT_LIBRARY, "pip install"] {
            assert!(error.contains(word), "{error}");
        }
    }
}
